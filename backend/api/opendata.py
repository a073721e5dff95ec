"""/opendata and the files of its sets: read by anybody, asked again for nothing while nothing has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import marshmallow as ma
from flask import Response, render_template, request
from flask.views import MethodView
from marshmallow import validate
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

import database
from backend import clock
from backend.api import caching
from backend.api.blueprint import Blueprint
from backend.config import settings
from backend.errors import of_status
from backend.opendata import catalogue
from backend.opendata.dataset import MEDIA, DataSet, Publisher, merged
from backend.opendata.sets import SETS, with_form
from backend.transaction import session
from database import db
from geo import sites
from geo.opendata.written import table

blp = Blueprint("opendata", __name__, url_prefix="/opendata", description="オープンデータ · Open data")
FRESH_SECONDS = 300
SHAPE = 1  # rises when the same rows are written in another way: caches must not keep the old one


class Streamed(Response):
    """An answer whose length nobody may find out by reading it all into memory."""

    implicit_sequence_conversion = False


class SourceShown(ma.Schema):
    """Whose word a part of a set is."""

    source = ma.fields.String(metadata={"description": "出典のキー。", "example": "sample"})
    licence = ma.fields.String(allow_none=True, metadata={"example": "CC BY 4.0"})
    as_of = ma.fields.Date(allow_none=True, metadata={"description": "データ時点。", "example": "2026-11-01"})
    rows = ma.fields.Integer(metadata={"example": 24})


class Distribution(ma.Schema):
    """One file of a set."""

    format = ma.fields.String(metadata={"example": "csv"})
    media_type = ma.fields.String(metadata={"example": "text/csv"})
    url = ma.fields.String(metadata={"example": "https://push.city.example.jp/opendata/aeds.csv"})
    source = ma.fields.String(allow_none=True, metadata={"description": "一つの出典だけのファイルならその出典。"})
    importer = ma.fields.String(
        allow_none=True,
        metadata={"description": "このまま取り込み直せる命令。", "example": "yobikake import sites --as-exported"},
    )


class Dataset(ma.Schema):
    """One set (dcat:Dataset)."""

    id = ma.fields.String(metadata={"example": "aeds"})
    title = ma.fields.Dict(
        keys=ma.fields.String(), values=ma.fields.String(),
        metadata={"example": {"ja": "AED設置箇所一覧", "en": "AEDs"}},
    )  # fmt: skip
    description = ma.fields.String(metadata={"example": "AEDの場所と使える時間。"})
    standard = ma.fields.String(allow_none=True, metadata={"example": "自治体標準オープンデータセット AED設置箇所一覧"})
    rows = ma.fields.Integer(metadata={"example": 3})
    updated_at = ma.fields.AwareDateTime(
        allow_none=True, metadata={"description": "最後に変わった時刻。分からなければ null。"}
    )
    licences = ma.fields.List(ma.fields.String(), metadata={"example": ["CC BY 4.0"]})
    sources = ma.fields.List(ma.fields.Nested(SourceShown))
    distributions = ma.fields.List(ma.fields.Nested(Distribution))


class Catalogue(ma.Schema):
    """Everything that is open (dcat:Catalog)."""

    publisher = ma.fields.String(metadata={"example": "見本市"})
    datasets = ma.fields.List(ma.fields.Nested(Dataset))


class SourceQuery(ma.Schema):
    """Of which source."""

    source = ma.fields.String(
        validate=validate.Length(1, 100),
        metadata={"description": "この出典の行だけ。キーは /opendata にある。", "example": "sample"},
    )


@blp.route("")
class CatalogueView(MethodView):
    @caching.public(max_age=FRESH_SECONDS)
    @blp.response(200, Catalogue)
    def get(self) -> Any:
        """公開しているデータの一覧。ブラウザーには HTML で、プログラムには JSON で。All open data sets."""
        by = _publisher()
        found = catalogue.datasets(session(), by, settings().public_url)
        if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
            words = {"city": by.name, "datasets": found, "zone": settings().zone}
            page = Response(render_template("opendata.html", **words), mimetype="text/html")
            page.vary.add("Accept")
            return page
        return {"publisher": by.name, "datasets": found}, {"Vary": "Accept"}


@blp.route("/catalogue.csv")
class CatalogueTableView(MethodView):
    @caching.public(max_age=FRESH_SECONDS)
    @blp.response(200, {"type": "string"}, content_type="text/csv", description="オープンデータ一覧")
    def get(self) -> Response:
        """データの一覧を標準データセット「オープンデータ一覧」の列で。The catalogue in its standard columns."""
        by = _publisher()
        found = catalogue.datasets(session(), by, settings().public_url)
        body = "".join(table(catalogue.COLUMNS, catalogue.rows(found, by)))
        return Response(body, content_type="text/csv; charset=utf-8")


def _door(form: str, description: str, words: str) -> None:
    """One route a form; which sets it has stands in the description of the API."""
    names = with_form(form)
    schema = {"type": "string" if form == "csv" else "object"}
    name_of_set = {
        "name": "name", "in": "path", "required": True, "schema": {"type": "string", "enum": list(names)},
        "description": "、".join(f"{name} {SETS[name].ja}" for name in names), "example": names[0],
    }  # fmt: skip

    class FileView(MethodView):
        @caching.public(max_age=FRESH_SECONDS)
        @blp.arguments(SourceQuery, location="query")
        @blp.response(200, schema, content_type=MEDIA[form], description=description)
        @blp.alt_response(404, description="no such set, or nothing of it is published")
        def get(self, query: dict[str, Any], name: str) -> Response:
            if name not in names:
                raise of_status(404, "There is no such data set: /opendata lists them.")
            return _file(SETS[name], form, query.get("source"))

    FileView.get.__doc__ = words
    blp.route(f"/<name>.{form}", endpoint=f"file_{form}", parameters=[name_of_set])(FileView)


_door("csv", "標準の列の表。UTF-8（BOM 付き）、CRLF。", "一つのデータを表（CSV）で。One set as a table.")
_door("geojson", "位置のあるデータ。RFC 7946。", "一つのデータを GeoJSON で。One set as GeoJSON.")
_door(
    "json", "Yobikake が取り込める JSON。", "一つのデータを、取り込み直せる JSON で。One set as JSON that reads back."
)


def _file(one: DataSet, form: str, source: str | None) -> Response:
    """The file, streamed from a transaction of its own: a large list must not be held in memory."""
    by = _publisher()
    origins = one.origins(session(), by)
    sources = sorted({origin.source for origin in origins})
    wanted = [source] if source is not None else sources
    if (source is not None and source not in sources) or (form in one.one_source and not sources):
        raise of_status(404, "Nothing of this data set is published by this source: see /opendata.")
    if form in one.one_source and len(wanted) > 1:
        raise of_status(422, f"Each file holds one source: {', '.join(sources)}.", field="source")
    kind = MEDIA[form] + ("; charset=utf-8" if form == "csv" else "")
    version, changed_at = sites.changed(session(), one.revision) if one.revision is not None else (0, None)
    response: Response
    if one.revision is None:
        body = "".join(one.forms[form](session(), by, source)).encode()
        response = Response(body, content_type=kind)
    else:
        # A change between here and the stream gives newer rows under the older tag: they are merely fetched twice.
        response = Streamed(_pieces(db.engine, one, form, by, source), content_type=kind)
        told = f"{SHAPE} {one.name} {form} {source} {version}"
        response.set_etag(hashlib.blake2b(told.encode(), digest_size=12).hexdigest(), weak=True)
        if changed_at is not None:
            response.last_modified = changed_at
    licences = [origin.licence for origin in merged(origins) if origin.licence and origin.source in wanted]
    if wanted:
        response.headers["X-Source"] = _plain(wanted)
    if licences:
        response.headers["X-Licence"] = _plain(sorted(set(licences)))
    response.headers["Link"] = f'<{settings().public_url}/opendata>; rel="describedby"'
    response.headers["Content-Disposition"] = f"inline; filename={one.name}.{form}"
    return response


def _pieces(engine: Engine, one: DataSet, form: str, by: Publisher, source: str | None) -> Iterator[bytes]:
    with Session(engine) as own:
        with database.transactions("read"):
            own.connection()  # begins here: the kind of transaction must not stay set between two pieces
        for piece in one.forms[form](own, by, source):
            yield piece.encode()


def _publisher() -> Publisher:
    return Publisher(settings().city_name, settings().open_data_licence, clock.now())


def _plain(values: list[str]) -> str:
    """Texts as a header can carry them: other letters than Latin ones percent-encoded."""
    return ", ".join(quote(value, safe=" !#$&'()*+-./:;<=>?@[]^_`{|}~") for value in values)
