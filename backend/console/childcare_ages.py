"""Ages and lengths of time in the form of a programme: 「1歳6か月」 as people write it, 1y6m as it is stored."""

from __future__ import annotations

import re
import unicodedata

from backend.console.language import current, say

_LETTERS = str.maketrans({"歳": "y", "才": "y", "年": "y", "月": "m", "週": "w", "日": "d"})
_JAPANESE = {"y": "年", "m": "か月", "w": "週", "d": "日"}
_ENGLISH = {"y": "year", "m": "month", "w": "week", "d": "day"}


def read(written: str) -> str:
    """「1歳6か月」 or "1 year 6 months" as 1y6m; other writing stays as it is and is refused with its reason."""
    plain = unicodedata.normalize("NFKC", written).replace(" ", "")
    plain = re.sub("(years?|months?|weeks?|days?)", lambda word: word[0][0], plain)
    plain = re.sub("[かヶケカ箇]月", "月", plain).translate(_LETTERS)
    return plain.replace("w間", "w").replace("d間", "d")


def spoken(stored: str, *, age: bool = False) -> str:
    """1y6m as a person says it in the reader's language, which `read` takes back; what is no such code as it is."""
    parts = re.findall("(-?[0-9]+)([ymwd])", stored)
    if not parts or "".join(number + unit for number, unit in parts) != stored:
        return stored
    if current() == "ja":
        units = {**_JAPANESE, "y": "歳"} if age else _JAPANESE
        return "".join(f"{number}{units[unit]}" for number, unit in parts)
    return " ".join(f"{number} {_ENGLISH[unit]}{'' if number == '1' else 's'}" for number, unit in parts)


def end(kind: str, value: str) -> str:
    """One end of a window for people; `value` as it stands in the form."""
    if kind == "grade":
        return say("学年 %(value)s", value=value)
    return say("妊娠%(value)s", value=value) if kind == "pregnancy" else value
