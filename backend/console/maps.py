"""/console/map: what maps draw from our own data, and what a page needs for a map. Outlines are for looking only."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import orjson
import sqlalchemy as sa
from flask import Response, current_app, g, request
from flask.typing import ResponseReturnValue
from shapely.geometry import shape

from backend import clock
from backend.config import settings
from backend.console import alert_sight, assets
from backend.console.door import desk, page
from backend.errors import of_status
from backend.transaction import session
from geo import areas, outlines, sites
from geo.areas import Area, AreaKind
from geo.hazards import Hazard, hazards_in
from geo.sites import Site, SiteKind, SiteStatus
from notifications import alerts, dangers, reach
from notifications.alerts import Alert
from notifications.dangers import DangerArea

# Corners a layer has at most: the page of an alert with its map must stay below 150 KB, Leaflet included.
CORNERS = {"wards": 2_000, "zones": 2_500, "towns": 4_000, "areas": 2_000, "area": 1_500, "dangers": 1_500}
MOST_ZONES, MOST_TOWNS, MOST_SITES, MOST_TICKED = 300, 1_500, 1_500, 200
SHELTERS = (SiteKind.EMERGENCY_EVACUATION_SITE, SiteKind.TSUNAMI_REFUGE, SiteKind.SHELTER, SiteKind.WELFARE_SHELTER)
_MOST_KEPT = 64


@page("/map/wards", "read")
def map_wards() -> ResponseReturnValue:
    """The wards; in a city without any the city itself."""
    return _kept("wards", _wards)


@page("/map/zones", "read")
def map_zones() -> ResponseReturnValue:
    """The zones: hazard areas and other parts with a boundary of their own."""
    return _kept("zones", lambda: _named("zones", _present(AreaKind.ZONE).limit(MOST_ZONES)))


@page("/map/towns", "read")
def map_towns() -> ResponseReturnValue:
    """The towns directly below the area `in`."""
    code = request.args.get("in", "").replace("\0", "")
    within = _present(AreaKind.TOWN).where(Area.parent_code == code).limit(MOST_TOWNS)
    return _kept(f"towns {code}", lambda: _named("towns", within))


@page("/map/areas", "read")
def map_areas() -> ResponseReturnValue:
    """The areas of these codes, for what was ticked; those that are unknown or have no boundary are left out."""
    codes = dict.fromkeys(request.args.getlist("code")[:MOST_TICKED])
    found = [area for code in codes if (area := areas.get(session(), code)) is not None]
    return answer(_collection("areas", found))


@page("/map/shelters", "read")
def map_shelters() -> ResponseReturnValue:
    """Where people may go: designated for which hazards, and what is known of opening.

    Where there are more than a map can take, `more` is true and the open ones come first: it then asks again for
    what is in view, `in` (south, west, north, east), and for the hazard that is looked at.
    """
    wanted = (
        sa.select(Site.id, Site.name, Site.kind, Site.lat, Site.lon, Site.hazards, Site.status)
        .where(Site.withdrawn_at.is_(None), Site.kind.in_([kind.value for kind in SHELTERS]))
        .order_by(sa.case((Site.status == SiteStatus.OPEN.value, 0), else_=1), Site.id)
        .limit(MOST_SITES + 1)
    )
    if view := request.args.get("in"):
        south, west, north, east = _view(view)
        wanted = wanted.where(Site.lat.between(south, north), Site.lon.between(west, east))
    if (hazard := request.args.get("hazard")) in set(Hazard):
        wanted = wanted.where(Site.hazards.bitwise_and(Hazard(hazard).bit) != 0)
    found = session().execute(wanted).all()
    return answer(
        {
            "type": "FeatureCollection",
            "more": len(found) > MOST_SITES,
            "features": [
                _point(
                    one.lat, one.lon, id=one.id, name=one.name, kind=one.kind, status=one.status,
                    hazards=[hazard.value for hazard in hazards_in(one.hazards)],
                )
                for one in found[:MOST_SITES]
            ],
        }
    )  # fmt: skip


@page("/map/dangers", "read")
def map_dangers() -> ResponseReturnValue:
    """The areas of alerts in force."""
    return _live(drill=False)


@page("/map/drills", "read")
def map_drills() -> ResponseReturnValue:
    """The areas of drills in force."""
    return _live(drill=True)


def area_answer(area: DangerArea) -> Response:
    """The frozen area of an alert, as a map draws it; the exact one is what is sent and never leaves by here."""
    return answer(outlines.for_screen([dangers.shape(area)], CORNERS["area"])[0])


def refuges_answer(alert: Alert) -> Response:
    """The evacuation sites that the page of an alert counts."""
    area = session().get_one(DangerArea, alert.danger_area_id)
    found = reach.refuge_places(session(), Hazard(alert.hazard), area, clock.now())
    features = [
        _point(one.lat, one.lon, id=one.id, name=one.name, status=one.status, inside=one.inside) for one in found
    ]
    return answer({"type": "FeatureCollection", "features": features})


def answer(collection: dict[str, Any]) -> Response:
    """GeoJSON, packed, with a tag by which a browser asks whether it has changed."""
    return _sent(orjson.dumps(collection))


@desk.app_template_global("console_map")
def on_this_page() -> dict[str, str]:
    """What a map must know; its page may then show pictures from the host of the tiles, and only such a page."""
    limits = settings()
    if limits.map_tiles:
        parts = urlsplit(limits.map_tiles)
        g.pictures_from = f"{parts.scheme}://{parts.netloc}"
    return {"tiles": limits.map_tiles, "credit": limits.map_credit, "credit_url": limits.map_credit_url}


def _live(*, drill: bool) -> Response:
    found = alerts.live(session(), clock.now(), drill=drill)
    drawn = {one.id: one for one in session().scalars(
        sa.select(DangerArea).where(DangerArea.id.in_({alert.danger_area_id for alert in found}))
    )}  # fmt: skip
    shapes = outlines.for_screen([dangers.shape(drawn[alert.danger_area_id]) for alert in found], CORNERS["dangers"])
    features = [
        _feature(geometry, id=alert.public_id, name=alert_sight.title(alert), level=alert.level)
        for alert, geometry in zip(found, shapes, strict=True)
    ]
    return answer({"type": "FeatureCollection", "features": features})


def _view(written: str) -> list[float]:
    """The edges of what a map shows, in degrees; raises Problem 400 for anything else."""
    try:
        edges = [float(one) for one in written.split(",")]
    except ValueError:
        edges = []
    if len(edges) != 4 or not all(math.isfinite(one) for one in edges):
        raise of_status(400, "in: south, west, north and east in degrees, with commas between them.")
    return edges


def _present(*kinds: AreaKind) -> sa.Select[Any]:
    return (
        sa.select(Area)
        .where(Area.withdrawn_at.is_(None), Area.kind.in_([kind.value for kind in kinds]))
        .order_by(Area.code)
    )


def _wards() -> dict[str, Any]:
    wards = _named("wards", _present(AreaKind.WARD))
    return wards if wards["features"] else _named("wards", _present(AreaKind.CITY))


def _named(layer: str, wanted: sa.Select[Any]) -> dict[str, Any]:
    return _collection(layer, session().scalars(wanted))


def _collection(layer: str, found: Iterable[Area]) -> dict[str, Any]:
    """Those that have a boundary."""
    named = [(area, shape(area.geometry)) for area in found if area.geometry is not None]
    drawn = outlines.for_screen([border for _, border in named], CORNERS[layer])
    features = [
        _feature(geometry, code=area.code, name=area.name, kind=area.kind, at=outlines.label_point(border))
        for (area, border), geometry in zip(named, drawn, strict=True)
    ]
    return {"type": "FeatureCollection", "features": features}


def _feature(geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _point(lat: float, lon: float, **properties: Any) -> dict[str, Any]:
    at = [round(lon, outlines.DECIMALS), round(lat, outlines.DECIMALS)]
    return _feature({"type": "Point", "coordinates": at}, **properties)


def _kept(name: str, make: Callable[[], dict[str, Any]]) -> Response:
    """A layer of areas, made once for each revision of them: simplifying a city's towns takes a second."""
    kept: dict[str, tuple[int, bytes]] = current_app.extensions.setdefault("yobikake.layers", {})
    revision = sites.revision(session(), "areas")
    known = kept.get(name)
    if known is None or known[0] != revision:
        known = (revision, orjson.dumps(make()))
        while len(kept) >= _MOST_KEPT:
            kept.pop(next(iter(kept)), None)
        kept[name] = known
    return _sent(known[1])


def _sent(body: bytes) -> Response:
    response = Response(mimetype="application/geo+json")
    assets.pack(response, body, assets.packed(body))
    response.set_etag(assets.digest(body), weak=True)
    response.make_conditional(request)
    return response
