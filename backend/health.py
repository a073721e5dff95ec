"""Is it alive, is it ready: /healthz without touching anything, /readyz with a list of checks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, Response, current_app, jsonify
from sqlalchemy.orm import Session

import database
from backend import clock, transaction
from backend.config import Settings, settings
from backend.limits import Limiter
from notifications.channels import webpush
from notifications.channels.fcm.endpoint import GOOGLE
from notifications.dispatch import incidents, worker

MIGRATIONS = Path(database.__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check saw. `ok` None: worth knowing, no reason to turn traffic away."""

    name: str
    ok: bool | None
    detail: str
    facts: dict[str, Any] = field(default_factory=dict)


SENDERS = {
    "none": "no push by Firebase: YOBIKAKE_FCM_CREDENTIALS is not set",
    "standin": "the stand-in: no real phone receives anything",
    "curl": "libcurl over HTTP/2",
    "library": "Firebase's own library, about thirty times slower than libcurl",
}

Check = Callable[[Session, Settings, dt.datetime], Finding]


def reachable(session: Session, _settings: Settings, _now: dt.datetime) -> Finding:
    """The database answers."""
    session.execute(sa.text("SELECT 1"))
    return Finding("database", True, session.get_bind().dialect.name)


def migrated(session: Session, _settings: Settings, _now: dt.datetime) -> Finding:
    """The schema is the one that this code was written for."""
    found = set(MigrationContext.configure(session.connection()).get_current_heads())
    wanted = _heads()
    if found == wanted:
        return Finding("migrations", True, ", ".join(sorted(found)) or "none yet")
    return Finding(
        "migrations",
        False,
        f"database at {', '.join(sorted(found)) or 'nothing'}, code at {', '.join(sorted(wanted)) or 'nothing'}:"
        " run yobikake db upgrade",
    )


def sender_named(_session: Session, settings: Settings, _now: dt.datetime) -> Finding:
    """What carries pushes to Firebase: curl, library, standin or none."""
    name = sender_name(settings)
    return Finding("sender", None, SENDERS[name], {"active": name})


def outlets_named(_session: Session, settings: Settings, _now: dt.datetime) -> Finding:
    """The ways to phones that these settings open; devices of the others read their inbox."""
    configured = {"fcm": settings.fcm_credentials is not None, "webpush": settings.vapid_key is not None}
    missing = webpush.unusable() if configured["webpush"] else None
    active = [name for name, opens in configured.items() if opens and not (name == "webpush" and missing)]
    words = ", ".join(active) or "none: inboxes fill and nobody is rung"
    return Finding("outlets", None, f"{words}; no Web Push: {missing}" if missing else words, {"active": active})


def sender_name(settings: Settings) -> str:
    """The sender that these settings lead to on this machine, without opening it."""
    if settings.fcm_credentials is None:
        return "none"
    if settings.fcm_endpoint not in (None, GOOGLE):
        return "standin"
    return ("curl" if _curl_usable() else "library") if settings.fcm_sender == "auto" else settings.fcm_sender


def limits_stored(_session: Session, _settings: Settings, _now: dt.datetime) -> Finding:
    """The store of the rate limits answers; without it nobody is limited, which turns no traffic away."""
    limiter: Limiter = current_app.extensions["yobikake.limits"]
    usable = limiter.counters.check()
    return Finding(
        "limits", None, "kept" if usable else "the store cannot be used: nobody is limited", {"kept": usable}
    )


def working(session: Session, _settings: Settings, now: dt.datetime) -> Finding:
    """Workers heard of lately. Without one this process still serves; what is to be sent waits."""
    beats = worker.alive(session, now)
    if not beats:
        return Finding("worker", None, "none was heard of lately: nothing is sent until one runs", {"alive": 0})
    age_s = round((now - max(beat.beat_at for beat in beats)).total_seconds(), 1)
    facts = {"alive": len(beats), "heard_s_ago": age_s, "senders": sorted({beat.sender for beat in beats})}
    return Finding("worker", None, f"{len(beats)} at work", facts)


def incidents_open(session: Session, _settings: Settings, _now: dt.datetime) -> Finding:
    """Faults of sending that an operator must mend."""
    kinds = sorted({incident.kind for incident in incidents.open_ones(session)})
    return Finding("incidents", None, f"open: {', '.join(kinds)}" if kinds else "none open", {"open": kinds})


# Others add theirs: a check must be fast, must only read, and must not name a person, a token or a place.
CHECKS: list[Check] = [sender_named, outlets_named, limits_stored, reachable, migrated, working, incidents_open]


def findings(session: Session, settings: Settings, now: dt.datetime) -> list[Finding]:
    """Every check's finding; after a failing database the others are not asked."""
    found: list[Finding] = []
    for check in CHECKS:
        try:
            found.append(check(session, settings, now))
        except sa.exc.SQLAlchemyError as error:
            found.append(Finding(check.__name__, False, f"cannot be asked: {type(error).__name__}"))
            break
    return found


def register(app: Flask) -> None:
    """Adds /healthz and /readyz."""
    app.add_url_rule("/healthz", "healthz", healthz)
    app.add_url_rule("/readyz", "readyz", readyz)


def healthz() -> Response:
    """The process answers; no database is asked."""
    return jsonify({"status": "alive"})


def readyz() -> tuple[Response, int]:
    """200 when this process can serve, 503 when not; each check with what it saw."""
    found = findings(transaction.session(), settings(), clock.now())
    ready = all(finding.ok is not False for finding in found)
    checks = {f.name: {"ok": f.ok, "detail": f.detail, **f.facts} for f in found}
    return jsonify({"status": "ready" if ready else "not ready", "checks": checks}), 200 if ready else 503


def _curl_usable() -> bool:
    try:
        from notifications.channels.fcm.curl import usable
    except ImportError:  # pycurl, or the libcurl it needs, is missing
        return False
    return usable()


@cache
def _heads() -> frozenset[str]:
    if not (MIGRATIONS / "versions").is_dir():
        return frozenset()
    return frozenset(ScriptDirectory(str(MIGRATIONS)).get_heads())
