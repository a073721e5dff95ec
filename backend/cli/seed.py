"""`yobikake seed sample`: the invented city 見本市, to try the house with."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import click
import sqlalchemy as sa
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from backend import clock
from content import accounts, editors, notices, signing
from content.accounts import Account
from content.editors import Role
from content.notices import Content, NoticeRefused
from content.opendata.childcare_import import import_childcare
from content.opendata.event_import import EventOptions, import_events
from content.opendata.garbage_import import GarbageOptions, import_garbage
from database import db, transaction
from geo.opendata.area_import import AreaOptions, import_areas
from geo.opendata.postcode_import import import_postcodes
from geo.opendata.report import Report
from geo.opendata.site_import import ImportOptions, import_sites
from geo.sites import Site
from notifications import topics

SOURCE = "sample"
LICENCE = "Apache-2.0 (invented data that ship with Yobikake)"
AS_OF = dt.date(2026, 11, 1)
CITY_TZ = ZoneInfo("Asia/Tokyo")
# Two people, because nobody approves what he wrote himself; and what they sign in with.
PEOPLE = {"見本 起案者": Role.AUTHOR, "見本 承認者": Role.APPROVER}
LOGINS = {Role.AUTHOR: "author", Role.APPROVER: "approver"}


class NotEmpty(ValueError):
    """The database already holds places of a real city: invented shelters must never stand among them."""


class Spoilt(RuntimeError):
    """The files of the sample city were changed and can no longer be read."""


@dataclass(frozen=True, slots=True)
class Planted:
    """What came of it. `keys` has the key of each person added just now; it is kept nowhere else."""

    reports: list[Report]
    keys: dict[Role, str] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether anything of the city was written."""
        return any(report.writes for report in self.reports)


def plant(session: Session, now: dt.datetime) -> Planted:
    """Loads the sample city and its two people in the caller's transaction; a second call changes nothing.

    Raises NotEmpty when the database holds places from any other source.
    """
    other = session.scalar(sa.select(Site.source).where(Site.source != SOURCE).limit(1))
    if other is not None:
        raise NotEmpty(f"this database holds places of the source {other!r}; the sample city goes into an empty one")
    folder = files("backend") / "sample"
    area = AreaOptions(source=SOURCE, licence=LICENCE, as_of=AS_OF)
    site = ImportOptions(source=SOURCE, licence=LICENCE, as_of=AS_OF)
    event = EventOptions(source=SOURCE, licence=LICENCE, as_of=AS_OF)
    reports = [
        import_areas(session, (folder / "areas.geojson").read_bytes(), now, area),
        import_postcodes(session, (folder / "postcodes.csv").read_bytes()),
        import_sites(session, (folder / "sites.csv").read_bytes(), now, site),
        import_sites(session, (folder / "facilities.csv").read_bytes(), now, site),
        import_sites(session, (folder / "aeds.csv").read_bytes(), now, site),
        import_events(session, (folder / "events.csv").read_bytes(), now, event),
        import_childcare(session, (folder / "childcare.toml").read_bytes(), now),
    ]
    garbage = {"garbage.json": (folder / "garbage.json").read_bytes()}
    kept = GarbageOptions(source=SOURCE, licence=LICENCE, as_of=AS_OF)
    reports += import_garbage(session, garbage, now, kept).values()
    for report in reports:
        if report.refused or report.why_not:
            raise Spoilt("\n".join(report.lines_ja(report.format)))
    for position, topic in enumerate(json.loads((folder / "topics.json").read_text(encoding="utf-8"))):
        topics.put(session, position=position, **topic)
    keys = {
        role: editors.add(session, name, role, now)[1]
        for name, role in PEOPLE.items()
        if editors.by_name(session, name) is None
    }
    for given in json.loads((folder / "notices.json").read_text(encoding="utf-8")):
        _publish(session, now, **given)
    return Planted(reports, keys)


def invited(session: Session, now: dt.datetime) -> dict[Role, str]:
    """New one-time links' secrets for those of the two who never set a password; whoever did keeps it."""
    signing.ensure(session)
    found = {}
    for name, role in PEOPLE.items():
        person = editors.by_name(session, name)
        if person is None or person.disabled_at is not None:
            continue
        account = session.get(Account, person.id)
        if account is None or account.password_hash is None:
            login = LOGINS[role] if account is None else None
            if account is None and accounts.by_login(session, LOGINS[role]) is not None:
                continue  # somebody of this city has it
            found[role] = accounts.invite(session, person, login, now)
    return found


def _publish(session: Session, now: dt.datetime, slug: str, **said: Any) -> None:
    """A notice as two people would publish it, once. Its id is made of its name, and it rings nobody: nobody is there.

    Raises Spoilt when the proofreading finds something.
    """
    made = hashlib.sha256(f"sample notice {slug}".encode()).digest()
    known = base64.urlsafe_b64encode(made[:16]).decode().rstrip("=")
    if notices.by_public_id(session, known) is not None:
        return
    author, approver = (editors.by_name(session, name) for name in PEOPLE)
    if author is None or approver is None:
        raise Spoilt("the two people of the sample city are not there")
    try:
        notice = notices.create(session, Content(**said), actor=author, now=now, random_bytes=lambda n: made[:n])
        seen = notices.submit(session, notice, actor=author, version=notice.version, now=now, city_tz=CITY_TZ)
        notices.approve(session, notice, actor=approver, seen_hash=seen, now=now)
    except NoticeRefused as error:
        raise Spoilt(f"{slug}: {error}") from None


@click.group("seed")
def command() -> None:
    """Fill an empty database with invented data."""


@command.command("sample")
@with_appcontext
def sample() -> None:
    """Load the invented city 見本市: places, areas, garbage, child-rearing, events, notices, two people."""
    try:
        with transaction(db.engine) as session:
            planted = plant(session, clock.now())
    except NotEmpty as reason:
        raise click.ClickException(str(reason)) from None
    for report in planted.reports:
        for line in report.lines_ja("見本市"):
            click.echo(line)
    for role, key in planted.keys.items():
        click.echo(f"{role.ja}の鍵（一度しか表示しません）: {key}")
