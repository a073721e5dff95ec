"""Settings of the governor for a measurement: no pace at all, or a quota small enough to be met in seconds."""

from __future__ import annotations

from backend.config import variables

_QUOTA, _SHARE, _RAMP = "FCM_QUOTA_PER_MINUTE", "FCM_QUOTA_SHARE", "FCM_RAMP_SECONDS"


def unpaced() -> dict[str, str]:
    """As if the provider allowed anything: what is measured is our own speed."""
    return _known({_QUOTA: "60000000", _RAMP: "0"})


def paced(quota_per_minute: int = 600_000, ramp_s: float = 60.0) -> dict[str, str]:
    """A quota and a ramp; the defaults are the provider's own."""
    return _known({_QUOTA: str(quota_per_minute), _RAMP: f"{ramp_s:g}"})


def _known(wanted: dict[str, str]) -> dict[str, str]:
    known = variables()
    return {name: value for name, value in wanted.items() if f"YOBIKAKE_{name}" in known}
