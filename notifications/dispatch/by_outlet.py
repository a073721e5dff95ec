"""Progress outlet by outlet: how a message fares with Android phones, iPhones and browsers, each by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from notifications.channels.promise import Outcome
from notifications.dispatch import progress, tally
from notifications.dispatch.batches import Batch
from notifications.dispatch.groups import Group
from notifications.dispatch.progress import Progress
from notifications.dispatch.tally import BATCHES_A_CHUNK, Tally
from notifications.messages import Message, Planning

WITHOUT = "none"  # the platform of a recipient whose group is not known


@dataclass(frozen=True, slots=True)
class OutletProgress:
    """One platform by its outlet: fcm and android, fcm and ios, webpush and webpush …"""

    outlet: str
    platform: str
    sending: Progress


def of_message(session: Session, message: Message, now: dt.datetime) -> list[OutletProgress]:
    """The progress of a message for each outlet and platform, the largest first; empty when only sums are left.

    Batches of one outlet mix platforms, so `batches` and `first_handed_at` are those of the outlet. Reads twelve
    bytes a recipient, a million in a fraction of a second.
    """
    platforms = session.execute(sa.select(Group.id, Group.platform).where(Group.message_id == message.id)).all()
    ids = np.array(sorted(row.id for row in platforms), np.int64)
    of_id = {row.id: row.platform for row in platforms}
    names = sorted({row.platform for row in platforms} | {WITHOUT})
    codes = np.array([names.index(of_id[one]) for one in ids.tolist()], np.int64)
    found: dict[tuple[str, str], Tally] = {}
    columns = (
        Batch.outlet, Batch.state, Batch.first_handed_at, Batch.outcomes, Batch.tries, Batch.answered, Batch.group_ids,
    )  # fmt: skip
    query = sa.select(*columns).where(Batch.message_id == message.id)
    for rows in session.execute(query.execution_options(yield_per=BATCHES_A_CHUNK)).partitions():
        for outlet in {row.outlet for row in rows}:
            _add(found, outlet, [row for row in rows if row.outlet == outlet], ids, codes, names)
    planned = message.planning in (Planning.DONE.value, Planning.WITHDRAWN.value)
    parts = [
        OutletProgress(outlet, platform, _progress(counted, message, now, planned=planned))
        for (outlet, platform), counted in found.items()
    ]
    return sorted(parts, key=lambda one: (-one.sending.planned, one.outlet, one.platform))


def _add(
    found: dict[tuple[str, str], Tally], outlet: str, rows: Sequence[Any], ids: Any, codes: Any, names: list[str]
) -> None:
    groups = np.frombuffer(b"".join(row.group_ids for row in rows), dtype="<i8")
    place = np.searchsorted(ids, groups)
    known = (place < len(ids)) & (ids[np.minimum(place, len(ids) - 1)] == groups) if len(ids) else groups < 0
    mine = np.full(len(groups), names.index(WITHOUT), np.int64)
    mine[known] = codes[place[known]]
    for code in np.unique(mine).tolist():
        counted = found.setdefault((outlet, names[code]), Tally())
        tally.add(counted, rows, mine == code)


def _progress(counted: Tally, message: Message, now: dt.datetime, *, planned: bool) -> Progress:
    whole = progress.of_tally(counted, message, now, planned=planned)
    # Another platform's recipients may keep the shared batches open.
    waiting = counted.count(Outcome.PENDING, Outcome.RETRY)
    return whole if waiting else replace(whole, finished=planned, rate_per_s=0.0 if planned else whole.rate_per_s)
