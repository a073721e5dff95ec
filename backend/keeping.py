"""How long this city keeps what: its settings, as housekeeping understands them."""

from __future__ import annotations

import datetime as dt

from backend.config import Settings
from notifications.dispatch import housekeeping
from notifications.dispatch.duties import Duty
from notifications.dispatch.retention import Keeping


def keeping(settings: Settings) -> Keeping:
    """The times for which things are kept."""
    return Keeping(
        groups=dt.timedelta(days=settings.keep_groups_days),
        outcomes=dt.timedelta(days=settings.keep_outcomes_days),
        receipts=dt.timedelta(days=settings.keep_receipts_days),
        told=dt.timedelta(days=settings.keep_told_days),
        token=dt.timedelta(days=settings.token_days),
        device=dt.timedelta(days=settings.device_days),
    )


def duty(settings: Settings) -> Duty:
    """Housekeeping as a worker's duty: once an hour in the whole fleet, giving way to whatever is to be sent."""
    return Duty("ledger.housekeep", housekeeping.EVERY, housekeeping.duty(keeping(settings)), housekeeping.LASTS)
