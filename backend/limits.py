"""Limits against abuse: registrations and sign-ins from one address, test pushes of one phone.

They bound only these writes and never stand before a read. When their store fails they let everybody through:
a phone that cannot register during a disaster is worse than an hour without a limit. The log and /readyz say so.
The `limits` library is used directly: Flask-Limiter keeps one store for all applications of a process and finds the
limits of a view by its name; two decorators need neither.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

import limits
import sqlalchemy.exc
import structlog
from flask import Flask, current_app, g, request
from limits.strategies import FixedWindowRateLimiter

from backend import clock, errors
from backend.counters import Counters

View = TypeVar("View", bound=Callable[..., Any])
log = structlog.stdlib.get_logger("yobikake.limits")


@dataclass(frozen=True, slots=True)
class Limiter:
    """The limits of one application."""

    counters: Counters
    registrations: limits.RateLimitItem
    test_pushes: limits.RateLimitItem
    sign_ins: limits.RateLimitItem

    def hit(self, item: limits.RateLimitItem, who: str) -> float | None:
        """Counts one; None when it is within the limit, else the seconds until it is again.

        Nothing of `who` is stored, only a keyed hash of it. A store that cannot be used lets it pass.
        """
        try:
            key = hmac.digest(self.counters.salt(), who.encode(), hashlib.sha256).hex()
            window = FixedWindowRateLimiter(self.counters)
            if window.hit(item, key):
                return None
            return float(window.get_window_stats(item, key).reset_time - clock.now().timestamp())
        except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
            log.error("the store of the limits cannot be used; nobody is limited", reason=type(error).__name__)
            return None


def register(app: Flask) -> None:
    """Opens the store that the settings name, at its first use."""
    settings = app.extensions["yobikake.settings"]
    moment: clock.Clock = app.extensions["yobikake.clock"]
    app.extensions["yobikake.limits"] = Limiter(
        Counters(settings.limits_url, lambda: moment().timestamp()),
        registrations=limits.RateLimitItemPerHour(settings.registrations_per_hour, namespace="registrations"),
        test_pushes=limits.RateLimitItemPerHour(settings.test_pushes_per_hour, namespace="test-pushes"),
        sign_ins=limits.RateLimitItemPerHour(settings.sign_ins_per_hour, namespace="sign-ins"),
    )


def registrations(view: View) -> View:
    """Bounds how often one address may call this view in an hour (YOBIKAKE_REGISTRATIONS_PER_HOUR)."""
    return _bounded(
        view,
        lambda limiter: limiter.registrations,
        lambda: client(request.remote_addr),
        "Too many registrations came from this network within an hour.",
    )


def test_pushes(view: View) -> View:
    """Bounds how often one phone may call this view in an hour (YOBIKAKE_TEST_PUSHES_PER_HOUR).

    Put it below `@device_required`, so that the phone is known.
    """
    return _bounded(
        view,
        lambda limiter: limiter.test_pushes,
        lambda: f"device {g.device.id}",
        "This phone asked for too many test pushes within an hour.",
    )


def sign_ins(view: View) -> View:
    """Bounds how often one address may try to sign in within an hour (YOBIKAKE_SIGN_INS_PER_HOUR)."""
    return _bounded(
        view,
        lambda limiter: limiter.sign_ins,
        lambda: client(request.remote_addr),
        "Too many attempts to sign in came from this network within an hour.",
    )


def client(address: str | None) -> str:
    """Who counts as one: an IPv4 address, or the /64 that an IPv6 line is given."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Network((parsed, 64), strict=False))
    return str(parsed)


def _bounded(view: View, item: Callable[[Limiter], limits.RateLimitItem], who: Callable[[], str], detail: str) -> View:
    @wraps(view)
    def bounded(*args: Any, **kwargs: Any) -> Any:
        limiter: Limiter = current_app.extensions["yobikake.limits"]
        wait_s = limiter.hit(item(limiter), who())
        if wait_s is not None:
            raise errors.too_many(wait_s, detail)
        return view(*args, **kwargs)

    marked: Any = bounded
    marked._limited = True  # the tests of the house look for it
    return marked  # type: ignore[no-any-return]
