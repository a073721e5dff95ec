"""Named areas: the tree of wards, towns and zones; names, readings and boundaries edited after a look."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask import jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from shapely.geometry.base import BaseGeometry

from backend import clock, journaling
from backend.console import door, edited, garbage_words, history, refusals
from backend.console.corners import CornersError, corners_of, polygon_of
from backend.console.door import page
from backend.console.edited import Wrong
from backend.console.language import mark, say
from backend.errors import of_status
from backend.transaction import session
from content.garbage.areas import GarbageArea, GarbageAreaLink
from content.texts import ENDONYMS
from geo import area_edit, areas, outlines
from geo.areas import Area, AreaError, AreaKind
from geo.geofence import GeofenceError, area_km2, polygon_from_geojson, to_geojson
from geo.point import Point, distance_m

KIND = "area"
MOST_FOUND, MOST_BELOW = 60, 400
MOST_CORNERS = 400  # that are written out for editing
KINDS = {
    "prefecture": mark("都道府県"),
    "city": mark("市町村"),
    "ward": mark("区"),
    "town": mark("町・丁目"),
    "zone": mark("そのほかの区域"),
}
LABELS = {
    "name": mark("名前"), "name_kana": mark("読み"), "names": mark("ほかの言語の名前"), "boundary": mark("境界"),
}  # fmt: skip
MOST_DRAWN = 2_000  # corners on the map of a boundary that is looked at before it is saved


@dataclass(slots=True)
class Typed:
    """What stands in the form's fields."""

    said: dict[str, Any] = field(default_factory=dict)
    corners: str = ""
    plus: str = ""
    minus: str = ""
    seen: str = ""
    previewed: str = ""


@page("/areas", "read", name="areas")
def listed() -> ResponseReturnValue:
    """The tree from the top, or what was searched for."""
    q = request.args.get("q", "")[:100]
    if q.strip():
        return _show("areas.html", q=q, found=areas.find(session(), q, limit=MOST_FOUND), tops=[])
    present = sa.select(Area).where(Area.withdrawn_at.is_(None))
    known = sa.select(Area.code).where(Area.withdrawn_at.is_(None))
    tops = present.where(sa.or_(Area.parent_code.is_(None), Area.parent_code.not_in(known))).order_by(Area.code)
    wide = present.where(Area.kind.in_([AreaKind.CITY.value, AreaKind.WARD.value, AreaKind.ZONE.value]))
    below: dict[str, list[Area]] = {}
    for area in session().scalars(wide.order_by(Area.kind, Area.code).limit(MOST_BELOW)):
        below.setdefault(area.parent_code or "", []).append(area)
    return _show("areas.html", q=q, found=[], tops=list(session().scalars(tops.limit(MOST_BELOW))), below=below)


@page("/areas/<code>", "read", name="area_one")
def look(code: str) -> ResponseReturnValue:
    """One area: where it lies, what lies below it, its postcodes, calendars and boundary."""
    area = _one(code)
    above: list[Area] = []
    while (
        (last := (above[-1] if above else area).parent_code) and len(above) < 5 and (up := areas.get(session(), last))
    ):
        above.append(up)
    linked = sa.select(GarbageAreaLink.area_id).where(
        GarbageAreaLink.kind == "area", GarbageAreaLink.value == area.code
    )
    calendars = sa.select(GarbageArea).where(GarbageArea.id.in_(linked), GarbageArea.withdrawn_at.is_(None))
    return _show(
        "area.html", area=area, above=above[::-1], below=areas.children(session(), area.code, limit=MOST_BELOW),
        postcodes=area_edit.postcodes_of(session(), area), calendars=list(session().scalars(calendars)),
        facts=_facts(area_edit.shape_of(area)), endonyms=ENDONYMS,
    )  # fmt: skip


@page("/areas/<code>/boundary", "read", name="area_boundary")
def boundary(code: str) -> ResponseReturnValue:
    """The boundary as GeoJSON, for a map or to keep."""
    area = _one(code)
    if area.geometry is None:
        raise of_status(404)
    return jsonify(area.geometry)


@page("/areas/<code>/edit", "shape", name="area_edit")
def edit(code: str) -> ResponseReturnValue:
    """The form of an area."""
    area = _one(code)
    body = area_edit.body(area)
    return _form(area, Typed(body, seen=edited.mark_of(body)))


@page("/areas/<code>/edit", "shape", post=True, name="area_save")
def save(code: str) -> ResponseReturnValue:
    """Shows what would change of a boundary, or keeps the area."""
    edited.turn()
    area = _one(code)
    before, typed = area_edit.body(area), _read(area_edit.body(area))
    try:
        drawn = _drawn(typed)
        if drawn is not None:
            typed.said["boundary"] = json.dumps(to_geojson(drawn), separators=(",", ":"))
        after = area_edit.drawn_of(typed.said["boundary"])
    except (CornersError, GeofenceError, AreaError) as error:
        words = str(error) if isinstance(error, CornersError) else refusals.reason(str(error))
        return _form(area, typed, [("corners", say(LABELS["boundary"]), words)], 422)
    if not typed.said["name"]:
        return _form(area, typed, [("name", say(LABELS["name"]), say("名前を書いてください。"))], 422)
    for language, name in typed.said["names"].items():
        try:
            areas.read_names({language: name})
        except ValueError:
            words = say("ほかの言語の名前は、一行で200文字までにしてください。")
            return _form(area, typed, [(f"names.{language}", say(LABELS["names"]), words)], 422)
    if other := edited.stale(KIND, area.code, typed, before, LABELS):
        return _form(area, typed, **other)
    mark_now = edited.mark_of({"boundary": typed.said["boundary"]})
    if typed.said["boundary"] != before["boundary"] and typed.previewed != mark_now:
        journaling.nothing()
        typed.previewed = mark_now
        drawn_after = outlines.for_screen([after], MOST_DRAWN)[0] if after is not None else None
        return _form(area, typed, compared=(_facts(area_edit.shape_of(area)), _facts(after)), after=drawn_after)
    area_edit.save(session(), area, typed.said, clock.now())
    edited.keep(KIND, area.code, area.name, before, area_edit.body(area))
    door.tell(say("「%(name)s」を保存しました。", name=area.name))
    return redirect(url_for("console.area_one", code=area.code), 303)


@page("/areas/<code>/history", "read", name="area_history")
def area_history(code: str) -> ResponseReturnValue:
    """Who changed an area, and how."""
    area = _one(code)
    restore = edited.way_back("area_restore", "shape", code=area.code)
    back = url_for("console.area_one", code=area.code)
    return history.history_page(
        KIND, area.code, area.name, back, restore, labels=LABELS, words=_words, section="console.areas"
    )


@page("/areas/<code>/restore/<int:number>", "shape", post=True, name="area_restore")
def restore(code: str, number: int) -> ResponseReturnValue:
    """Brings back an old state."""
    edited.turn()
    area = _one(code)
    edited.bring_back(
        KIND, area.code, number, area.name, lambda: area_edit.body(area),
        lambda old: area_edit.save(session(), area, old, clock.now()),
    )  # fmt: skip
    return redirect(url_for("console.area_history", code=area.code), 303)


def _read(before: dict[str, Any]) -> Typed:
    form = request.form
    said: dict[str, Any] = {name: form.get(name, "").strip() for name in ("name", "name_kana")}
    written = {name[6:]: form[name].strip() for name in form if name.startswith("names.")}
    said["names"] = {language: name for language, name in written.items() if name}
    said["boundary"] = form.get("boundary", "") or before["boundary"]
    if "no_boundary" in form:
        said["boundary"] = ""
    plain = {name: form.get(name, "").replace("\r\n", "\n").strip() for name in ("corners", "plus", "minus")}
    return Typed(said, **plain, seen=form.get("seen", ""), previewed=form.get("previewed", ""))


def _drawn(typed: Typed) -> BaseGeometry | None:
    """The boundary that was given anew: a file, else corners, else other areas put together; None for none of them."""
    file = request.files.get("file")
    if file is not None and file.filename and (data := file.read()):
        return area_edit.from_file(data)
    if typed.corners:
        polygon = polygon_of(typed.corners)
        return polygon_from_geojson(polygon) if polygon is not None else None
    if typed.plus:
        codes = (filter(None, re.split(r"[\s,、]+", one)) for one in (typed.plus, typed.minus))
        return area_edit.composed(session(), *codes)
    return None


def _facts(drawn: BaseGeometry | None) -> dict[str, Any] | None:
    if drawn is None or drawn.is_empty:
        return None
    polygon = to_geojson(drawn)
    written = corners_of(polygon)
    many = sum(len(ring) - 1 for part in _parts(polygon) for ring in part)
    west, south, east, north = drawn.bounds
    middle = (south + north) / 2
    wide, high = (distance_m(Point(*a), Point(*b)) / 1000 for a, b in (
        ((middle, west), (middle, east)), ((south, west), (north, west))
    ))  # fmt: skip
    return {"km2": round(area_km2(drawn), 3), "corners": many, "parts": len(_parts(polygon)),
            "wide": wide, "high": high,
            "written": written if written and many <= MOST_CORNERS else None}  # fmt: skip


def _parts(polygon: dict[str, Any]) -> list[Any]:
    return [polygon["coordinates"]] if polygon["type"] == "Polygon" else list(polygon["coordinates"])


def _words(path: str, value: Any) -> str | None:
    """A stored boundary for people, for the history."""
    if path != "boundary":
        return None
    facts = _facts(area_edit.drawn_of(str(value)))
    return say("%(km2)s km²、角 %(corners)s", km2=facts["km2"], corners=facts["corners"]) if facts else None


def _form(
    area: Area, typed: Typed, wrong: Wrong | tuple[()] = (), status: int = 200, **more: Any
) -> ResponseReturnValue:
    return _show(
        "area_form.html", status, area=area, typed=typed, wrong=wrong, facts=_facts(area_edit.shape_of(area)),
        endonyms=ENDONYMS, written=areas.LANGUAGES, **more,
    )  # fmt: skip


def _show(template: str, status: int = 200, **values: Any) -> tuple[str, int]:
    more = {"KINDS": KINDS, "LABELS": LABELS, "section": "console.areas", "say": garbage_words}
    return render_template(f"console/{template}", **more, **values), status


def _one(code: str) -> Area:
    found = areas.get(session(), code)
    if found is None:
        raise of_status(404)
    return found
