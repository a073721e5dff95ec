"""How a newcomer finds the area: ward, beginning of the reading, town, block; only as many questions as needed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import jaconv

from content.garbage.areas import GarbageArea
from geo.areas import search_key

FEW_TOWNS = 12  # that many fit on a screen: no question about the reading before
_ELSE = re.compile("上記以外|その他|以外")


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to the next question: the value to ask with, and how many areas it leaves."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask next: `ward`, `reading` or `town`; None when the areas themselves are the choice."""

    by: str | None
    choices: tuple[Choice, ...] = ()


def ordered(areas: Iterable[GarbageArea]) -> list[GarbageArea]:
    """Wards as their list has them, towns by reading where there is one, 「上記以外」 last in its town."""
    found = list(areas)
    wards: dict[tuple[str, str], int] = {}
    towns: dict[tuple[str, str, str], int] = {}
    for area in sorted(found, key=lambda area: (area.source, area.position, area.id)):
        wards.setdefault((area.source, area.ward), len(wards))
        towns.setdefault((area.source, area.ward, area.town), len(towns))

    def place(area: GarbageArea) -> tuple[object, ...]:
        town = towns[(area.source, area.ward, area.town)]
        rest = _ELSE.search(area.block) is not None
        return wards[(area.source, area.ward)], area.reading == "", area.reading, town, rest, area.position, area.id

    return sorted(found, key=place)


def narrowed(
    areas: Iterable[GarbageArea],
    *,
    ward: str | None = None,
    reading: str | None = None,
    town: str | None = None,
    q: str | None = None,
) -> list[GarbageArea]:
    """The areas that fit every answer given, in order; `q` is a part of a name, the ward may stand before it."""
    found = ordered(areas)
    if ward is not None:
        found = [area for area in found if area.ward == ward]
    if reading is not None:
        kana = katakana(reading)
        found = [area for area in found if area.reading.startswith(kana)]
    if town is not None:
        found = [area for area in found if area.town == town]
    if q is not None:
        found = _matching(found, q)
    return found


def question(areas: Sequence[GarbageArea], asked: Iterable[str]) -> Question:
    """The next question for these areas, given what was asked already."""
    known = set(asked)
    wards = _counted(area.ward for area in areas)
    if "ward" not in known and len(wards) > 1:
        return Question("ward", wards)
    towns = _counted(area.town for area in areas)
    heads = _counted(jaconv.kata2hira(area.reading[:1]) for area in areas if area.reading)
    read = sum(choice.count for choice in heads) == len(areas)
    if known.isdisjoint({"reading", "town", "q"}) and len(towns) > FEW_TOWNS and len(heads) > 1 and read:
        return Question("reading", heads)
    if "town" not in known and len(towns) > 1:
        return Question("town", towns)
    return Question(None)


def katakana(text: str) -> str:
    """A reading in either kana, of any width, as full-width katakana."""
    return str(jaconv.hira2kata(unicodedata.normalize("NFKC", text))).strip()


def _matching(areas: Sequence[GarbageArea], q: str) -> list[GarbageArea]:
    key, kana = search_key(q), katakana(q)
    ranked = []
    for area in areas:
        name = search_key(area.name)
        ward = search_key(area.ward)
        rest = key.removeprefix(ward) if ward else key
        if name == rest or search_key(area.town) == rest:
            ranked.append((0, area))
        elif name.startswith(rest) or (area.reading and kana and area.reading.startswith(kana)):
            ranked.append((1, area))
        elif rest and rest in name:
            ranked.append((2, area))
    return [area for _, area in sorted(ranked, key=lambda pair: pair[0])]


def _counted(values: Iterable[str]) -> tuple[Choice, ...]:
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return tuple(Choice(value, count) for value, count in counts.items())
