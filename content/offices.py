"""Days on which the city's offices are open: not at weekends, on holidays, nor from 29 December to 3 January."""

from __future__ import annotations

import datetime as dt

from content.calendar import SATURDAY, holiday


def are_open(day: dt.date) -> bool:
    """Whether offices are open (地方自治法4条の2: 休日は土曜・日曜、祝日、年末年始)."""
    turn_of_year = (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3)
    return day.weekday() < SATURDAY and not turn_of_year and holiday(day) is None
