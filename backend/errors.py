"""One error shape: RFC 9457 problem+json for everything that is refused or fails."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import sqlalchemy.exc
from flask import Flask, Response, current_app, json
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestedRangeNotSatisfiable

MEDIA_TYPE = "application/problem+json"
BUSY_SECONDS = 2  # when to come back after the database refused

# The problems this package answers by itself; a resource adds its own with `Problem`. docs/problems.md lists all.
TITLES = {
    400: ("bad-request", "The request cannot be understood"),
    401: ("unauthorized", "A key is needed"),
    403: ("forbidden", "This key may not do that"),
    404: ("not-found", "There is nothing at this address"),
    405: ("method-not-allowed", "This address does not take that method"),
    406: ("not-acceptable", "None of the wanted forms is offered"),
    408: ("timeout", "The request took too long to arrive"),
    409: ("conflict", "The thing has changed or does not allow this now"),
    412: ("precondition-failed", "The thing has changed since it was read"),
    413: ("too-large", "The request is too large"),
    414: ("address-too-long", "The address is too long"),
    415: ("not-json", "The request must be JSON"),
    416: ("range-not-satisfiable", "That part does not exist"),
    422: ("invalid", "Some fields cannot be accepted"),
    428: ("precondition-required", "Say which version is meant: If-Match is missing"),
    429: ("too-many-requests", "Too many requests"),
    431: ("headers-too-large", "The headers are too large"),
    500: ("internal", "Something failed here"),
    503: ("unavailable", "Not possible at the moment, try again"),
}


class Problem(Exception):
    """Raise it anywhere under a view: the request is rolled back and answered with this problem."""

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str = "",
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        """`slug` makes the stable `type`; `field` names the faulty member; `extra` becomes further members."""
        super().__init__(detail or title)
        self.status, self.slug, self.title, self.detail = status, slug, title, detail
        self.extra = dict(extra)
        if field is not None:
            self.extra.setdefault("errors", [{"field": field, "reason": detail or title}])
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The answer as application/problem+json."""
        body: dict[str, Any] = {"type": f"/problems/{self.slug}", "title": self.title, "status": self.status}
        if self.detail:
            body["detail"] = self.detail
        response = Response(json.dumps(body | self.extra) + "\n", status=self.status, content_type=MEDIA_TYPE)
        response.headers.update(self.headers)
        return response


def of_status(status: int, detail: str = "", **more: Any) -> Problem:
    """The ordinary problem of an HTTP status."""
    slug, title = TITLES.get(status, ("other", HTTPStatus(status).phrase))
    return Problem(status, slug, title, detail, **more)


def invalid(messages: Any) -> Problem:
    """The problem of a schema's complaints: marshmallow's nested messages as a flat list of field and reason."""
    errors = list(_flatten(messages))
    named = "; ".join(f"{error['field']}: {error['reason']}" if error["field"] else error["reason"] for error in errors)
    return of_status(422, named, errors=errors)


def register(app: Flask) -> None:
    """Answers every error of the application as a problem."""
    app.register_error_handler(Problem, Problem.response)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(sqlalchemy.exc.OperationalError, _of_database)
    app.register_error_handler(sqlalchemy.exc.TimeoutError, _of_database)


def of_http(error: HTTPException) -> Response | HTTPException:
    """Werkzeug's and flask-smorest's errors; what is no error (304, redirects) passes."""
    if error.response is not None or error.code is None or error.code < 400:
        return error
    data: Mapping[str, Any] = getattr(error, "data", None) or {}
    if error.code == 422 and "messages" in data:
        problem = invalid(data["messages"])
    elif error.code == 500:
        problem = of_status(500, "The fault is recorded under the request id in the header X-Request-Id.")
    elif error.code in TITLES:
        problem = of_status(error.code, data.get("message") or _own_words(error))
    else:
        problem = Problem(error.code, "other", error.name, error.description or "")
    problem.headers.update(data.get("headers") or {})
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after", "www-authenticate", "content-range"):
            problem.headers[name] = value
    return problem.response()


def too_many(retry_after_s: float, detail: str) -> Problem:
    """429 with the seconds to wait, rounded up."""
    return of_status(429, detail, headers={"Retry-After": str(max(1, math.ceil(retry_after_s)))})


def _own_words(error: HTTPException) -> str:
    """Werkzeug's description says nothing that our title does not, except for these."""
    if isinstance(error, MethodNotAllowed):
        return f"It takes {', '.join(sorted(error.valid_methods or ()))}."
    if isinstance(error, RequestedRangeNotSatisfiable):
        return ""
    plain = type(error).description
    return error.description if error.description and error.description != plain else ""


def _of_database(error: sqlalchemy.exc.SQLAlchemyError) -> Response:
    """A busy or unreachable database: come back soon. Anything else it says is a fault of ours."""
    if not _passes(error):
        raise error
    current_app.logger.warning("database unavailable", exc_info=error)
    detail = "The database is busy or out of reach; nothing was changed."
    return of_status(503, detail, headers={"Retry-After": str(BUSY_SECONDS)}).response()


def _passes(error: sqlalchemy.exc.SQLAlchemyError) -> bool:
    if isinstance(error, sqlalchemy.exc.TimeoutError):  # no connection was free
        return True
    cause = getattr(error, "orig", None)
    code = getattr(cause, "sqlite_errorname", None)
    if code is not None:
        return str(code).startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_IOERR"))
    state = getattr(cause, "sqlstate", None)  # None: the connection itself failed
    return state is None or str(state).startswith(("08", "40", "53", "55P03", "57P"))


def _flatten(messages: Any, path: str = "", depth: int = 0) -> Iterator[dict[str, str]]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            # The outermost key is the place (json, query, path, headers): said only where it is not the body's.
            name = "" if depth == 0 and key in _PLACES else "" if key == "_schema" else str(key)
            yield from _flatten(inner, f"{path}.{name}" if path and name else path or name, depth + 1)
    elif isinstance(messages, (list, tuple)):
        for inner in messages:
            yield from _flatten(inner, path, depth)
    else:
        yield {"field": path, "reason": str(messages)}


_PLACES = frozenset({"json", "query", "querystring", "path", "view_args", "headers", "form", "files", "cookies"})
