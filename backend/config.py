"""Settings: every `YOBIKAKE_…` variable, read and checked once. Only this module reads the environment."""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import current_app

from backend.values import (
    bearer_token,
    database_address,
    loopback_origin,
    number,
    one_of,
    path,
    push_services,
    text,
    tiles,
    truth,
    web_address,
    whole,
    zone_name,
)
from notifications.channels.webpush.vapid import check_subject

PREFIX = "YOBIKAKE_"


class SettingError(ValueError):
    """A setting cannot be used: the message names the variable and the reason."""


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
        "sqlite:///data/yobikake.db",
        database_address,
        "SQLite file (relative to the working directory) or PostgreSQL URL",
    )
    city_name: str = setting("見本市", text, "the city's name, shown on pages and in the API's title")
    city_name_en: str | None = setting("", text, "the same in Latin letters, for English and Korean texts")
    time_zone: str = setting("Asia/Tokyo", zone_name, "the city's clock, for days and for texts")
    public_url: str = setting("http://127.0.0.1:8000", web_address, "address under which residents reach this server")
    map_tiles: str = setting(
        "https://cyberjapandata.gsi.go.jp/xyz/pale/{z}/{x}/{y}.png",
        tiles,
        "where browsers of the console fetch the background of its maps; `none`: maps are drawn from our own data only",
    )
    map_credit: str = setting("地理院タイル", text, "whose background that is; stands on every map")
    map_credit_url: str = setting(
        "https://maps.gsi.go.jp/development/ichiran.html", web_address, "where that credit leads"
    )
    open_data_licence: str | None = setting(
        "", text, "licence of what the city says itself (notices, alerts) as open data, such as `CC BY 4.0`"
    )

    fcm_credentials: Path | None = setting("", path, "service account file of the Firebase project; without it no push")
    fcm_project: str | None = setting("", text, "Firebase project id, when it is not the one in the credentials")
    fcm_endpoint: str | None = setting(
        "", web_address, "another address than Google's: only for the stand-in that ships with Yobikake"
    )
    fcm_ca_file: Path | None = setting("", path, "certificates to trust at that other address; not set: public ones")
    fcm_sender: str = setting(
        "auto",
        one_of("auto", "curl", "library"),
        "`curl` (fast), `library` (Firebase's own) or `auto`: the best there is",
    )
    fcm_timeout: float = setting("10", number(1, 120), "seconds to wait for the provider's answer")
    fcm_connections: int = setting(
        "32", whole(1, 64), "HTTP/2 connections of one worker at most, a hundred messages at once on each"
    )
    fcm_quota_per_minute: int = setting(
        "600000", whole(60, 100_000_000), "messages a minute that Google grants the project; 95 % of it is used"
    )
    fcm_quota_share: float = setting(
        "1", number(0.01, 1), "share of that quota for Yobikake, when another system sends by the same project"
    )
    fcm_ramp_seconds: float = setting(
        "60", number(0, 3600), "seconds from nothing to the full quota (Google asks for at least 60); 0: no ramp"
    )
    batches_at_once: int = setting(
        "64", whole(1, 256), "batches a worker has in flight at most; a crash repeats at most fifty phones of each"
    )
    ios_critical: bool = setting(
        "false", truth, "Apple granted the entitlement for critical alerts to the city's app: use it for level 5"
    )

    vapid_key: Path | None = setting(
        "", path, "the city's key for Web Push, as `yobikake webpush keys` makes one; without it no Web Push"
    )
    vapid_subject: str | None = setting(
        "", check_subject, "whom a push service writes to when something goes wrong: `mailto:…` or `https:…`"
    )
    webpush_services: tuple[str, ...] | None = setting(
        "",
        push_services,
        "push services beside those of the great browsers, such as `ntfy.sh,*.push.example.org`; `*` any public host",
    )
    webpush_timeout: float = setting("10", number(1, 120), "seconds to wait for a push service's answer")
    webpush_connections: int = setting("16", whole(1, 64), "connections of one worker to known push services at most")
    webpush_proxy: bool = setting(
        "false", truth, "reach push services by the proxy of HTTPS_PROXY, which then resolves their names; not with `*`"
    )
    webpush_standin: str | None = setting(
        "", loopback_origin, "a stand-in's address on this machine, which is then the only push service that is served"
    )

    lease_seconds: float = setting(
        "30", number(2, 600), "how long a worker holds a batch before another may take it; at least twice the timeout"
    )
    retry_seconds: float = setting(
        "10", number(0.1, 600), "first wait after a refusal without Retry-After; it doubles each time, to five minutes"
    )
    driver: str = setting(
        "auto",
        one_of("auto", "embedded", "fleet"),
        "how workers learn of work: `embedded` (one machine), `fleet` (any number, PostgreSQL) or `auto`: by the store",
    )
    poll_seconds: float = setting("0.2", number(0.01, 60), "how often an idle embedded worker looks for work")
    fleet_poll_seconds: float = setting(
        "2", number(0.1, 60), "how often an idle worker of a fleet looks by itself, should a nudge be lost"
    )
    approval_minutes: int = setting("30", whole(1, 1440), "minutes after which a submitted alert's approval lapses")
    operator_webhook_url: str | None = setting(
        "", web_address, "address that is told of incidents an operator must act on (JSON by POST)"
    )

    keep_groups_days: int = setting(
        "7", whole(1, 3650), "days after its expiry for which a message's ledger says who was shown which shelters"
    )
    keep_outcomes_days: int = setting(
        "92", whole(1, 3650), "days after its expiry for which it says what became of each phone; then only sums"
    )
    keep_receipts_days: int = setting(
        "92", whole(1, 3650), "days after a message's expiry for which receipts of phones are kept; then only sums"
    )
    keep_told_days: int = setting(
        "366", whole(31, 36_500), "days after its expiry for which one bit a phone says who was told a message"
    )
    token_days: int = setting(
        "270", whole(31, 3650), "days without contact after which a phone's token is dropped, as FCM advises"
    )
    device_days: int = setting(
        "400", whole(31, 36_500), "days without contact after which a phone is erased with all that is kept of it"
    )
    metrics_token: str | None = setting(
        "", bearer_token, "key that `/metrics` asks for (Authorization: Bearer); not set: there are no metrics"
    )

    registrations_per_hour: int = setting(
        "300", whole(1, 1_000_000), "registrations of phones from one address (carriers put many phones behind one)"
    )
    test_pushes_per_hour: int = setting("10", whole(1, 10_000), "test pushes a phone may send itself")
    sign_ins_per_hour: int = setting(
        "300", whole(1, 100_000), "attempts to sign in to the console from one address (a city hall is often one)"
    )
    console_idle_minutes: int = setting(
        "60", whole(5, 1440), "minutes without a page after which the console asks to sign in again"
    )
    console_hours: int = setting("12", whole(1, 168), "hours after which it asks in any case")
    limits_url: str | None = setting(
        "",
        database_address,
        "store of the rate limits; not set: a file beside the SQLite file, or a schema of its own in PostgreSQL",
    )
    trusted_proxies: int = setting(
        "0", whole(0, 10), "how many proxies stand in front and set X-Forwarded-For and -Proto; 0 believes neither"
    )
    max_body_bytes: int = setting("2000000", whole(10_000, 1_000_000_000), "largest request body, bytes")

    listen: str = setting("127.0.0.1:8000", text, "address and port of the web server; not set: PORT, if there is one")
    web_processes: int = setting("2", whole(1, 64), "processes of the web server")
    web_threads: int = setting("8", whole(1, 128), "threads in each of them")
    log_level: str = setting("info", one_of("debug", "info", "warning", "error"), "least severity that is logged")
    log_format: str = setting("json", one_of("json", "console"), "`json`, one object a line, or `console` for people")

    def __post_init__(self) -> None:
        timeouts = {"FCM_TIMEOUT": self.fcm_timeout}
        if self.vapid_key is not None:
            timeouts["WEBPUSH_TIMEOUT"] = self.webpush_timeout
        for name, timeout in timeouts.items():
            if self.lease_seconds < 2 * timeout:
                # One step may wait for a token and then for the answers: the lease must outlast both.
                raise SettingError(f"YOBIKAKE_LEASE_SECONDS must be at least twice YOBIKAKE_{name}")
        if self.vapid_key is not None and self.vapid_subject is None:
            raise SettingError("YOBIKAKE_VAPID_SUBJECT must be set with YOBIKAKE_VAPID_KEY")
        if self.driver == "fleet" and self.database_url.startswith("sqlite"):
            raise SettingError("YOBIKAKE_DRIVER=fleet needs PostgreSQL: SQLite is one file on one machine")
        if self.limits_url is None:
            object.__setattr__(self, "limits_url", _limits_beside(self.database_url))

    @property
    def driving(self) -> Literal["embedded", "fleet"]:
        """The driver that is meant: with `auto` the fleet's on PostgreSQL, which is also right for one worker."""
        embedded = self.driver == "embedded" or self.database_url.startswith("sqlite")
        return "embedded" if embedded else "fleet"

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
            values["listen"] = f"0.0.0.0:{_parsed('PORT', environ['PORT'], whole(1, 65535))}"
        return cls(**values)


def variables() -> dict[str, dataclasses.Field[Any]]:
    """Every setting by the name of its variable, in the order of the document."""
    return {PREFIX + field.name.upper(): field for field in dataclasses.fields(Settings)}


def child_environment(**values: str) -> dict[str, str]:
    """The environment for a process started by this one: its own, with these settings (names of fields) in it."""
    return {**os.environ, **{PREFIX + name.upper(): value for name, value in values.items()}}


def settings() -> Settings:
    """The settings of the running application."""
    found: Settings = current_app.extensions["yobikake.settings"]
    return found


def _parsed(name: str, raw: str, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(raw)
    except ValueError as error:
        shown = "…" if ("://" in raw and "@" in raw) or name.endswith("_TOKEN") else repr(raw)  # a password, a key
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
