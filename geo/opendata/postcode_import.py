"""日本郵便's list of postcodes (KEN_ALL, UTF-8 or classic Shift_JIS) into the store, and its readings to areas."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geo.areas import Area, AreaKind, search_key, without_chome
from geo.municipality import MunicipalityError, designated_city_of, five_digits
from geo.opendata.encoding import MAX_BYTES, decodings
from geo.opendata.faults import OpenDataError
from geo.opendata.report import Report
from geo.opendata.sheet import csv_rows
from geo.opendata.turn import take_turn
from geo.postcodes import Postcode
from geo.sites import bump_revision

_WIDTH = 15
_CODE, _POSTCODE, _CITY_KANA, _TOWN_KANA, _PREFECTURE, _CITY, _TOWN = 0, 2, 4, 5, 6, 7, 8
_NOT_A_TOWN = re.compile("^以下に掲載がない場合$|の次に.*番地がくる場合$")
_CHUNK = 500
Town = tuple[str, str, str]  # (postcode, municipality, town)


@dataclass(frozen=True, slots=True)
class Entry:
    """One town of the list, put together from the several lines that the classic file may spread it over."""

    line: int
    postcode: str
    municipality: str
    city: str
    city_kana: str
    town: str
    town_kana: str


def import_postcodes(
    session: Session, data: bytes, *, dry_run: bool = False, skip_refused: bool = False, max_bytes: int = MAX_BYTES
) -> Report:
    """Brings the postcodes of every municipality in the file to what it says, in the caller's transaction.

    The list is complete for each municipality it names: what it no longer lists goes. Areas
    without a reading get theirs. Raises `OpenDataError` for a file that is no such list.
    """
    encoding, text = _opened(data, max_bytes)
    report = Report("ken-all", "日本郵便 郵便番号データ（KEN_ALL）", encoding, dry_run=dry_run, sources=["ken-all"])
    found = list(_entries(text, report))
    wanted: dict[Town, str] = {}
    for one in found:
        key = (one.postcode, one.municipality, one.town)
        if not wanted.get(key):
            wanted[key] = one.town_kana
    if not dry_run:
        take_turn(session)
    stored = _stored(session, {one.municipality for one in found})
    new = [key for key in wanted if key not in stored]
    gone = [stored[key][0] for key in stored if key not in wanted]
    reread = [(stored[key][0], kana) for key, kana in wanted.items() if key in stored and stored[key][1] != kana]
    report.added, report.withdrawn, report.changed = len(new), len(gone), len(reread)
    report.unchanged = len(wanted) - len(new) - len(reread)
    for postcode, _, town in new:
        report.differs("added", postcode, town)
    for key in (key for key, kana in wanted.items() if key in stored and stored[key][1] != kana):
        before, after = {"town_kana": stored[key][1]}, {"town_kana": wanted[key]}
        report.differs("changed", key[0], key[2], before, after)
    for postcode, _, town in (key for key in stored if key not in wanted):
        report.differs("withdrawn", postcode, town)
    if report.refused_rows and not skip_refused:
        report.why_not = f"拒否した行が{report.refused_rows:,}行あるため、何も変えません"
    report.applied = report.why_not is None and not dry_run
    if not report.applied:
        return report
    for start in range(0, len(gone), _CHUNK):
        session.execute(sa.delete(Postcode).where(Postcode.id.in_(gone[start : start + _CHUNK])))
    if reread:
        changed = sa.update(Postcode).where(Postcode.id == sa.bindparam("b_id")).values(town_kana=sa.bindparam("kana"))
        # On the table itself: the mapped class would take the list for an update by primary key.
        session.connection().execute(changed, [{"b_id": at, "kana": kana} for at, kana in reread])
    if new:
        columns = ("postcode", "municipality_code", "town")
        rows = [{**dict(zip(columns, key, strict=True)), "town_kana": wanted[key]} for key in new]
        session.execute(sa.insert(Postcode), rows)
    read = _give_readings(session, found)
    if read:
        report.warn(None, "readings", f"読みを補った区域: {read:,}")
    if read or report.writes:
        session.expire_all()
        bump_revision(session, "areas")
    return report


def _opened(data: bytes, max_bytes: int) -> tuple[str, str]:
    for encoding, text in decodings(data, max_bytes):
        first = next((cells for _, cells in csv_rows(text.lstrip("\ufeff")) if cells), [])
        if len(first) == _WIDTH and re.fullmatch("[0-9]{4,5}", first[_CODE]) and re.fullmatch("[0-9]{6,7}", first[2]):
            return encoding, text
    raise OpenDataError("unknown_format", "日本郵便の郵便番号データ（見出しのない15列のCSV）ではありません")


def _entries(text: str, report: Report) -> Iterator[Entry]:
    open_entry: tuple[int, list[str]] | None = None  # a town whose bracket is still open: it goes on below
    for line, cells in csv_rows(text.lstrip("\ufeff")):
        report.read += 1
        if not any(cell.strip() for cell in cells):
            report.blank += 1
            continue
        if len(cells) != _WIDTH:
            _refuse(report, line, None, None, "wrong_width", f"{_WIDTH}列ではなく{len(cells)}列です")
            continue
        if open_entry is not None:
            first = open_entry[1]
            if (cells[_CODE], cells[_POSTCODE]) != (first[_CODE], first[_POSTCODE]):
                _refuse(report, open_entry[0], "町域名", first[_TOWN], "open_bracket", "括弧が閉じていません")
                open_entry = None
            else:
                first[_TOWN] += cells[_TOWN]
                first[_TOWN_KANA] += cells[_TOWN_KANA]
        if open_entry is None:
            open_entry = (line, cells)
        if open_entry[1][_TOWN].count("（") > open_entry[1][_TOWN].count("）"):
            continue
        (begun, whole), open_entry = open_entry, None
        entry = _entry(begun, whole, report)
        if entry is not None:
            yield entry
    if open_entry is not None:
        begun, whole = open_entry
        _refuse(report, begun, "町域名", whole[_TOWN], "open_bracket", "括弧が閉じていません（途中で切れている疑い）")


def _entry(line: int, cells: list[str], report: Report) -> Entry | None:
    postcode = cells[_POSTCODE].strip().zfill(7)
    if not re.fullmatch("[0-9]{7}", postcode):
        _refuse(report, line, "郵便番号", postcode, "not_a_postcode", "7桁の数字ではありません")
        return None
    try:
        municipality = five_digits(cells[_CODE].strip().zfill(5), cells[_PREFECTURE])
    except MunicipalityError as error:
        _refuse(report, line, "全国地方公共団体コード", cells[_CODE], error.code, str(error))
        return None
    if unusable := next((cell for cell in cells if "\0" in cell), None):
        _refuse(report, line, None, unusable, "control_characters", "使えない制御文字が含まれています")
        return None
    town, kana = _town(cells[_TOWN], cells[_TOWN_KANA], cells[_CITY])
    return Entry(line, postcode, municipality, cells[_CITY].strip(), _wide(cells[_CITY_KANA]), town, kana)


def _town(written: str, kana: str, city: str) -> tuple[str, str]:
    """The town itself: notes in brackets and the phrases that stand for "everything else" are no part of it."""
    town = written.partition("（")[0].strip()
    reading = _wide(kana).partition("(")[0].strip()
    # 「利島村一円」 is the whole village; 「一円」 alone is the name of a real town.
    if _NOT_A_TOWN.search(written) or (town.endswith("一円") and town != "一円" and city.endswith(town[:-2])):
        return "", ""
    return town, reading


def _wide(kana: str) -> str:
    return unicodedata.normalize("NFKC", kana).strip()


def _stored(session: Session, municipalities: set[str]) -> dict[Town, tuple[int, str]]:
    stored: dict[Town, tuple[int, str]] = {}
    names = sorted(municipalities)
    for start in range(0, len(names), _CHUNK):
        wanted = sa.select(
            Postcode.id, Postcode.postcode, Postcode.municipality_code, Postcode.town, Postcode.town_kana
        ).where(Postcode.municipality_code.in_(names[start : start + _CHUNK]))
        for one in session.execute(wanted):
            stored[(one.postcode, one.municipality_code, one.town)] = (one.id, one.town_kana)
    return stored


def _give_readings(session: Session, found: list[Entry]) -> int:
    """Readings for areas that have none; a town whose name is read in two ways in one municipality gets none."""
    towns: dict[tuple[str, str], set[str]] = {}
    cities: dict[str, tuple[str, str]] = {}
    for one in found:
        if one.town and one.town_kana:
            towns.setdefault((one.municipality, search_key(one.town)), set()).add(one.town_kana)
        cities[one.municipality] = (one.city, one.city_kana)
    given = 0
    kinds = (AreaKind.TOWN.value, AreaKind.CITY.value, AreaKind.WARD.value)
    unread = sa.select(Area).where(Area.name_kana.is_(None), Area.kind.in_(kinds))
    for area in session.scalars(unread):
        if area.kind == AreaKind.TOWN.value:
            kana = _town_reading(area, towns)
        else:
            kana = _city_reading(area.code, *cities.get(area.code, ("", "")))
        if kana:
            area.name_kana = kana
            given += 1
    session.flush()
    return given


def _town_reading(area: Area, towns: dict[tuple[str, str], set[str]]) -> str | None:
    own = towns.get((area.parent_code or "", area.search_name))
    if own is not None and len(own) == 1:
        return next(iter(own))
    base = without_chome(area.search_name)
    shared = towns.get((area.parent_code or "", base))
    if base == area.search_name or shared is None or len(shared) != 1:
        return None
    number = area.search_name.removeprefix(base).removesuffix("丁目")
    return f"{next(iter(shared))}{number}チョウメ"


def _city_reading(code: str, city: str, kana: str) -> str | None:
    above = designated_city_of(code) if code else None
    if above is not None and city.startswith(above[1]):
        kana = kana.removeprefix(above[2])
    return re.sub("^.+グン(?=.)", "", kana) if re.search("郡.+[町村]$", city) else kana


def _refuse(report: Report, line: int, column: str | None, value: str | None, code: str, reason: str) -> None:
    report.refuse(line, column, value, code, reason)
    report.refused_rows += 1
