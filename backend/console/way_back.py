"""The way back: from a form that was refused to the page that it was about."""

from __future__ import annotations

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

ROOT = "/console/"


def page_above(path: str) -> str | None:
    """The nearest address at or above `path` that is a page of the console; None where there is only the first."""
    roads = current_app.create_url_adapter(request)
    while roads is not None and path.startswith(ROOT) and path != ROOT:
        try:
            if roads.match(path, method="GET")[0] != "console.lost":
                return path
        except (HTTPException, RequestRedirect):
            pass
        path = path.rpartition("/")[0]
    return None
