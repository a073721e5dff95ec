"""Values of settings: how a text becomes what the code needs. Each raises ValueError saying why it cannot."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from notifications.channels.webpush.endpoint import Services


def text(value: str) -> str:
    """Any text."""
    return value


def path(value: str) -> Path:
    """A path, made absolute from the working directory; `~` is the home folder."""
    return Path(value).expanduser().absolute()


def truth(value: str) -> bool:
    """true or false, as people write it."""
    word = value.lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off"):
        return False
    raise ValueError("write true or false")


def number(lowest: float, highest: float) -> Callable[[str], float]:
    """A parser of numbers from `lowest` to `highest`."""

    def parse(value: str) -> float:
        try:
            given = float(value)
        except ValueError:
            raise ValueError("not a number") from None
        if not lowest <= given <= highest:  # also refuses NaN
            raise ValueError(f"must be from {lowest:g} to {highest:g}")
        return given

    return parse


def whole(lowest: int, highest: int) -> Callable[[str], int]:
    """A parser of whole numbers from `lowest` to `highest`."""

    def parse(value: str) -> int:
        try:
            given = int(value)
        except ValueError:
            raise ValueError("not a whole number") from None
        if not lowest <= given <= highest:
            raise ValueError(f"must be from {lowest} to {highest}")
        return given

    return parse


def one_of(*words: str) -> Callable[[str], str]:
    """A parser of one of these words, in small letters."""

    def parse(value: str) -> str:
        if value.lower() not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return value.lower()

    return parse


def web_address(value: str) -> str:
    """An http or https address with a host, without the slash at its end."""
    try:
        parts = urlsplit(value)
        complete = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        complete = False
    if not complete:
        raise ValueError("must be a whole address such as https://push.city.example.jp")
    return value.rstrip("/")


def tiles(value: str) -> str:
    """An https address of map tiles with {z}, {x} and {y} in its path; "none" for no tiles.

    Its host stands in a header of policy, so it must be a plain one.
    """
    if value.lower() == "none":
        return ""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    plain = re.fullmatch(r"[a-z0-9.-]+", parts.hostname or "") and parts.username is None
    local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost") and port is not None
    placed = all(parts.path.count(place) == 1 for place in ("{z}", "{x}", "{y}"))
    if not (plain and placed and (parts.scheme == "https" or local)) or re.search(r"[\s\"'<>;,\\]", value):
        raise ValueError("must be `none` or an https address with {z}, {x} and {y} in its path")
    return value


def push_services(value: str) -> tuple[str, ...]:
    """Names of push services, with commas between; `*` for any public one."""
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    Services(names)
    return names


def loopback_origin(value: str) -> str:
    """The address of a stand-in on this machine, with its port."""
    return str(Services(standin=value).standin)


def bearer_token(value: str) -> str:
    """A key that a program sends as a bearer token: long enough not to be guessed. Raises ValueError."""
    if not re.fullmatch(r"[\w.~+/=-]{24,200}", value, re.ASCII):
        raise ValueError("a key has 24 to 200 characters of A-Z a-z 0-9 - . _ ~ + / =")
    return value


def zone_name(value: str) -> str:
    """The name of a time zone of the IANA database."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such time zone; write one such as Asia/Tokyo") from None
    return value


def database_address(value: str) -> str:
    """A SQLAlchemy URL of SQLite (made absolute, on disk) or PostgreSQL (driver psycopg)."""
    try:
        url = sa.make_url(value)
    except sa.exc.ArgumentError:
        raise ValueError("not a database URL; write sqlite:///data/yobikake.db or postgresql://…") from None
    backend = url.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    if backend != "sqlite":
        raise ValueError(f"{backend} is not supported; use sqlite or postgresql")
    if not url.database or url.database == ":memory:":
        raise ValueError("SQLite needs a file: several processes share the database")
    return url.set(database=str(Path(url.database).absolute())).render_as_string(hide_password=False)
