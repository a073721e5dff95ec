"""The clock of a request: one moment, the same for everything the request does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from flask import current_app, has_request_context, request

Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """The machine's clock, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def now() -> dt.datetime:
    """The moment (aware, UTC) of this request; outside a request, the application's clock at the call."""
    clock: Clock = current_app.extensions["yobikake.clock"]
    if not has_request_context():
        return clock()
    moment: dt.datetime = request.environ.setdefault("yobikake.now", clock())
    return moment
