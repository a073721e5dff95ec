"""Caching of public reads: an ETag, how long an answer is fresh, and that an old one is better than none."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from typing import Any, TypeVar

from flask import current_app, request

View = TypeVar("View", bound=Callable[..., Any])


def public(*, max_age: int, stale_if_error: int = 86_400) -> Callable[[View], View]:
    """Caches may keep a 200 for `max_age` seconds, and `stale_if_error` seconds more while the server fails.

    The ETag is made from the bytes; an unchanged answer becomes 304. Put it outermost, above `@blp.response`:

        @blp.route("/shelters/nearest/<int:cell>")
        @caching.public(max_age=10)
        @blp.arguments(NearestQuery, location="query")
        @blp.response(200, Nearest)
        def nearest(query, cell): …
    """

    def decorator(view: View) -> View:
        @wraps(view)
        def cached(*args: Any, **kwargs: Any) -> Any:
            response = current_app.make_response(view(*args, **kwargs))
            if response.status_code != 200:
                return response
            response.cache_control.public = True
            response.cache_control.max_age = max_age
            response.cache_control["stale-while-revalidate"] = str(max_age)
            response.cache_control["stale-if-error"] = str(stale_if_error)
            response.add_etag()
            return response.make_conditional(request)

        documented: Any = cached
        documented._apidoc = deepcopy(getattr(view, "_apidoc", {}))
        manual = documented._apidoc.setdefault("manual_doc", {})
        manual.setdefault("responses", {})["304"] = {"description": "unchanged since the given If-None-Match"}
        return documented  # type: ignore[no-any-return]

    return decorator


def polled(view: View) -> View:
    """For what city hall asks again and again: an ETag from the bytes, so that an unchanged answer is an empty 304.

    Nothing is stored on the way (`no-store`, as everything of city hall); the caller keeps the ETag. Put it above
    `@blp.response`.
    """

    @wraps(view)
    def asked(*args: Any, **kwargs: Any) -> Any:
        response = current_app.make_response(view(*args, **kwargs))
        if response.status_code == 200:
            response.add_etag()
            response.make_conditional(request)
        return response

    documented: Any = asked
    documented._apidoc = deepcopy(getattr(view, "_apidoc", {}))
    manual = documented._apidoc.setdefault("manual_doc", {})
    manual.setdefault("responses", {})["304"] = {"description": "unchanged since the given If-None-Match"}
    return documented  # type: ignore[no-any-return]
