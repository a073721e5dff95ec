"""The application factory: settings, database, doors."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from flask import Flask, Response, current_app
from flask.json.provider import JSONProvider
from flask.typing import ResponseReturnValue
from werkzeug.middleware.proxy_fix import ProxyFix

import database
from backend import (
    addresses,
    api,
    clock,
    console,
    docs,
    errors,
    headers,
    health,
    journaling,
    landing,
    limits,
    logs,
    metrics,
    presence,
    transaction,
)
from backend.api import refusals
from backend.config import Settings
from database import db
from notifications.dispatch.drivers import carry_nudges


class Json(JSONProvider):
    """JSON by orjson: strict UTF-8, moments in RFC 3339, members in the order they were put."""

    def dumps(self, obj: Any, **_kwargs: Any) -> str:
        """Encodes; raises TypeError for what has no JSON form (NaN becomes null)."""
        return orjson.dumps(obj, option=orjson.OPT_NON_STR_KEYS).decode()

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        """Decodes; raises json.JSONDecodeError."""
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """A response of this value; ends with a line feed, so that curl leaves the prompt alone."""
        return current_app.response_class(
            self.dumps(self._prepare_response_obj(args, kwargs)) + "\n", mimetype="application/json"
        )


class Yobikake(Flask):
    """Flask with one transaction around each view and logs without paths."""

    json_provider_class = Json

    def dispatch_request(self) -> ResponseReturnValue:
        """Runs the view in its transaction."""
        return transaction.around(self, super().dispatch_request)

    def log_exception(self, exc_info: Any) -> None:
        """Records a fault; the request id leads to the access line with its route."""
        self.logger.error("unhandled exception", exc_info=exc_info)


def create_app(settings: Settings | None = None, *, clock: clock.Clock | None = None) -> Flask:
    """A ready application. Without settings it reads the environment (raises SettingError); `clock` is for tests."""
    settings = settings or Settings.from_environment()
    logs.configure(settings)
    app = Yobikake("backend")
    app.config.update(
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        MAX_FORM_MEMORY_SIZE=settings.max_body_bytes,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
    )
    app.extensions["yobikake.settings"] = settings
    app.extensions["yobikake.clock"] = clock or _utc_now
    app.url_map.strict_slashes = False
    addresses.register(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    _open_database(app, settings)
    for door in (logs, errors, refusals, headers, limits, journaling, presence, health, metrics, landing, console):
        door.register(app)
    docs.register(app, [_blueprint(name) for name in api.BLUEPRINTS])
    return app


def _blueprint(name: str) -> Any:
    """`module` stands for its `blp`, `module:name` for another one."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute or "blp")


def _engine_options(settings: Settings) -> dict[str, Any]:
    # Parameters of statements hold tokens and cells: they must not reach a log through an exception.
    options: dict[str, Any] = {"hide_parameters": True, "pool_timeout": 10}
    if settings.database_url.startswith("postgresql"):
        options |= {"pool_pre_ping": True, "pool_size": settings.web_threads, "max_overflow": 2}
        options["connect_args"] = {"connect_timeout": 5}
    return options


def _open_database(app: Flask, settings: Settings) -> None:
    url = sa.make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    with app.app_context():
        carry_nudges(database.prepare(db.engine), settings.driving)


_utc_now = clock.utc_now
