"""Releasing an alert: submitted by one person, approved by another who saw exactly this, and then said."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content import accounts, workflow
from content import texts as text
from content.accounts import Account
from content.editors import Editor
from notifications import audiences, drafting, messages, reviews
from notifications.alerts import Act, Alert, State, content_hash, move
from notifications.audiences import Audience
from notifications.dangers import DangerArea
from notifications.dispatch import batches
from notifications.drafting import Conflict, DraftRefused
from notifications.messages import Kind, Lane, Message, Saying

# An approval lapses when the number of people it reaches moved by more than this share …
COUNT_DRIFT = 0.2
# … and by more than this many devices: in a hamlet two more phones are not another decision.
COUNT_DRIFT_DEVICES = 50

_KINDS = {
    Act.ORDER: Kind.ALERT,
    Act.UPDATE: Kind.UPDATE,
    Act.CANCEL: Kind.CANCEL,
    Act.ALL_CLEAR: Kind.ALL_CLEAR,
}
_ENDS = {Act.UPDATE: "supersede", Act.CANCEL: "cancel", Act.ALL_CLEAR: "lift"}


def audience_of(session: Session, alert: Alert) -> Audience:
    """Whom an alert is for: an order those inside, an update also those told, a cancel or all-clear those told only."""
    act = Act(alert.act)
    told = tuple(message.id for message in messages.of_thread(session, alert.thread)) if alert.supersedes_id else ()
    inside = alert.danger_area_id if act in (Act.ORDER, Act.UPDATE) else None
    return Audience(danger_area_id=inside, told_message_ids=told)


def submit(
    session: Session,
    alert: Alert,
    *,
    actor: Editor,
    version: int,
    now: dt.datetime,
    city_zone: ZoneInfo,
    accept_warnings: bool = False,
) -> str:
    """Hands a draft to a second person and returns the hash he must approve.

    Raises DraftRefused (a language is missing, a placeholder is left, too little time remains; a date of
    another year, or words that do not fit the level or the act, which nobody accepted), Conflict,
    workflow.NotAllowed.
    """
    if alert.version != version:
        raise Conflict
    errors = [(f"texts.{language}", "is missing") for language in text.missing(alert.texts)]
    errors += [
        (f"texts.{finding.language}.{finding.field}", f"{finding.message}: {finding.excerpt}")
        for finding in drafting.findings(alert, now, city_zone)
        if finding.severity == "error" or not accept_warnings
    ]
    if not accept_warnings:
        # Texts changed by hand outlive a change of the level: they must not name another one.
        errors += [(f"texts.{language}", reason) for language, reason in drafting.disagreements(alert)]
    if alert.expires_at < now + drafting.SHORTEST:
        errors.append(("expires_at", "less than ten minutes remain"))
    if errors:
        raise DraftRefused(errors)
    before = alert.state
    to = workflow.permit(session, alert.machine, alert.id, before, "submit", actor=actor, now=now)
    devices = audiences.size(session, audience_of(session, alert), now)
    if not move(session, alert, State(to), now, {"submitted_at": now, "submitted_count": devices}):
        raise Conflict
    bound = content_hash(alert, session.get_one(DangerArea, alert.danger_area_id))
    workflow.record(session, alert.machine, alert.id, before, "submit", actor=actor, now=now, content_hash=bound)
    return bound


def send_back(session: Session, alert: Alert, *, actor: Editor, reason: str, now: dt.datetime) -> None:
    """Returns a submission to its author with a reason."""
    before = alert.state
    to = workflow.permit(session, alert.machine, alert.id, before, "return", actor=actor, now=now, reason=reason)
    if not move(session, alert, State(to), now, {"submitted_at": None, "submitted_count": None}):
        raise Conflict
    bound = content_hash(alert, session.get_one(DangerArea, alert.danger_area_id))
    workflow.record(
        session, alert.machine, alert.id, before, "return", actor=actor, now=now, content_hash=bound, reason=reason
    )


def approve(
    session: Session,
    alert: Alert,
    *,
    actor: Editor,
    seen_hash: str,
    now: dt.datetime,
    public_url: str,
    lapse: dt.timedelta = workflow.APPROVAL_LAPSE,
) -> Message:
    """Releases a submission: the second person's yes to exactly the content of `seen_hash`.

    In the caller's one transaction the alert comes into force, what it follows ends, and the
    message to its audience is written. Raises workflow.NotAllowed (own work, another content,
    lapsed), DraftRefused, Conflict.
    """
    return _release(
        session, alert, "approve", actor=actor, seen_hash=seen_hash, now=now, public_url=public_url, lapse=lapse
    )


def break_glass(
    session: Session,
    alert: Alert,
    *,
    actor: Editor,
    seen_hash: str,
    code: str,
    reason: str,
    now: dt.datetime,
    public_url: str,
    lapse: dt.timedelta = workflow.APPROVAL_LAPSE,
) -> Message:
    """Releases a person's own level 5 without a second person, who has to look at it within `reviews.WITHIN`.

    Only what `alerts.machine` permits; `code` is one of the person's second factor and is used up. Raises as
    `approve` does, and NotAllowed "second_factor" for a code that is wrong or was used before, with nothing done.
    """
    account = session.get(Account, actor.id)
    proven = (
        account is not None
        and account.totp_confirmed_at is not None
        and accounts.confirm_code(session, account, code, now)
    )
    message = _release(
        session, alert, "break_glass", actor=actor, seen_hash=seen_hash, now=now, public_url=public_url, lapse=lapse,
        reason=reason, proven=proven,
    )  # fmt: skip
    reviews.demand(session, alert, actor=actor, reason=reason, now=now)
    return message


def _release(
    session: Session,
    alert: Alert,
    action: str,
    *,
    actor: Editor,
    seen_hash: str,
    now: dt.datetime,
    public_url: str,
    lapse: dt.timedelta,
    reason: str | None = None,
    proven: bool = False,
) -> Message:
    bound = content_hash(alert, session.get_one(DangerArea, alert.danger_area_id))
    before = alert.state
    to = workflow.permit(
        session, replace(alert.machine, approval_lapse=lapse), alert.id, before, action,
        actor=actor, now=now, current_hash=bound, seen_hash=seen_hash, reason=reason, proven=proven,
    )  # fmt: skip
    if alert.expires_at < now + drafting.SHORTEST:
        raise DraftRefused([("expires_at", "less than ten minutes remain")])
    audience = audience_of(session, alert)
    _check_count(session, alert, audience, now)
    if not move(session, alert, State(to), now, {"issued_at": now}):
        raise Conflict
    workflow.record(
        session, alert.machine, alert.id, before, action, actor=actor, now=now, content_hash=bound, reason=reason
    )
    if alert.supersedes_id is not None:
        _end(session, alert, now)
        messages.withdraw(session, audience.told_message_ids)
        batches.withdraw(session, audience.told_message_ids)
    message = messages.post(session, saying_of(session, alert, audience, public_url), now)
    session.execute(sa.update(Alert).where(Alert.id == alert.id).values(message_id=message.id))
    session.refresh(alert)
    return message


def _check_count(session: Session, alert: Alert, audience: Audience, now: dt.datetime) -> None:
    """Only for what moves people: a lifting reaches whoever was told, however many more that became."""
    if Act(alert.act) not in (Act.ORDER, Act.UPDATE) or alert.submitted_count is None:
        return
    devices = audiences.size(session, audience, now)
    moved = abs(devices - alert.submitted_count)
    if moved > COUNT_DRIFT_DEVICES and moved > COUNT_DRIFT * alert.submitted_count:
        reason = f"it reached {alert.submitted_count} devices when submitted and reaches {devices} now: submit it again"
        raise workflow.NotAllowed("lapsed", reason)


def _end(session: Session, alert: Alert, now: dt.datetime) -> None:
    """Ends the alert that this one follows. Raises DraftRefused when it is no longer in force."""
    query = sa.select(Alert).where(Alert.id == alert.supersedes_id).with_for_update()
    followed = session.scalars(query.execution_options(populate_existing=True)).one()
    if followed.state_at(now) is not State.LIVE:
        raise DraftRefused([("follows", f"the alert it follows is {followed.state_at(now)} meanwhile")])
    action, before = _ENDS[Act(alert.act)], followed.state
    to = workflow.permit(session, followed.machine, followed.id, before, action, actor=None, now=now)
    bound = content_hash(followed, session.get_one(DangerArea, followed.danger_area_id))
    if not move(session, followed, State(to), now):
        raise Conflict
    workflow.record(session, followed.machine, followed.id, before, action, actor=None, now=now, content_hash=bound)


def saying_of(session: Session, alert: Alert, audience: Audience, public_url: str) -> Saying:
    """The message an alert becomes when it is released."""
    act = Act(alert.act)
    urgent = Lane.EVACUATION if act in (Act.ORDER, Act.UPDATE) else Lane.LIFTING
    part = "drills" if alert.drill else "alerts"
    return Saying(
        origin=f"alert:{alert.public_id}",
        thread=alert.thread,
        kind=_KINDS[act],
        lane=Lane.DRILL if alert.drill else urgent,
        texts=alert.texts,
        link=f"{public_url.rstrip('/')}/v1/{part}/{alert.public_id}",
        reason=f"{'drill' if alert.drill else 'alert'}:{alert.public_id}",
        audience=audience,
        expires_at=alert.expires_at,
        drill=alert.drill,
        level=alert.level,
        hazard=alert.hazard,
        hull=session.get_one(DangerArea, alert.danger_area_id).hull,
    )
