"""The line about the nearest shelters that dispatch adds for each group of phones."""

from __future__ import annotations

from collections.abc import Sequence

from content.texts import LANGUAGES
from geo.hazards import Hazard
from notifications.wording.templates import STATUSES, language_file

NAME_LONG = 24
NAME_LONG_LATIN = 44


def shelter_line(
    language: str,
    shelters: Sequence[tuple[str, float | None, str | None]],
    *,
    hazard: Hazard | str | None = None,
) -> str:
    """One line naming shelters as (name, straight-line metres or None, status), nearest suitable first.

    A status is one of geo.sites' (None is unknown); unknown and preparing are said, and that the place may
    not be open. Without shelters the line says so and what to do instead for this hazard. An unknown
    language is answered in Japanese. Raises ValueError for an unknown status or a distance that is none.
    """
    file = language_file(language if language in LANGUAGES else "ja")
    words = file["shelters"]
    if not shelters:
        alternative = file["hazards"][Hazard(hazard).value]["alternative"] if hazard else words["anything"]
        return str(words["none"]).format(alternative=alternative)
    items, doubtful = [], False
    for name, distance_m, status in shelters:
        status = status or "unknown"
        if status not in STATUSES:
            raise ValueError(f"{status!r} is no opening status; one of {', '.join(STATUSES)}")
        doubtful = doubtful or status != "open"
        details = [] if distance_m is None else [words["about"].format(distance=distance(distance_m, words["gap"]))]
        details.append(file["statuses"][status])
        items.append(words["item"].format(name=_short(name), details=words["joint"].join(details)))
    line = f"{words['heading']}{words['separator'].join(items)}{words['end']}"
    return line + words["unconfirmed"] if doubtful else line


def distance(metres: float, gap: str = "") -> str:
    """A distance as people say it, with a gap before the unit: tens of metres, from one kilometre tenths of one."""
    if not 0 <= metres < 20_000_000:
        raise ValueError(f"{metres!r} is no distance in metres")
    tens = max(10, round(metres / 10) * 10)
    if tens < 1_000:
        return f"{tens}{gap}m"
    return f"{metres / 1_000:.1f}{gap}km" if metres < 9_950 else f"{metres / 1_000:.0f}{gap}km"


def _short(name: str) -> str:
    longest = NAME_LONG_LATIN if name.isascii() else NAME_LONG
    return name if len(name) <= longest else name[: longest - 1].rstrip() + "…"
