"""Settings: every `YOBIKAKE_…` variable, read and checked once. Only this module reads the environment."""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
from flask import current_app

PREFIX = "YOBIKAKE_"


class SettingError(ValueError):
    """A setting cannot be used: the message names the variable and the reason."""


def _text(value: str) -> str:
    return value


def _path(value: str) -> Path:
    return Path(value).expanduser().absolute()


def _truth(value: str) -> bool:
    word = value.lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off"):
        return False
    raise ValueError("write true or false")


def _number(lowest: float, highest: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            raise ValueError("not a number") from None
        if not lowest <= number <= highest:  # also refuses NaN
            raise ValueError(f"must be from {lowest:g} to {highest:g}")
        return number

    return parse


def _whole(lowest: int, highest: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            raise ValueError("not a whole number") from None
        if not lowest <= number <= highest:
            raise ValueError(f"must be from {lowest} to {highest}")
        return number

    return parse


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.lower() not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return value.lower()

    return parse


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        whole = False
    if not whole:
        raise ValueError("must be a whole address such as https://push.city.example.jp")
    return value.rstrip("/")


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such time zone; write one such as Asia/Tokyo") from None
    return value


def _database(value: str) -> str:
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


def setting(default: str, parse: Callable[[str], Any], doc: str) -> Any:
    """A field of `Settings`: its default as one would write it in the environment, its parser, its line of the table.

    A default of "" means None: not set.
    """
    return dataclasses.field(
        default_factory=lambda: parse(default) if default else None,
        metadata={"default": default, "parse": parse, "doc": doc},
    )


# ruff: noqa: RUF009 -- `setting` makes dataclass fields
@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a city may set. The variable of a field is `YOBIKAKE_` and its name in capitals."""

    database_url: str = setting(
        "sqlite:///data/yobikake.db", _database, "SQLite file (relative to the working directory) or PostgreSQL URL"
    )
    city_name: str = setting("見本市", _text, "the city's name, shown on pages and in the API's title")
    city_name_en: str | None = setting("", _text, "the same in Latin letters, for English and Korean texts")
    time_zone: str = setting("Asia/Tokyo", _zone, "the city's clock, for days and for texts")
    public_url: str = setting("http://127.0.0.1:8000", _web_address, "address under which residents reach this server")

    fcm_credentials: Path | None = setting(
        "", _path, "service account file of the Firebase project; without it no push"
    )
    fcm_project: str | None = setting("", _text, "Firebase project id, when it is not the one in the credentials")
    fcm_endpoint: str | None = setting(
        "", _web_address, "another address than Google's: only for the stand-in that ships with Yobikake"
    )
    fcm_sender: str = setting(
        "auto",
        _one_of("auto", "curl", "library"),
        "`curl` (fast), `library` (Firebase's own) or `auto`: the best there is",
    )
    fcm_timeout: float = setting("10", _number(1, 120), "seconds to wait for the provider's answer")
    fcm_connections: int = setting("8", _whole(1, 64), "HTTP/2 connections of one sender")
    ios_critical: bool = setting(
        "false", _truth, "Apple granted the entitlement for critical alerts to the city's app: use it for level 5"
    )

    lease_seconds: float = setting(
        "30", _number(2, 600), "how long a worker holds a batch before another may take it; at least twice the timeout"
    )
    retry_seconds: float = setting(
        "10", _number(0.1, 600), "first wait after a refusal without Retry-After; it doubles each time, to five minutes"
    )
    poll_seconds: float = setting("0.2", _number(0.01, 60), "how often an idle worker looks for work")
    approval_minutes: int = setting("30", _whole(1, 1440), "minutes after which a submitted alert's approval lapses")
    operator_webhook_url: str | None = setting(
        "", _web_address, "address that is told of incidents an operator must act on (JSON by POST)"
    )

    registrations_per_hour: int = setting(
        "300", _whole(1, 1_000_000), "registrations of phones from one address (carriers put many phones behind one)"
    )
    test_pushes_per_hour: int = setting("10", _whole(1, 10_000), "test pushes a phone may send itself")
    limits_url: str | None = setting(
        "",
        _database,
        "store of the rate limits; not set: a file beside the SQLite file, or a schema of its own in PostgreSQL",
    )
    trusted_proxies: int = setting(
        "0", _whole(0, 10), "how many proxies stand in front and set X-Forwarded-For and -Proto; 0 believes neither"
    )
    max_body_bytes: int = setting("2000000", _whole(10_000, 1_000_000_000), "largest request body, bytes")

    listen: str = setting(
        "127.0.0.1:8000", _text, "address and port of the web server (PORT wins, as Procfile hosts set it)"
    )
    web_processes: int = setting("2", _whole(1, 64), "processes of the web server")
    web_threads: int = setting("8", _whole(1, 128), "threads in each of them")
    log_level: str = setting("info", _one_of("debug", "info", "warning", "error"), "least severity that is logged")
    log_format: str = setting("json", _one_of("json", "console"), "`json`, one object a line, or `console` for people")

    def __post_init__(self) -> None:
        if self.lease_seconds < 2 * self.fcm_timeout:
            # One step may wait for a token and then for the answers: the lease must outlast both.
            raise SettingError("YOBIKAKE_LEASE_SECONDS must be at least twice YOBIKAKE_FCM_TIMEOUT")
        if self.limits_url is None:
            object.__setattr__(self, "limits_url", _limits_beside(self.database_url))

    @property
    def city_names(self) -> dict[str, str]:
        """The city's name by language, Japanese at least."""
        latin = self.city_name_en
        return {"ja": self.city_name} | ({"en": latin, "ko": latin} if latin else {})

    @property
    def zone(self) -> ZoneInfo:
        """The city's clock."""
        return ZoneInfo(self.time_zone)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Reads the `YOBIKAKE_…` variables, of the process when no mapping is given. An empty value counts as not set.

        Raises SettingError naming the variable and the reason, also for a variable that does not exist.
        """
        environ = os.environ if environ is None else environ
        known = variables()
        values: dict[str, Any] = {}
        for name in sorted(name for name in environ if name.startswith(PREFIX)):
            if name not in known:
                raise SettingError(f"{name}: there is no such setting{_hint(name, known)}")
            raw = environ[name].strip()
            if raw:
                values[known[name].name] = _parsed(name, raw, known[name].metadata["parse"])
        if environ.get("PORT") and "listen" not in values:
            values["listen"] = f"0.0.0.0:{_parsed('PORT', environ['PORT'], _whole(1, 65535))}"
        return cls(**values)


def variables() -> dict[str, dataclasses.Field[Any]]:
    """Every setting by the name of its variable, in the order of the document."""
    return {PREFIX + field.name.upper(): field for field in dataclasses.fields(Settings)}


def settings() -> Settings:
    """The settings of the running application."""
    found: Settings = current_app.extensions["yobikake.settings"]
    return found


def _parsed(name: str, raw: str, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(raw)
    except ValueError as error:
        shown = "…" if "://" in raw and "@" in raw else repr(raw)  # a URL may hold a password
        raise SettingError(f"{name}={shown}: {error}") from None


def _hint(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else "; docs/settings.md lists them all"


def _limits_beside(database_url: str) -> str:
    url = sa.make_url(database_url)
    if url.get_backend_name() == "sqlite":
        file = Path(str(url.database))
        url = url.set(database=str(file.with_name(f"{file.stem}-limits.db")))
    return url.render_as_string(hide_password=False)
