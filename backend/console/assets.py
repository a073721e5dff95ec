"""The console's files: its own and Leaflet's, packed with gzip; kept for a year under an address with their digest."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import distribution
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, request, url_for
from werkzeug.security import safe_join

OWN = Path(__file__).parent / "static"
LEAFLET = frozenset({"leaflet.js", "leaflet.css"})
SHORT, LONG = "public, max-age=3600", "public, max-age=31536000, immutable"
_PACKED = frozenset({"text/javascript", "text/css", "image/svg+xml", "application/json"})
_LEAST = 400  # bytes; below it packing saves nothing


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    body: bytes
    packed: bytes | None
    mimetype: str
    digest: str


class Desk(Blueprint):
    """A blueprint whose folder of files also has those of Leaflet, and sends them packed."""

    def send_static_file(self, filename: str) -> Response:
        """The file under /console/static/; 404 for any other name."""
        path = _path(filename)
        if path is None:
            abort(404)
        asset = _read(path, path.stat().st_mtime_ns)
        response = Response(mimetype=asset.mimetype)
        pack(response, asset.body, asset.packed)
        response.set_etag(asset.digest, weak=True)
        response.headers["Cache-Control"] = LONG if request.args.get("v") == asset.digest else SHORT
        response.make_conditional(request)
        return response


def pack(response: Response, body: bytes, packed: bytes | None) -> None:
    """Gives a response its body, packed where there is such a one and the browser takes it.

    Only for what holds no secret: packed beside text that a stranger chose, a secret could be guessed by its length.
    """
    response.vary.add("Accept-Encoding")
    if packed is not None and request.accept_encodings.quality("gzip") > 0:
        response.headers["Content-Encoding"] = "gzip"
        body = packed
    response.set_data(body)


def packed(body: bytes) -> bytes | None:
    """The body by gzip; None where that is not shorter."""
    made = gzip.compress(body, 9, mtime=0) if len(body) >= _LEAST else body
    return made if len(made) < len(body) else None


def digest(body: bytes) -> str:
    """A short name of exactly this content."""
    return hashlib.sha256(body).hexdigest()[:16]


def asset(name: str) -> str:
    """The address of a file, good for as long as it is the same: `asset("map.js")`, `asset("leaflet/leaflet.js")`.

    Raises LookupError for a file that is not there.
    """
    path = _path(name)
    if path is None:
        raise LookupError(f"the console has no file {name!r}")
    return url_for("console.static", filename=name, v=_read(path, path.stat().st_mtime_ns).digest)


def register(app: Flask) -> None:
    """Gives the templates `asset`."""
    app.jinja_env.globals.update(asset=asset)


def _path(name: str) -> Path | None:
    folder, _, rest = name.partition("/")
    if folder == "leaflet":
        # By the list of installed files: the package need not be imported, nor may its name be taken by another's.
        return (
            Path(str(distribution("XStatic-Leaflet").locate_file(f"xstatic/pkg/leaflet/data/{rest}")))
            if rest in LEAFLET
            else None
        )
    joined = safe_join(str(OWN), name)
    return Path(joined) if joined is not None and Path(joined).is_file() else None


@lru_cache(maxsize=100)
def _read(path: Path, _changed_at: int) -> Asset:
    body = path.read_bytes()
    mimetype = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Asset(body, packed(body) if mimetype in _PACKED else None, mimetype, digest(body))
