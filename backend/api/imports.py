"""/v1/staff/imports: published lists taken in over HTTP, with the same report as the command line."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import marshmallow as ma
from flask import request
from flask.views import MethodView
from marshmallow import validate
from werkzeug.datastructures import FileStorage

from backend import clock
from backend.api.blueprint import Blueprint
from backend.auth import staff_required
from backend.errors import Problem
from backend.transaction import session
from geo.opendata.faults import OpenDataError
from geo.opendata.site_import import ImportOptions, import_sites

blp = Blueprint(
    "imports", __name__, url_prefix="/v1/staff/imports", description="公開データの取り込み · Published lists in"
)
LARGEST = 32_000_000  # bytes; a prefecture has a few hundred thousand. The nation's file goes by the command line.


class SiteFile(ma.Schema):
    """The list itself."""

    file = ma.fields.Raw(
        required=True,
        metadata={"type": "string", "format": "binary", "description": "CSV か GeoJSON。形式は中身で見分ける。"},
    )


class SiteOptions(ma.Schema):
    """How to take it in. As sent without options, nothing is changed."""

    class Meta:
        """The file is read by the other schema."""

        unknown = ma.EXCLUDE

    dry_run = ma.fields.Boolean(load_default=True, metadata={"description": "真なら何も変えずに結果だけを返す。"})
    skip_refused = ma.fields.Boolean(load_default=False, metadata={"description": "拒否した行を除いて取り込む。"})
    complete_for = ma.fields.String(
        load_default=None,
        validate=validate.Length(1, 64),
        metadata={"description": "この出典の完全な一覧として扱い、載っていない場所を取り下げる。"},
    )
    withdraw_many = ma.fields.Boolean(load_default=False, metadata={"description": "大部分の取り下げも認める。"})
    source = ma.fields.String(load_default=None, metadata={"description": "出典のキー。省くと形式から決まる。"})
    municipality = ma.fields.String(load_default=None, metadata={"description": "団体コードのない行の市区町村。"})
    licence = ma.fields.String(load_default=None, validate=validate.Length(1, 500))
    as_of = ma.fields.Date(load_default=None, metadata={"description": "データの時点。", "example": "2026-11-01"})
    as_exported = ma.fields.Boolean(
        load_default=False,
        metadata={"description": "Yobikakeが書き出したファイルとして読む。出典・ライセンス・時点は行ごとに読む。"},
    )


class Refused(ma.Schema):
    """One cell, or one row (column null), that was not taken."""

    line = ma.fields.Integer(metadata={"description": "ファイルの行番号（1から）。"})
    column = ma.fields.String(allow_none=True)
    value = ma.fields.String(allow_none=True)
    code = ma.fields.String(metadata={"description": "変わらない識別子。", "example": "looks_swapped"})
    reason = ma.fields.String()


class Remarked(ma.Schema):
    """Something taken all the same that a person should look at."""

    line = ma.fields.Integer(allow_none=True)
    code = ma.fields.String()
    message = ma.fields.String()


class ImportReport(ma.Schema):
    """What was done, or would be."""

    format = ma.fields.String(metadata={"example": "gsi-emergency"})
    encoding = ma.fields.String(metadata={"example": "utf-8"})
    sources = ma.fields.List(ma.fields.String())
    dry_run = ma.fields.Boolean()
    applied = ma.fields.Boolean(metadata={"description": "取り込んだか。"})
    why_not = ma.fields.String(allow_none=True, metadata={"description": "取り込めない理由。"})
    read = ma.fields.Integer()
    blank = ma.fields.Integer()
    added = ma.fields.Integer()
    changed = ma.fields.Integer()
    restored = ma.fields.Integer()
    unchanged = ma.fields.Integer()
    withdrawn = ma.fields.Integer()
    redated = ma.fields.Integer(metadata={"description": "日付・ライセンスだけが変わった件数。"})
    refused_rows = ma.fields.Integer()
    refused_cells = ma.fields.Integer()
    refused = ma.fields.List(ma.fields.Nested(Refused), metadata={"description": "先頭1,000件。"})
    warning_count = ma.fields.Integer()
    warnings = ma.fields.List(ma.fields.Nested(Remarked), metadata={"description": "先頭1,000件。"})


def large_body(view: Callable[..., Any]) -> Callable[..., Any]:
    """Lets this view read more than others. Below the key's check, so that strangers send nothing large."""

    @wraps(view)
    def allowed(*args: Any, **kwargs: Any) -> Any:
        request.max_content_length = max(LARGEST, request.max_content_length or 0)
        return view(*args, **kwargs)

    return allowed


@blp.route("/sites")
class SitesView(MethodView):
    """Lists of places."""

    @staff_required("import")
    @large_body
    @blp.arguments(SiteFile, location="files")
    @blp.arguments(SiteOptions, location="form")
    @blp.response(200, ImportReport)
    def post(self, sent: dict[str, FileStorage], options: dict[str, Any]) -> dict[str, Any]:
        """避難場所・避難所などの一覧を取り込む。既定では確認のみ。Takes a list of places in; by default only looks.

        拒否した行があれば何も変えず 422 と報告を返す（dry_run では 200）。
        """
        try:
            report = import_sites(session(), sent["file"].read(), clock.now(), ImportOptions(**options)).to_json()
        except OpenDataError as error:
            raise Problem(
                422,
                "unusable-file",
                "The file cannot be taken in",
                str(error),
                field="file",
                code=error.code,
                line=error.line,
            ) from None
        if report["why_not"] is not None and not options["dry_run"]:
            raise Problem(
                422, "nothing-imported", "Nothing was taken in", report["why_not"], field="file", report=report
            )
        return report
