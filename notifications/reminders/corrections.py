"""Corrections: a collection day changed after its reminder went out. Once, to those who were told and still ask."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content.garbage import categories
from notifications import messages
from notifications.audiences import Audience, Reminded
from notifications.dispatch import batches
from notifications.identifier import derived_identifier
from notifications.messages import Kind, Lane, Message, Planning, Saying
from notifications.reminders import garbage
from notifications.reminders.garbage import Asked, Contents, Draft, SaidDay


def outdated(session: Session, now: dt.datetime) -> bool:
    """Whether a calendar changed since a reminder that still counts was made."""
    as_of = garbage.version(session)
    query = sa.select(SaidDay.message_id).join(Message, Message.id == SaidDay.message_id)
    return session.scalar(query.where(SaidDay.version < as_of, Message.expires_at > now).limit(1)) is not None


def correct(session: Session, now: dt.datetime, zone: ZoneInfo) -> int:
    """Takes back what is no longer right of every reminder whose day is still to come; returns how many messages.

    What of a wrong reminder was not handed over yet is withdrawn, and those it was for are reminded anew.
    """
    as_of = garbage.version(session)
    query = sa.select(SaidDay, Message).join(Message, Message.id == SaidDay.message_id)
    rows = session.execute(query.where(Message.expires_at > now).order_by(Message.id).with_for_update(of=SaidDay)).all()
    posted = 0
    for day in sorted({said.day for said, _ in rows}):
        posted += _correct_day(session, [(s, m) for s, m in rows if s.day == day], day, as_of, now, zone)
    for said, _ in rows:
        said.version = as_of
    session.flush()
    return posted


def _correct_day(
    session: Session, rows: list[tuple[SaidDay, Message]], day: dt.date, as_of: int, now: dt.datetime, zone: ZoneInfo
) -> int:
    audiences = {message.id: Audience.from_json(message.audience).reminded for _, message in rows}
    asked = {
        message.id: [(area, chosen) for chosen, areas in one.wants for area in areas]
        for _, message in rows
        if (one := audiences[message.id]) is not None
    }
    holds = garbage.contents_of(session, sorted({pair for pairs in asked.values() for pair in pairs}), day)
    taken_back = _taken_back(asked, audiences)
    wrong: dict[tuple[str, Contents], list[tuple[Message, Asked]]] = defaultdict(list)
    for said, message in rows:
        for pair in asked.get(message.id, []):
            right = holds.get(pair, Contents(day, (), (), gone=True))
            if right.collected != said.collected and (message.id, pair) not in taken_back:
                wrong[message.thread, right].append((message, pair))
    mistaken = {message.id: message for some in wrong.values() for message, _ in some}
    under_way = [number for number, message in mistaken.items() if _under_way(session, message)]
    messages.withdraw(session, under_way)
    batches.withdraw(session, under_way)
    drafts = [
        draft
        for (thread, right), some in sorted(wrong.items(), key=lambda item: (item[0][0], repr(item[0][1])))
        for draft in _drafts(session, thread, right, some, under_way, as_of, now, zone)
    ]
    return garbage.post(session, drafts, as_of, now)


def _taken_back(asked: dict[int, list[Asked]], audiences: dict[int, Reminded | None]) -> set[tuple[int, Asked]]:
    """Of which message what was already corrected."""
    return {
        (earlier, pair)
        for number, pairs in asked.items()
        if (one := audiences[number]) is not None
        for earlier in (*one.among_told, *one.not_told)
        for pair in pairs
    }


def _under_way(session: Session, message: Message) -> bool:
    return message.planning == Planning.WAITING.value or batches.open_ones(session, [message.id]) > 0


def _drafts(
    session: Session,
    thread: str,
    right: Contents,
    some: list[tuple[Message, Asked]],
    under_way: list[int],
    as_of: int,
    now: dt.datetime,
    zone: ZoneInfo,
) -> list[Draft]:
    """The correction for those who were told, and the right reminder for those whose turn had not come."""
    told = tuple(sorted({message.id for message, _ in some}))
    pairs = sorted({pair for _, pair in some})
    numbers = [one[0] for one in right.taken] + [one[0] for one in right.left]
    known = categories.by_id(session, numbers)
    over = max([garbage.expiry(right, known, zone), *(message.expires_at for message, _ in some)])
    key = derived_identifier("correction", thread, right.key, str(as_of))
    link = garbage.link(right.day)
    correction = Saying(
        origin=f"correction:garbage:{right.day}:{key}",
        thread=thread,
        kind=Kind.GARBAGE,
        lane=Lane.REMINDER,
        texts=garbage.texts(right, known, wrong=True),
        link=link,
        reason="correction:garbage",
        audience=Audience(reminded=Reminded(None, garbage.wants(pairs), among_told=told)),
        expires_at=over,
    )
    found = [Draft(correction, right)] if over > now else []
    if not right.taken and not right.left:
        return found
    by_slot: dict[int | None, set[Asked]] = defaultdict(set)
    for message, pair in some:
        one = Audience.from_json(message.audience).reminded
        if message.id in under_way and one is not None and one.slot is not None:
            by_slot[one.slot].add(pair)
    for slot, those in sorted(by_slot.items(), key=str):
        anew = Saying(
            origin=f"reminder:garbage:{right.day}:anew:{slot}:{key}",
            thread=thread,
            kind=Kind.GARBAGE,
            lane=Lane.REMINDER,
            texts=garbage.texts(right, known),
            link=link,
            reason=f"reminder:garbage:{'evening' if (slot or 0) < 0 else 'morning'}",
            audience=Audience(reminded=Reminded(slot, garbage.wants(sorted(those)), not_told=told)),
            expires_at=garbage.expiry(right, known, zone),
        )
        if anew.expires_at > now:
            found.append(Draft(anew, right))
    return found
