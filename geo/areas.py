"""Named parts of the city: wards, towns, zones; found by name, by reading, by postcode; their boundaries."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import jaconv
import shapely
import sqlalchemy as sa
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, Json, UtcDateTime
from geo import postcodes
from geo.municipality import check_digit

# The languages that exports have a column for and forms ask for: those of content.texts, a storey above, but Japanese.
LANGUAGES = ("ja-x-easy", "en", "zh-Hans", "ko")
NAME_MAX = 200
_TAG = re.compile("[a-z]{2}(-[A-Za-z0-9]{1,8}){0,3}")


class AreaKind(StrEnum):
    """What a named part is; a zone is anything with a boundary of its own (a branch office's area, a hazard zone)."""

    PREFECTURE = "prefecture"
    CITY = "city"  # 市町村
    WARD = "ward"  # 区
    TOWN = "town"  # 町字・丁目
    ZONE = "zone"


class AreaError(LookupError):
    """An area is unknown or has no boundary; `area_code` names it."""

    def __init__(self, area_code: str, message: str) -> None:
        super().__init__(message)
        self.area_code = area_code


class Area(Base):
    """One named part. Municipalities have five-digit codes, towns "04103-荒井", zones what their file says."""

    __tablename__ = "areas"
    __table_args__ = (sa.Index(None, "parent_code", "kind"), sa.Index(None, "search_name"))

    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    kind: Mapped[str] = mapped_column(sa.Text)
    name: Mapped[str] = mapped_column(sa.Text)
    name_kana: Mapped[str | None] = mapped_column(sa.Text)  # full-width katakana
    names: Mapped[dict[str, str]] = mapped_column(Json, default=dict, server_default=sa.text("'{}'"))  # other languages
    search_name: Mapped[str] = mapped_column(sa.Text)  # `search_key(name)`
    parent_code: Mapped[str | None] = mapped_column(sa.Text)
    lat: Mapped[float | None] = mapped_column(sa.Float(53))  # a point inside, or the town's published centre
    lon: Mapped[float | None] = mapped_column(sa.Float(53))
    geometry: Mapped[dict[str, Any] | None] = mapped_column(Json)  # GeoJSON Polygon or MultiPolygon
    source: Mapped[str] = mapped_column(sa.Text)
    licence: Mapped[str | None] = mapped_column(sa.Text)
    as_of: Mapped[dt.date | None] = mapped_column(sa.Date)
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


def read_names(given: Mapping[str, str | None]) -> dict[str, str]:
    """Names in other languages by language tag as they are stored: one line each, the empty ones left out.

    Raises ValueError for what is no tag of a language, and for a name that is too long or unprintable.
    """
    found: dict[str, str] = {}
    for tag, said in given.items():
        name = unicodedata.normalize("NFC", said or "").strip()
        if not _TAG.fullmatch(tag) or tag == "ja" or len(name) > NAME_MAX or not name.isprintable():
            raise ValueError(f"no name for an area in another language: {tag}: {name[:40]!r}")
        if name:
            found[tag] = name
    return found


_LETTERS = str.maketrans("ヶヵ之乃ノ", "ケカののの")
_KANJI_DIGITS = {char: value for value, char in enumerate("〇一二三四五六七八九")}
_CHOME = re.compile("([〇一二三四五六七八九十]+)丁目")


def search_key(name: str) -> str:
    """A place name without what varies in writing: width, spaces, ヶ/ケ, ノ/の, 大字, numerals of 丁目."""
    plain = "".join(unicodedata.normalize("NFKC", name).split()).translate(_LETTERS)
    plain = plain.removeprefix("大字").removeprefix("字")
    return _CHOME.sub(lambda match: f"{_kanji_number(match[1])}丁目", plain)


def without_chome(key: str) -> str:
    """A search key without its 丁目: the town that postcodes and readings are published for."""
    return re.sub("[0-9]+丁目$", "", key)


def canonical_code(code: str) -> str:
    """Municipality codes with their check digit become the five digits areas are stored under."""
    code = unicodedata.normalize("NFKC", code).strip()
    if len(code) == 6 and code.isascii() and code.isdecimal() and check_digit(code[:5]) == code[5]:
        return code[:5]
    return code


def get(session: Session, code: str) -> Area | None:
    """The present area of a code (municipalities with five or six digits), or None."""
    area = session.get(Area, canonical_code(code)) if "\0" not in code else None  # no store knows a NUL
    return area if area is not None and area.withdrawn_at is None else None


def children(
    session: Session,
    code: str | None,
    reading_prefix: str | None = None,
    after: str | None = None,
    limit: int = 200,
    *,
    kind: AreaKind | None = None,
) -> Sequence[Area]:
    """Areas directly below `code` (all areas when None), in the order of their readings, then of their codes.

    `reading_prefix` is the beginning of a reading in either kana; `after` the code the last page ended with.
    """
    if "\0" in f"{code}{reading_prefix}{after}":
        return ()
    wanted = sa.select(Area.code, Area.name_kana).where(Area.withdrawn_at.is_(None))
    if code is not None:
        wanted = wanted.where(Area.parent_code == canonical_code(code))
    if kind is not None:
        wanted = wanted.where(Area.kind == AreaKind(kind).value)
    if reading_prefix:
        wanted = wanted.where(Area.name_kana.startswith(_katakana(reading_prefix), autoescape=True))
    # Ordered here and not by the store: a city has few, 丁目 count up, and collations differ.
    places = {one.code: _place_in_order(one.code, one.name_kana) for one in session.execute(wanted)}
    if after is not None:
        last = session.get(Area, after)
        begun = _place_in_order(after, last.name_kana if last is not None else None)
        places = {one: place for one, place in places.items() if place > begun}
    page = sorted(places, key=places.__getitem__)[:limit]
    found = {area.code: area for area in session.scalars(sa.select(Area).where(Area.code.in_(page)))}
    return [found[one] for one in page]


def find(session: Session, text: str, limit: int = 20) -> Sequence[Area]:
    """Areas whose name or reading begins with `text`, the best first: exact names before longer ones.

    Names of the prefecture, city and ward may stand before it: 「仙台市若林区荒井一丁目」, 「荒井」, 「あらい」.
    """
    rest = search_key(text.replace("\0", " "))
    inside: list[str] = []
    while above := _named_before(session, rest, inside):
        rest, inside = rest.removeprefix(above[0].search_name), [area.code for area in above]
    if not rest:
        return ()
    wanted = _present_in(inside).where(
        sa.or_(
            Area.search_name.startswith(rest, autoescape=True),
            Area.name_kana.startswith(_katakana(rest), autoescape=True),
        )
    )
    exact = sa.case((Area.search_name == rest, 0), else_=1)
    return session.scalars(wanted.order_by(exact, sa.func.length(Area.name), Area.code).limit(limit)).all()


def by_postcode(session: Session, postcode: str) -> Sequence[Area]:
    """The towns a postcode stands for, every 丁目 of them, or their municipality where no town is known.

    Empty for text that is no postcode and for a postcode nobody has imported.
    """
    seven = postcodes.digits(postcode)
    found: dict[str, Area] = {}
    for entry in postcodes.entries(session, seven) if seven else ():
        key = search_key(entry.town)
        towns = sa.select(Area).where(
            Area.withdrawn_at.is_(None),
            Area.kind == AreaKind.TOWN.value,
            Area.parent_code == entry.municipality_code,
            Area.search_name.startswith(key, autoescape=True),
        )
        same = [
            town
            for town in (session.scalars(towns.order_by(Area.name_kana, Area.code)) if key else ())
            if without_chome(town.search_name) == key or town.search_name == key
        ]
        same.sort(key=lambda town: _place_in_order(town.code, town.name_kana))
        above = get(session, entry.municipality_code)
        for area in same or ([above] if above is not None else []):
            found.setdefault(area.code, area)
    return list(found.values())


def geometry_of(session: Session, codes: Iterable[str]) -> list[BaseGeometry]:
    """The boundaries of areas, in the order asked for, ready for `geo.geofence.compose`.

    Raises `AreaError` naming a code that is unknown, withdrawn, or has no boundary: an order must
    never reach fewer people than it names.
    """
    shapes: list[BaseGeometry] = []
    for code in codes:
        area = get(session, code)
        if area is None:
            raise AreaError(code, f"there is no area {code!r}")
        if area.geometry is None:
            raise AreaError(code, f"area {code!r} ({area.name}) has no boundary")
        shapes.append(shapely.make_valid(shape(area.geometry)))
    return shapes


def _named_before(session: Session, text: str, inside: list[str]) -> Sequence[Area]:
    """The prefectures, cities or wards with the longest name that stands before something more in `text`."""
    above = (AreaKind.PREFECTURE.value, AreaKind.CITY.value, AreaKind.WARD.value)
    wanted = _present_in(inside).where(
        Area.kind.in_(above), sa.literal(text).startswith(Area.search_name), Area.search_name != text
    )
    found = session.scalars(wanted.order_by(sa.func.length(Area.search_name).desc(), Area.code)).all()
    return [area for area in found if area.search_name == found[0].search_name]


def _present_in(inside: list[str]) -> sa.Select[Any]:
    """Areas that are not withdrawn, below these codes or one step further down; everywhere when there are none."""
    wanted = sa.select(Area).where(Area.withdrawn_at.is_(None))
    if inside:
        below = sa.select(Area.code).where(Area.parent_code.in_(inside))
        wanted = wanted.where(sa.or_(Area.parent_code.in_(inside), Area.parent_code.in_(below)))
    return wanted


def _place_in_order(code: str, kana: str | None) -> tuple[bool, str, str]:
    """Where an area stands in a list: by reading with its numbers counted up, those without a reading last."""
    counted = re.sub("[0-9]+", lambda number: number[0].zfill(4), kana or "")
    return kana is None, counted, code


def _katakana(text: str) -> str:
    return str(jaconv.hira2kata(unicodedata.normalize("NFKC", text)))


def _kanji_number(text: str) -> int:
    """A numeral up to ninety-nine: 三, 十, 十二, 二十一."""
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return int("".join(str(_KANJI_DIGITS[char]) for char in text))
    return (_KANJI_DIGITS.get(tens, 1)) * 10 + _KANJI_DIGITS.get(ones, 0)
