"""The API's description: OpenAPI 3.1 at /openapi.json, and a page to read and try it that needs no other server."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from http import HTTPStatus
from importlib import resources
from typing import Any

import flask_smorest
import marshmallow as ma
import orjson
from flask import Blueprint, Flask, Response, current_app, render_template, request, send_from_directory
from flask_smorest.utils import prepare_response
from werkzeug import Response as BaseResponse

from backend import errors, examples
from backend.auth import SCHEMES
from backend.config import Settings
from backend.config import settings as current

ASSETS = {"swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"}

DESCRIPTION = """\
{city}の防災・暮らしの情報と通知のAPIです。

**プッシュ通知について**：通知は届くことを保証できません。通信の混雑や停電、端末の設定により、遅れたり届かなかったり\
することがあります。配信に使う Firebase Cloud Messaging の利用規約は、人命に関わる用途で\
頼ることを認めていません。プッシュは、防災行政無線、緊急速報メール、広報車、テレビ・ラジオなどと並ぶ**伝達手段のひとつ**です。\
通知が来なくても、身の危険を感じたら、ためらわず避難してください。避難所や発令中の情報は、通知がなくても読めます。

The API of {city_en} for disaster and everyday information and for notifications.

**What push is and is not**: delivery is not guaranteed. Congestion, power cuts and the settings of a phone can delay or
lose a notification, and the terms of Firebase Cloud Messaging exclude relying on it where lives depend on it. Push is
**one outlet among several**, beside loudspeakers, cell broadcast, patrol cars, television and radio. Never wait for a
notification when you feel in danger. Shelters and current alerts can always be read here without push.

Errors are `application/problem+json` (RFC 9457) with a stable `type`. Times are RFC 3339 with a zone, positions are
WGS 84 degrees, distances are metres in a straight line.
"""


class FieldError(ma.Schema):
    """One field that cannot be accepted."""

    field = ma.fields.String(metadata={"description": "path of the field, dotted; empty: the whole"})
    reason = ma.fields.String()


class ProblemSchema(ma.Schema):
    """RFC 9457; some types have further members, docs/problems.md says which."""

    class Meta:
        """Further members are allowed."""

        unknown = ma.INCLUDE

    type = ma.fields.String(required=True, metadata={"description": "stable; what a program looks at"})
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    detail = ma.fields.String()
    errors = ma.fields.List(ma.fields.Nested(FieldError))


class Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest with our shape of errors; the document is served by us."""

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._blueprints: list[flask_smorest.Blueprint] = []
        self._options: dict[str, Any] = {}
        self._document = b""
        self._lock = threading.Lock()

    def register_blueprint(self, blp: flask_smorest.Blueprint, **options: Any) -> None:
        """Registers the resources; they are described later."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp, **options)
        self._blueprints.append(blp)

    def document(self) -> bytes:
        """The description as JSON. Made for the first reader: it takes longer than all else of a process's start."""
        with self._lock:
            return self._document or self._described()

    def _described(self) -> bytes:
        super()._init_spec(**self._options)
        for name, scheme in SCHEMES.items():
            self.spec.components.security_scheme(name, scheme)
        for blp in self._blueprints:
            blp.register_views_in_doc(self, self._app, self.spec, name=blp.name, parameters=None)
            self.spec.tag({"name": blp.name, "description": blp.description})
        document = self.spec.to_dict()
        examples.add(document)
        self._document = orjson.dumps(document)
        return self._document

    def _init_spec(self, **options: Any) -> None:
        """Called at the start; what it needs is kept."""
        self._options = options

    def _register_error_handlers(self) -> None:
        """The application has its own: backend.errors."""

    def _register_responses(self) -> None:
        """Every error is documented as a problem."""
        named = {status.name: (status.phrase, 400 <= status < 600) for status in HTTPStatus}
        named[self.DEFAULT_ERROR_RESPONSE_NAME] = ("A problem", True)
        for name, (phrase, is_error) in named.items():
            response: dict[str, Any] = {"description": phrase}
            if is_error:
                response["schema"] = self.ERROR_SCHEMA
            prepare_response(response, self.spec, errors.MEDIA_TYPE)
            self.spec.components.response(name, response, lazy=True)


def register(app: Flask, blueprints: Sequence[flask_smorest.Blueprint]) -> None:
    """Registers the resources and their description."""
    settings: Settings = app.extensions["yobikake.settings"]
    city, city_en = settings.city_name, settings.city_name_en or settings.city_name
    api = Api(
        spec_kwargs={
            "title": f"Yobikake {city}",
            "version": "1",
            "openapi_version": "3.1.0",
            "info": {"description": DESCRIPTION.format(city=city, city_en=city_en), "license": {"name": "Apache-2.0"}},
            "servers": [{"url": "/", "description": "where this document lies"}, {"url": settings.public_url}],
        }
    )
    api.init_app(app)
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    app.extensions["yobikake.openapi"] = api.document
    app.register_blueprint(_pages)


_pages = Blueprint("docs", __name__)


@_pages.get("/openapi.json")
def openapi() -> BaseResponse:
    """The OpenAPI document."""
    response = Response(current_app.extensions["yobikake.openapi"](), mimetype="application/json")
    response.add_etag()
    return response.make_conditional(request)


@_pages.get("/docs")
def page() -> str:
    """Swagger UI from the installation's own files."""
    return render_template("docs.html", city=current().city_name)


@_pages.get("/docs/<name>")
def asset(name: str) -> Response:
    """A file of Swagger UI as its package ships it."""
    if name not in ASSETS:
        raise errors.of_status(404)
    folder = resources.files("flask_swagger_ui") / "dist"
    return send_from_directory(str(folder), name, max_age=86400)
