"""Numbers in addresses: as large as the store can hold, and no larger."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

LARGEST = 2**63 - 1  # of a BIGINT: beyond it the store would fail instead of finding nothing


class StoredNumber(IntegerConverter):
    """`<int:…>` of every route: a number beyond 64 bits is an address at which nothing is."""

    def __init__(self, map: Map, *args: int, **kwargs: int) -> None:
        kwargs.setdefault("min", 0)
        kwargs.setdefault("max", LARGEST)
        super().__init__(map, *args, **kwargs)  # type: ignore[arg-type]


def register(app: Flask) -> None:
    """Must come before any route."""
    app.url_map.converters["int"] = StoredNumber
