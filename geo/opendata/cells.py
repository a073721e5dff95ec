"""What a cell of a published table means: text, a flag, degrees, a count."""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from typing import Any

from geo.opendata.faults import CellFault
from geo.point import Point, PointError, inside_japan


class Flag(Enum):
    """A mark in a column of suitability. Empty means not suitable, not unknown (標準データセットの定義)."""

    YES = 1
    NO = 0
    CONDITIONAL = 2


# Every mark that is understood; anything else is refused, never guessed.
_FLAGS = {
    **dict.fromkeys(("1", "1.0", "○", "◯", "〇"), Flag.YES),
    **dict.fromkeys(("", "0", "0.0", "×", "✕", "✖", "-", "−", "ー", "―", "‐", "–"), Flag.NO),
    "△": Flag.CONDITIONAL,
}
_DASHES = frozenset("-−ー―‐–－")
# Characters no store or page can carry: controls, and halves of surrogate pairs.
_UNUSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_COUNT = re.compile(r"([0-9]{1,9})(?:\.0+)?\s*[人名]?")
_DMS = re.compile("[°度′'’″\"”]")


def text(value: Any) -> str | None:
    """The cell's text as published, line ends unified and outer spaces (full-width too) gone; None when empty.

    A lone dash stands for nothing. Numbers of GeoJSON become their plain digits. Raises `CellFault`.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise CellFault("not_text", "文字列ではありません")
        value = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    found: str = value.strip()
    if not found or found in _DASHES:
        return None
    if not found.isprintable() and _UNUSABLE.search(found):
        raise CellFault("control_characters", "使えない制御文字が含まれています")
    return found.replace("\r\n", "\n").replace("\r", "\n") if "\r" in found else found


def is_blank(value: Any) -> bool:
    """True for nothing and for spaces alone."""
    return value is None or (isinstance(value, str) and not value.strip())


def flag(value: Any) -> Flag:
    """A mark of suitability. Raises `CellFault` for a mark nobody has defined."""
    if isinstance(value, str):
        known = _FLAGS.get(value)
        if known is None:
            known = _FLAGS.get(unicodedata.normalize("NFKC", value).strip())
    elif value is None:
        known = Flag.NO
    elif isinstance(value, (bool, int, float)) and value in (0, 1):
        known = Flag(int(value))
    else:
        known = None
    if known is None:
        raise CellFault("unknown_flag", "適否の記号として読めません（使えるもの: 1、○、△、×、空欄）")
    return known


def number(value: Any) -> float:
    """A decimal number, full-width digits too. Raises `CellFault`."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise CellFault("not_a_number", "数値が大きすぎます") from None
    if is_blank(value):
        raise CellFault("missing", "空です")
    if not isinstance(value, str):
        raise CellFault("not_a_number", "数値ではありません")
    plain = unicodedata.normalize("NFKC", value).strip().replace("−", "-")
    if _NUMBER.fullmatch(plain):
        return float(plain)
    if _DMS.search(plain) and re.search("[0-9]", plain):
        raise CellFault("not_decimal_degrees", "度分秒ではなく10進の度で記入してください（例 38.268215）")
    raise CellFault("not_a_number", "数値として読めません")


def position(lat: float, lon: float) -> Point:
    """A checked position in Japan. Raises `CellFault` that says what the numbers look like."""
    try:
        return Point.checked(lat, lon)
    except PointError as error:
        if lat != lat or lon != lon or lat - lat != 0 or lon - lon != 0:  # nan, inf
            raise CellFault("not_finite", "緯度・経度が有限の数ではありません") from error
        if inside_japan(lon, lat):
            raise CellFault("looks_swapped", "緯度と経度が入れ替わっているようです（looks swapped）") from error
        if lat == 0 and lon == 0:
            raise CellFault("missing", "緯度・経度がともに0です（未入力の疑い）") from error
        raise CellFault("outside_japan", "日本の外です（北緯20〜46度、東経122〜154度の範囲にありません）") from error


def count(value: Any) -> int | None:
    """A number of persons, None when empty. Raises `CellFault`."""
    written = text(value)
    if written is None:
        return None
    match = _COUNT.fullmatch(unicodedata.normalize("NFKC", written).replace(",", ""))
    if match is None or int(match[1]) > 10_000_000:
        raise CellFault("not_a_count", "人数として読めません")
    return int(match[1])


def elevation(value: Any) -> float | None:
    """Metres above sea level, None when empty. Raises `CellFault` below -100 and above 3,800 metres."""
    if is_blank(value) or (isinstance(value, str) and value.strip() in _DASHES):
        return None
    metres = number(re.sub(r"[mｍ]\s*$", "", value) if isinstance(value, str) else value)
    if not -100 <= metres <= 3800:
        raise CellFault("not_an_elevation", "標高として考えられない値です")
    return metres


def identifier(value: Any) -> str | None:
    """An id as text: width unified, a spreadsheet's `.0` gone. Any text is legal, 200 characters at most."""
    written = text(value)
    if written is None:
        return None
    plain = unicodedata.normalize("NFKC", written)
    if re.fullmatch(r"[0-9]+\.0", plain):
        plain = plain[:-2]
    if len(plain) > 200 or "\n" in plain:
        raise CellFault("not_an_id", "IDとして使えません（200文字まで、改行なし）")
    return plain
