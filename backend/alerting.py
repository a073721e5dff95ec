"""City hall's steps with an alert, one function each: the staff API and the console both call these, nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import g

from backend import channel, clock
from backend.config import settings
from backend.errors import of_status
from backend.transaction import session
from notifications import alerts, approval, drafting, preview
from notifications.alerts import Act, Alert
from notifications.drafting import DraftRefused, Spec
from notifications.preview import Preview

FOLLOW_UP_LASTS = dt.timedelta(hours=24)


def one(public_id: str, *, drill: bool) -> Alert:
    """The alert (or the drill) of this id; raises Problem 404."""
    alert = alerts.by_public_id(session(), public_id, drill=drill)
    if alert is None:
        raise of_status(404, "There is no alert with this id here.")
    return alert


def draft(spec: Spec, *, drill: bool) -> Alert:
    """Drafts an order."""
    city = settings().city_names
    return drafting.draft(session(), spec, actor=g.editor, drill=drill, now=clock.now(), city=city)


def edit(alert: Alert, spec: Spec, *, version: int) -> None:
    """Edits what is not issued yet; raises Conflict when `version` is not the newest."""
    city = settings().city_names
    drafting.edit(session(), alert, spec, actor=g.editor, version=version, now=clock.now(), city=city)


def discard(alert: Alert) -> None:
    """Throws away what is not issued yet."""
    drafting.discard(session(), alert, actor=g.editor, now=clock.now())


def look(alert: Alert) -> Preview:
    """Whom it reaches and what their phones will show."""
    return preview.look(session(), alert, clock.now(), _encode, settings().public_url)


def submit(alert: Alert, *, version: int, accept_warnings: bool) -> None:
    """Hands it to a second person. Raises DraftRefused also where a text does not fit a push."""
    too_large = [sample.language for sample in look(alert).samples if sample.bytes is None]
    if too_large:
        raise DraftRefused([(f"texts.{too_large[0]}.body", "The texts are too long for a push.")])
    _hand_over(alert, version, accept_warnings)


def approve(alert: Alert, *, seen_hash: str) -> None:
    """Releases exactly what was seen."""
    approval.approve(
        session(),
        alert,
        actor=g.editor,
        seen_hash=seen_hash,
        now=clock.now(),
        public_url=settings().public_url,
        lapse=dt.timedelta(minutes=settings().approval_minutes),
    )


def break_glass(alert: Alert, *, seen_hash: str, code: str, reason: str) -> None:
    """Releases one's own level 5 alone, with a code of the second factor: for the console, no key can do it."""
    approval.break_glass(
        session(),
        alert,
        actor=g.editor,
        seen_hash=seen_hash,
        code=code,
        reason=reason,
        now=clock.now(),
        public_url=settings().public_url,
        lapse=dt.timedelta(minutes=settings().approval_minutes),
    )


def send_back(alert: Alert, *, reason: str) -> None:
    """Returns it to its author."""
    approval.send_back(session(), alert, actor=g.editor, reason=reason, now=clock.now())


def update(alert: Alert, spec: Spec) -> Alert:
    """Drafts an update of an alert in force."""
    return _follow(alert, spec, Act.UPDATE)


def lift(alert: Alert, act: Act, *, texts: Mapping[str, Mapping[str, str]], accept_warnings: bool) -> Alert:
    """Drafts a cancel or an all-clear with the wording ready and submits it, in one step."""
    follow = _follow(alert, lift_spec(alert, texts), act)
    _hand_over(follow, follow.version, accept_warnings)
    return follow


def lift_spec(alert: Alert, texts: Mapping[str, Mapping[str, str]]) -> Spec:
    """The spec of a cancel or all-clear: the alert's own area, words of its own."""
    return replace(drafting.fresh_spec(alert), texts=texts, expires_at=clock.now() + FOLLOW_UP_LASTS)


def _follow(alert: Alert, spec: Spec, act: Act) -> Alert:
    return drafting.draft(
        session(),
        spec,
        actor=g.editor,
        drill=alert.drill,
        now=clock.now(),
        city=settings().city_names,
        act=act,
        follows=alert,
    )


def _hand_over(alert: Alert, version: int, accept_warnings: bool) -> None:
    approval.submit(
        session(),
        alert,
        actor=g.editor,
        version=version,
        now=clock.now(),
        city_zone=settings().zone,
        accept_warnings=accept_warnings,
    )


def _encode(push: Any, now: dt.datetime) -> bytes:
    return channel.encode(settings(), push, now)
