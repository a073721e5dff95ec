"""Where a list is asked for: near a position or a grid square, in a box, in a named area."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response, after_this_request
from marshmallow import validate
from webargs.fields import DelimitedList

from backend.errors import of_status
from backend.transaction import session
from geo import areas, mesh
from geo.areas import AreaError
from geo.mesh import MeshError
from geo.point import Point, PointError
from geo.within import Box, Within, overlap


class WhereQuery(ma.Schema):
    """A position (lat and lon) or a cell to be near; a box; an area."""

    lat = ma.fields.Float(metadata={"description": "緯度（WGS 84）。lon と共に。記録しない。", "example": 38.2416})
    lon = ma.fields.Float(metadata={"description": "経度（WGS 84）。", "example": 140.9552})
    cell = ma.fields.String(
        validate=validate.Length(1, 20),
        metadata={"description": "125 m メッシュ（11桁）の中心から。位置を送らずに済む。", "example": "57403629431"},
    )
    bbox = DelimitedList(
        ma.fields.Float(),
        validate=validate.Length(equal=4),
        metadata={"description": "西,南,東,北（度）。west,south,east,north.", "example": "140.85,38.18,140.99,38.29"},
    )
    area = ma.fields.String(
        validate=validate.Length(1, 100),
        metadata={"description": "/v1/areas のコード。境界のある区域の中だけ。", "example": "04991"},
    )

    @ma.validates_schema
    def one_place(self, data: dict[str, Any], **_: Any) -> None:
        """lat and lon together, or a cell; a box has its corners in order."""
        for here, there in (("lat", "lon"), ("lon", "lat")):
            if here in data and there not in data:
                raise ma.ValidationError(f"{here} was given without {there}.", there)
        if "lat" in data and "cell" in data:
            raise ma.ValidationError("Give either lat and lon, or cell.", "cell")
        if "bbox" in data:
            west, south, east, north = data["bbox"]
            if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
                raise ma.ValidationError("A bbox is west,south,east,north in degrees, longitude first.", "bbox")


def point_of(query: dict[str, Any]) -> Point | None:
    """The position to be near, or None. An address with coordinates is kept by no cache. Raises Problem."""
    if "cell" in query:
        try:
            return mesh.centre(mesh.parse_cell(query["cell"]))
        except MeshError as refused:
            raise of_status(422, str(refused), field="cell") from None
    if "lat" not in query:
        return None
    _keep_nowhere()
    try:
        return Point.checked(query["lat"], query["lon"])
    except PointError as refused:
        raise of_status(422, str(refused), field="lat") from None


def inside_of(query: dict[str, Any]) -> tuple[Box | None, Within | None]:
    """The box that holds all that is wanted, and the area's inside. Raises Problem for an area without boundary."""
    given = query.get("bbox")
    box: Box | None = (given[1], given[0], given[3], given[2]) if given else None
    if "area" not in query:
        return box, None
    if areas.get(session(), query["area"]) is None:
        raise of_status(422, "There is no such area: look it up under /v1/areas.", field="area")
    try:
        within = Within.area(session(), query["area"])
    except AreaError:
        detail = "The boundary of this area is not known: ask for its ward, or near a position or cell."
        raise of_status(422, detail, field="area") from None
    return overlap(box, within.box), within


def _keep_nowhere() -> None:
    @after_this_request
    def no_store(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        return response
