"""The channel that these settings lead to: what carries pushes to the provider."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from backend.config import Settings
from notifications.channels import fcm
from notifications.channels.blocking import BlockingLine
from notifications.channels.fcm import body
from notifications.channels.promise import Channel, Line, Outcome, Outlet, Push, Result
from notifications.dispatch.governor import Pace


class NoChannel:
    """Stands in where no provider is configured: inboxes fill, and nobody is rung."""

    name = "none"

    def encode(self, push: Push, now: dt.datetime) -> bytes:
        """As the provider would need it, so that what is too large is found early."""
        return body.encode(push, now, critical_entitled=False)

    def hand_over(self, body: bytes, tokens: Sequence[str], *, dry_run: bool = False) -> list[Result]:
        """Hands nothing to nobody and says so."""
        return [Result(Outcome.NO_TOKEN, detail="no provider is configured") for _ in tokens]

    def hand_over_each(self, bodies: Sequence[bytes], tokens: Sequence[str], *, dry_run: bool = False) -> list[Result]:
        """Hands nothing to nobody and says so."""
        return [Result(Outcome.NO_TOKEN, detail="no provider is configured") for _ in tokens]

    def line(self) -> Line:
        """Answers at once, for everybody."""
        return BlockingLine(self.hand_over_each, 500)

    def close(self) -> None:
        """Nothing is open."""


def opened(settings: Settings) -> Channel:
    """The channel, checked and ready. Raises ValueError naming what does not fit (see fcm.open_channel)."""
    if settings.fcm_credentials is None:
        return NoChannel()
    return fcm.open_channel(
        credentials=settings.fcm_credentials,
        project_id=settings.fcm_project,
        endpoint=settings.fcm_endpoint,
        sender=settings.fcm_sender,  # type: ignore[arg-type]
        timeout_s=settings.fcm_timeout,
        connections=settings.fcm_connections,
        critical_entitled=settings.ios_critical,
        ca_file=str(settings.fcm_ca_file) if settings.fcm_ca_file is not None else None,
    )


def paces(settings: Settings) -> dict[Outlet, Pace]:
    """What each provider allows, shared by all workers."""
    fcm_pace = Pace(settings.fcm_quota_per_minute, settings.fcm_quota_share, settings.fcm_ramp_seconds)
    return {Outlet.FCM: fcm_pace}
