"""One transaction a request: committed after a view that succeeded, rolled back after anything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Flask, Response, current_app, has_request_context, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

import database
from database import db

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_KEY = "yobikake.session"
View = TypeVar("View", bound=Callable[..., object])


def session() -> Session:
    """The request's session. It begins its transaction at the first statement and never outlives the view.

    Raises RuntimeError outside a view: a response that streams must have read everything before.
    """
    found: Session | None = request.environ.get(_KEY) if has_request_context() else None
    if found is None:
        raise RuntimeError("no transaction is open: ask for the session inside a view")
    return found


def reads_only(view: View) -> View:
    """Marks a view that never writes although its method is not safe (a preview by POST).

    It then takes no write lock. On SQLite a write inside would fail only under concurrency, so a view
    that wears this must truly only read.
    """
    view._reads_only = True  # type: ignore[attr-defined]
    return view


def around(app: Flask, view: Callable[[], ResponseReturnValue]) -> Response:
    """Runs the view of the current request in its transaction and returns the finished response.

    The commit happens before the response leaves: who reads 201 can rely on the row. A failing commit raises.
    Just before it, whoever registered in `yobikake.before_commit` is called with the session and the response.
    """
    mode: database.Mode = "read" if request.method in SAFE or _only_reads() else "write"
    with database.transactions(mode), Session(db.engine, expire_on_commit=False) as session:
        request.environ[_KEY] = session
        try:
            response = app.make_response(view())
            if response.status_code < 400:
                for last in app.extensions.get("yobikake.before_commit", ()):
                    last(session, response)
                session.commit()
            return response  # whatever was not committed is rolled back when the session closes
        finally:
            del request.environ[_KEY]


def _only_reads() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    resource = getattr(view, "view_class", None)
    if resource is not None:
        view = getattr(resource, request.method.lower(), None)
    return bool(getattr(view, "_reads_only", False))
