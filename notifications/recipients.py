"""Recipients: devices of an audience as columns: an object for each of a million phones would be most of the work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from notifications import columns
from notifications.devices import TokenState
from notifications.places import PlaceName

Ids = NDArray[np.int64]
Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]

PLACES = tuple(name.value for name in PlaceName)  # dearest first
NO_PLACE, UNKNOWN_PLACE = -1, -2  # among the codes of places; the second is looked up with the device
NO_CELL = 0


@dataclass(frozen=True, slots=True)
class Recipient:
    """One device of an audience, and the place (if any) for which it is one."""

    device_id: int
    language: str
    platform: str
    can_receive: bool
    place: str | None = None
    cell: int | None = None


class Sort(NamedTuple):
    """What devices have in common that are spoken to alike."""

    language: str
    platform: str
    can_receive: bool
    wishes: str = ""  # of everyday things, see `preferences`


@dataclass(frozen=True, slots=True)
class Found:
    """Devices in the order in which they are told; one with several places may come several times."""

    device_ids: Ids
    places: Codes  # positions in PLACES, NO_PLACE or UNKNOWN_PLACE
    cells: Ids  # where the place is; NO_CELL where there is none
    turns: Codes  # rises with the parts of the audience: a smaller one is more endangered

    def __len__(self) -> int:
        return len(self.device_ids)

    def kept(self, which: Flags | Ids) -> Found:
        """Some of these, in the same order."""
        return Found(self.device_ids[which], self.places[which], self.cells[which], self.turns[which])

    @staticmethod
    def of(device_ids: Ids, *, turn: int, place: int = NO_PLACE, cells: Ids | None = None) -> Found:
        """Devices of one part of an audience."""
        many = len(device_ids)
        return Found(
            device_ids,
            np.full(many, place, np.int64),
            np.full(many, NO_CELL, np.int64) if cells is None else cells,
            np.full(many, turn, np.int64),
        )

    @staticmethod
    def joined(pieces: Sequence[Found]) -> Found:
        """One after another."""
        if not pieces:
            return Found.of(np.zeros(0, np.int64), turn=0)
        if len(pieces) == 1:
            return pieces[0]
        return Found(
            np.concatenate([one.device_ids for one in pieces]),
            np.concatenate([one.places for one in pieces]),
            np.concatenate([one.cells for one in pieces]),
            np.concatenate([one.turns for one in pieces]),
        )


@dataclass(frozen=True, slots=True)
class Recipients:
    """Devices with all that planning needs of them. As an iterable it yields a `Recipient` for each."""

    found: Found
    sorts: tuple[Sort, ...]
    sort_of: Codes  # for each device its position in `sorts`

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[Recipient]:
        found = self.found
        for device_id, sort, place, cell in zip(
            found.device_ids.tolist(), self.sort_of.tolist(), found.places.tolist(), found.cells.tolist(), strict=True
        ):
            yield _recipient(device_id, self.sorts[sort], place, cell)

    def kept(self, which: Flags | Ids) -> Recipients:
        """Some of these, in the same order."""
        return Recipients(self.found.kept(which), self.sorts, self.sort_of[which])

    def first_of_each_sort(self) -> list[Recipient]:
        """One of each language and platform, in the order in which they come."""
        _, first = np.unique(self.sort_of, return_index=True)
        return list(self.kept(np.sort(first)))

    @staticmethod
    def of(every: Sequence[Recipient]) -> Recipients:
        """The columns of a few recipients who are known already."""
        sorts = dict.fromkeys(Sort(one.language, one.platform, one.can_receive) for one in every)
        codes = {sort: code for code, sort in enumerate(sorts)}
        found = Found(
            np.array([one.device_id for one in every], np.int64),
            np.array([NO_PLACE if one.place is None else PLACES.index(one.place) for one in every], np.int64),
            np.array([NO_CELL if one.cell is None else one.cell for one in every], np.int64),
            np.zeros(len(every), np.int64),
        )
        sort_of = [codes[Sort(one.language, one.platform, one.can_receive)] for one in every]
        return Recipients(found, tuple(sorts), np.array(sort_of, np.int64))


def describe(session: Session, found: Found, *, with_places: bool = True) -> Recipients:
    """Looks up the devices, each of which comes once; those that are gone meanwhile are left out.

    `with_places`: the dearest place of those for whom none was known yet, else none.
    """
    ids, words = columns.devices(session, np.sort(found.device_ids))
    codes = {word: code for code, word in enumerate(sorted(set(words)))}
    code_of = np.fromiter(map(codes.__getitem__, words), np.int64, len(words))
    at = np.searchsorted(ids, found.device_ids)
    there = at < len(ids)
    there[there] = ids[at[there]] == found.device_ids[there]
    if not there.all():
        found, at = found.kept(there), at[there]
    unknown = found.places == UNKNOWN_PLACE
    if unknown.any():
        found = _placed(session, found, unknown, with_places)
    return Recipients(found, tuple(_sort(word) for word in codes), code_of[at])


def is_first(device_ids: Ids) -> Flags:
    """Where each device comes for the first time."""
    first = np.zeros(len(device_ids), np.bool_)
    first[np.unique(device_ids, return_index=True)[1]] = True
    return first


def _sort(words: str) -> Sort:
    language, platform, state, wishes = words.split(columns.WORD_END)
    return Sort(language, platform, state == TokenState.ACTIVE, wishes)


def _placed(session: Session, found: Found, unknown: Flags, with_places: bool) -> Found:
    """The dearest place of each device that has one: current before home before work before family."""
    places, cells = found.places.copy(), found.cells.copy()
    places[unknown] = NO_PLACE
    if with_places:
        ids, names, at = columns.places_of(session, np.sort(found.device_ids[unknown]))
        ranks = np.array([PLACES.index(name) for name in names], np.int64)
        order = np.lexsort((ranks, ids))
        order = order[is_first(ids[order])]
        ids, ranks, at = ids[order], ranks[order], at[order]
        where = np.searchsorted(ids, found.device_ids)
        has = unknown & (where < len(ids))
        has[has] = ids[where[has]] == found.device_ids[has]
        places[has], cells[has] = ranks[where[has]], at[where[has]]
    return Found(found.device_ids, places, cells, found.turns)


def _recipient(device_id: int, sort: Sort, place: int, cell: int) -> Recipient:
    return Recipient(device_id, *sort[:3], PLACES[place] if place >= 0 else None, cell if cell != NO_CELL else None)
