"""Structured logs: what happened, how long it took; never where somebody is and never a secret."""

from __future__ import annotations

import logging
import re
import secrets
import sys
import time
from collections.abc import Mapping
from typing import Any

import structlog
from flask import Flask, Response, request
from structlog.typing import EventDict, Processor, WrappedLogger

from backend.config import Settings

MASK = "[masked]"
# Compared without case and underscores, as a part of the key.
SENSITIVE = ("authorization", "token", "secret", "password", "cookie", "apikey", "staffkey", "credential", "position")
WHERE = ("lat", "lon", "lng", "latitude", "longitude", "point", "bbox", "cell", "cells", "geometry", "polygon")
EXACTLY = frozenset({*WHERE, "coordinates", "key", "query", "querystring", "endpoint", "body", "address", "remoteaddr"})
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+")
_OWN_KEY = re.compile(r"\byk[sd]_\w+")  # of staff, of devices
_NAMED = re.compile(r"(?i)\b(lat|lon|latitude|longitude|token|secret|password|key|ip)=[^\s&'\",)]+")
_URL_PASSWORD = re.compile(r"(://[^:/@\s]+:)[^@\s]+@")
_COORDINATE = re.compile(r"(?<![\w.])(?<!\d:)-?\d{1,3}\.\d{3,}(?![\w.])")

access = structlog.stdlib.get_logger("yobikake.access")


def masked(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """A structlog processor: masks sensitive keys at any depth, and keys, tokens and coordinates inside texts."""
    for name, value in event.items():
        event[name] = _clean(name, value)
    return event


def _clean(name: str, value: Any) -> Any:
    plain = name.lower().replace("_", "").replace("-", "")
    if plain in EXACTLY or any(part in plain for part in SENSITIVE):
        return MASK
    if isinstance(value, Mapping):
        return {str(key): _clean(str(key), inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(name, inner) for inner in value]
    if isinstance(value, str):
        return clean_text(value)
    return value


def clean_text(text: str) -> str:
    """A text without keys, tokens, passwords and numbers that look like coordinates."""
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _OWN_KEY.sub(MASK, text)
    text = _NAMED.sub(rf"\1={MASK}", text)
    text = _URL_PASSWORD.sub(rf"\1{MASK}@", text)
    return _COORDINATE.sub("[number]", text)


def configure(settings: Settings) -> None:
    """Sends every log of the process, libraries' included, through the same masking renderer to stderr."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        masked,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = _Handler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    for earlier in [old for old in root.handlers if isinstance(old, _Handler)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(settings.log_level.upper())
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # its access lines hold the query
    logging.getLogger("alembic").setLevel(logging.WARNING)  # two lines at every question about readiness


class _Handler(logging.Handler):
    """Ours, so that a second application in one process replaces it and leaves others' alone."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes to whatever is standard error now: a caller may have put another in its place."""
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # a log that cannot be written must not stop what is logged
            self.handleError(record)


def register(app: Flask) -> None:
    """Gives each request an id and writes one line for it: the route's template, never the path or the query."""

    @app.before_request
    def begin() -> None:
        request.environ["yobikake.started"] = time.monotonic()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id())

    @app.after_request
    def finish(response: Response) -> Response:
        started = request.environ.get("yobikake.started", time.monotonic())
        response.headers["X-Request-Id"] = request_id()
        access.info(
            "request",
            method=request.method,
            route=request.url_rule.rule if request.url_rule else None,
            status=response.status_code,
            duration_ms=round((time.monotonic() - started) * 1000, 1),
        )
        return response

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        structlog.contextvars.clear_contextvars()


def request_id() -> str:
    """The id under which everything about this request is logged; always ours, so that nobody writes into the log."""
    found: str = request.environ.setdefault("yobikake.request_id", secrets.token_hex(8))
    return found
