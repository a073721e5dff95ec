"""What an alert will do, before it does it: whom it reaches and what their phones will show."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from content import texts as text
from geo.hazards import Hazard
from notifications import approval, audiences
from notifications.alerts import Act, Alert
from notifications.audiences import Count
from notifications.channels.promise import PayloadError, Push
from notifications.dangers import DangerArea
from notifications.dispatch import composition, shelters
from notifications.dispatch.groups import Group
from notifications.messages import Message
from notifications.recipients import Recipient, Recipients

# How a push is encoded, for its size only: the city's channel, which opens no connection for it.
Encode = Callable[[Push, dt.datetime], bytes]


@dataclass(frozen=True, slots=True)
class Sample:
    """A push as one group of phones will show it."""

    language: str
    title: str
    body: str
    shelters: list[dict[str, Any]] | None
    bytes: int | None  # of the encoded request; None: it does not fit in any form


@dataclass(frozen=True, slots=True)
class Preview:
    """The count and the renderings, from the very functions that will send."""

    count: Count
    samples: list[Sample]
    by_cell: dict[int, int]  # devices by the cell of the place for which they are told; 0: none


def look(session: Session, alert: Alert, now: dt.datetime, encode: Encode, public_url: str) -> Preview:
    """Counts the audience of an alert as it stands and renders one push a language, for a phone that is in it.

    One whose time is over is shown as it was at its last moment.
    """
    now = min(now, alert.expires_at - dt.timedelta(seconds=1))
    audience = approval.audience_of(session, alert)
    first: dict[str, Recipient] = {}
    cells: Counter[int] = Counter()
    # A city is a million rows: listed once, for the count and for the samples.
    count = audiences.tally(_noting(audiences.recipients(session, audience, now), first, cells))
    message = Message(**approval.saying_of(session, alert, audience, public_url).row(now))
    finder = None
    if Act(alert.act) in (Act.ORDER, Act.UPDATE):
        own = session.get_one(DangerArea, alert.danger_area_id)
        rows = shelters.candidates_for(session, Hazard(alert.hazard), own, now)
        finder = shelters.ShelterFinder(Hazard(alert.hazard), rows)
    by_language: dict[str, Recipient | None] = {one: None for one in text.LANGUAGES if one in alert.texts}
    for asked, recipient in first.items():
        language = text.choose(alert.texts, asked)[0]  # type: ignore[arg-type]
        by_language[language] = by_language[language] or recipient
    samples = [_sample(message, language, one, finder, now, encode) for language, one in by_language.items()]
    return Preview(count, samples, dict(cells))


def _noting(chunks: Iterable[Recipients], first: dict[str, Recipient], cells: Counter[int]) -> Iterator[Recipients]:
    """Passes recipients on, keeping the first of each language and counting them by cell."""
    for known in chunks:
        for one in known.first_of_each_sort():
            first.setdefault(one.language, one)
        at, many = np.unique(known.found.cells, return_counts=True)
        cells.update(dict(zip(at.tolist(), many.tolist(), strict=True)))
        yield known


def samples(message: Message, now: dt.datetime, encode: Encode) -> list[Sample]:
    """One push in each language in which a message without shelters is whole; Message as it would be posted."""
    whole = [one for one in text.LANGUAGES if not text.missing(message.texts, [one])]
    return [_sample(message, language, None, None, now, encode) for language in whole]


def _sample(
    message: Message,
    language: str,
    one: Recipient | None,
    finder: shelters.ShelterFinder | None,
    now: dt.datetime,
    encode: Encode,
) -> Sample:
    near = None
    if finder is not None and one is not None and one.cell is not None:
        near = finder.for_cells(np.array([one.cell], np.int64))[one.cell]
    group = Group(language=language, platform=one.platform if one else "ios", place=None, shelters=near)
    full = next(composition.variants(message, group, now))
    size = None
    for push in composition.variants(message, group, now):
        try:
            size, full = len(encode(push, now)), push
            break
        except PayloadError:
            continue
    return Sample(language, full.title, full.body, near, size)
