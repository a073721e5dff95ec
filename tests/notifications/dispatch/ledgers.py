"""Ledgers for tests: batches of a message with the outcomes, tries and answer times a test wants."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from notifications import told
from notifications.audiences import Audience
from notifications.channels.promise import Outcome
from notifications.dispatch.batches import LARGEST, NEVER, Batch, BatchState
from notifications.dispatch.groups import Group
from notifications.messages import Message, Planning
from tests.notifications.builders import NOW, SECOND, make_message

Recipient = tuple[Outcome, int, int | None]  # outcome, tries, tenths of a second until the answer


def ledger(
    session: Session,
    recipients: Sequence[Recipient],
    *,
    first_id: int = 1,
    state: BatchState = BatchState.CLOSED,
    message: Message | None = None,
    now: dt.datetime = NOW,
    **changes: object,
) -> Message:
    """A message planned to the end, with these recipients in batches, device ids counting up from `first_id`."""
    message = message or make_message(session, Audience(), now, **changes)
    message.planning = Planning.DONE.value
    group = session.scalar(sa.select(Group.id).where(Group.message_id == message.id))
    if group is None:
        row = Group(message_id=message.id, key="k", language="ja", platform="ios", place="home", shelters=[{"id": 1}])
        session.add(row)
        session.flush()
        group = row.id
    ids = np.arange(first_id, first_id + len(recipients), dtype="<i8")
    for start in range(0, len(recipients), LARGEST):
        part = recipients[start : start + LARGEST]
        times = [NEVER if tenths is None else tenths for _, _, tenths in part]
        tried = any(tries for _, tries, _ in part)
        session.add(
            Batch(
                message_id=message.id, outlet="fcm", rank=message.rank, state=state.value, not_before=now,
                device_ids=ids[start : start + LARGEST].tobytes(),
                group_ids=np.full(len(part), group, dtype="<i8").tobytes(),
                outcomes=bytes(outcome for outcome, _, _ in part), tries=bytes(tries for _, tries, _ in part),
                answered=np.array(times, dtype="<u2").tobytes(), created_at=now,
                first_handed_at=now + SECOND if tried else None,
                closed_at=now + 60 * SECOND if state is BatchState.CLOSED else None,
            )
        )  # fmt: skip
    told.mark(session, message.id, ids.astype(np.int64))
    session.flush()
    return message
