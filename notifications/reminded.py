"""Those who asked to be reminded of something at an hour: a part of an audience."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from notifications.attributes import Lookup


@dataclass(frozen=True, slots=True)
class Reminded:
    """Those who asked to be reminded: `wants` are (choice of categories, collection areas) of an hour.

    `slot` None: whatever hour they asked for. `born`: those who want the dates of children born in this month, at
    minute `slot` of the day, with the programmes of `area`.
    """

    slot: int | None
    wants: tuple[tuple[str, tuple[int, ...]], ...] = ()
    born: str | None = None
    area: str = ""
    among_told: tuple[int, ...] = ()  # only those told one of these messages
    not_told: tuple[int, ...] = ()  # none of those told one of these

    def lookup(self) -> Lookup:
        """What is looked up for them."""
        if self.born is not None:
            return Lookup("child_dates", (self.born,), self.slot, area=self.area)
        keys = tuple((area, chosen) for chosen, areas in self.wants for area in areas)
        return Lookup("garbage_choices" if self.slot is None else "garbage_days", keys, self.slot)

    @staticmethod
    def from_json(stored: dict[str, Any]) -> Reminded:
        """Reads the frozen form, which leaves out what is empty."""
        return Reminded(
            slot=stored.get("slot"),
            wants=tuple((chosen, tuple(areas)) for chosen, areas in stored.get("wants", ())),
            born=stored.get("born"),
            area=stored.get("area", ""),
            among_told=tuple(stored.get("among_told", ())),
            not_told=tuple(stored.get("not_told", ())),
        )
