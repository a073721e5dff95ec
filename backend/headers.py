"""Response headers: what browsers and caches may do with an answer, and who may read it from another site."""

from __future__ import annotations

from flask import Flask, Response, request

NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# Our own HTML: everything from this server, no inline scripts.
PAGES = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; manifest-src 'self'; worker-src 'self'; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'self'"
)
PRIVATE = ("/v1/staff", "/v1/devices", "/console")
ASSETS = ("/console/static",)  # the same for everybody
KEPT = ("/console/map",)  # asked for again each time, but sent only when it has changed
OPEN = ("/v1/", "/opendata", "/openapi.json")

EXPOSED = "Content-Language, ETag, Last-Modified, Link, Retry-After, X-Licence, X-Request-Id, X-Source"


def register(app: Flask) -> None:
    """Adds the headers to every response; a view's own Cache-Control, policy of content and referrer stay."""
    app.after_request(add)


def add(response: Response) -> Response:
    """The headers that suit the address asked for and the type answered."""
    headers = response.headers
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers["X-Frame-Options"] = "DENY"
    headers.setdefault("Content-Security-Policy", PAGES if response.mimetype == "text/html" else NOTHING)
    private = is_below(request.path, PRIVATE) and not is_below(request.path, ASSETS)
    if private and is_below(request.path, KEPT) and response.status_code in (200, 304):
        headers["Cache-Control"] = "private, no-cache"
    elif private or response.status_code >= 400:
        headers["Cache-Control"] = "no-store"
    elif "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-cache" if request.method in ("GET", "HEAD") else "no-store"
    if not private and request.path.startswith(OPEN) and request.method in ("GET", "HEAD", "OPTIONS"):
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Access-Control-Expose-Headers"] = EXPOSED
        if request.method == "OPTIONS":
            headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
            headers["Access-Control-Allow-Headers"] = "If-None-Match"
            headers["Access-Control-Max-Age"] = "86400"
    return response


def is_below(path: str, roots: tuple[str, ...]) -> bool:
    """The path is one of these or under one of these."""
    return any(path == root or path.startswith(root + "/") for root in roots)
