"""Builders for tests of notifications: small data near one drawn area, everything by the real functions."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from content import editors
from content.editors import Role
from database import transaction
from geo import mesh, sites
from geo.hazards import Hazard, mask_of
from geo.point import Point
from geo.sites import Site, SiteKind, SiteStatus
from notifications import approval, dangers, devices, drafting, messages, places
from notifications.alerts import Act, Alert
from notifications.audiences import Audience
from notifications.devices import Device, Platform
from notifications.dispatch import planner
from notifications.drafting import Spec
from notifications.identifier import digest
from notifications.messages import Kind, Lane, Message, Saying
from notifications.places import Place, PlaceName

NOW = dt.datetime(2026, 9, 1, 3, 0, tzinfo=dt.UTC)
SECOND, MINUTE, HOUR = dt.timedelta(seconds=1), dt.timedelta(minutes=1), dt.timedelta(hours=1)
TOKYO = ZoneInfo("Asia/Tokyo")
CITY = {"ja": "見本市", "en": "Mihon"}
PUBLIC_URL = "https://push.example.jp"
TEXTS = {"ja": {"title": "題", "body": "文"}, "en": {"title": "Title", "body": "Body"}}

INSIDE = Point(38.235, 140.937)  # in a cell wholly inside AREA
RIM = Point(38.2301, 140.937)  # inside AREA, in a cell that its edge crosses
OUTSIDE = Point(38.300, 140.900)

_numbers = itertools.count(1)


def rectangle(south: float, west: float, north: float, east: float) -> dict[str, Any]:
    """A GeoJSON polygon."""
    corners = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [corners]}


AREA = rectangle(38.2300, 140.9300, 38.2400, 140.9440)  # some hundred cells
NEXT_AREA = rectangle(38.2450, 140.9300, 38.2500, 140.9440)  # north of it, apart


def make_token() -> str:
    """A registration token that nobody has."""
    return f"token-{next(_numbers):06d}-abcdef"


def make_device(
    session: Session,
    at: Mapping[PlaceName | str, Point | int] | Point | None = None,
    *,
    language: str = "ja",
    platform: Platform = Platform.ANDROID,
    token: str | None = "new",
    now: dt.datetime = NOW,
) -> Device:
    """A phone; `at` is its home, or its places by name, as positions or cells."""
    device = devices.register(
        session,
        platform=platform,
        language=language,
        app_version="1",
        token=make_token() if token == "new" else token,
        now=now,
    ).device
    for name, where in (at if isinstance(at, Mapping) else {PlaceName.HOME: at} if at else {}).items():
        put_place(session, device, name, where, now)
    return device


def make_phones(session: Session, number: int, cells: Sequence[int] = (), now: dt.datetime = NOW) -> list[str]:
    """Many phones at once, with homes in these cells in turn; their tokens in the order of their ids."""
    if number == 0:
        return []
    tokens = [make_token() for _ in range(number)]
    rows = [
        {
            "public_id": token, "secret_hash": token.encode(), "platform": "android", "language": "ja",
            "app_version": "1", "token": token, "token_hash": digest(token), "token_state": "active", "token_at": now,
            "created_at": now, "seen_at": now,
        }
        for token in tokens
    ]  # fmt: skip
    ids = session.scalars(sa.insert(Device).returning(Device.id, sort_by_parameter_order=True), rows).all()
    if cells:
        homes = [
            {"cell": cell, "device_id": device_id, "name": "home", "origin_cell": cell, "updated_at": now}
            for device_id, cell in zip(ids, itertools.cycle(cells), strict=False)
        ]
        session.execute(sa.insert(Place), homes)
    return tokens


def put_place(
    session: Session, device: Device, name: PlaceName | str, where: Point | int, now: dt.datetime = NOW
) -> tuple[int, ...]:
    """Puts a place without greeting."""
    cells = (where,) if isinstance(where, int) else (mesh.cell_of(where),)
    places.put(session, device.id, PlaceName(name), cells, now)
    return cells


def make_site(
    session: Session,
    lat: float,
    lon: float,
    *,
    name: str | None = None,
    hazards: tuple[Hazard, ...] = (Hazard.FLOOD,),
    kind: SiteKind = SiteKind.EMERGENCY_EVACUATION_SITE,
    status: SiteStatus = SiteStatus.UNKNOWN,
) -> Site:
    """A designated place."""
    number = next(_numbers)
    site = Site(
        source="test", source_id=str(number), kind=kind.value, name=name or f"避難場所{number}", lat=lat, lon=lon,
        hazards=mask_of(hazards), status=status.value,
    )  # fmt: skip
    session.add(site)
    session.flush()
    sites.bump_revision(session)
    return site


def make_people(session: Session) -> SimpleNamespace:
    """An author, two approvers, a duty officer, an administrator and a machine."""
    roles = {
        "author": Role.AUTHOR,
        "approver": Role.APPROVER,
        "other": Role.APPROVER,
        "duty": Role.DUTY_OFFICER,
        "admin": Role.ADMINISTRATOR,
        "robot": Role.MACHINE,
    }
    return SimpleNamespace(**{name: editors.add(session, name, role, NOW)[0] for name, role in roles.items()})


def spec(now: dt.datetime = NOW, **changes: Any) -> Spec:
    """A flood, level 4, over AREA for six hours."""
    return replace(
        Spec(Hazard.FLOOD, 4, now + 6 * HOUR, polygon=AREA, area_names={"ja": "川沿い"}),
        **changes,
    )


def make_draft(
    session: Session,
    people: SimpleNamespace,
    now: dt.datetime = NOW,
    *,
    drill: bool = False,
    act: Act = Act.ORDER,
    follows: Alert | None = None,
    **changes: Any,
) -> Alert:
    """An alert in draft, by the author."""
    return drafting.draft(
        session, spec(now, **changes), actor=people.author, drill=drill, now=now, city=CITY, act=act, follows=follows
    )


def submit(session: Session, alert: Alert, actor: editors.Editor, now: dt.datetime = NOW, **more: Any) -> str:
    """Submits the newest version."""
    return approval.submit(session, alert, actor=actor, version=alert.version, now=now, city_zone=TOKYO, **more)


def approve(session: Session, alert: Alert, actor: editors.Editor, seen: str, now: dt.datetime = NOW) -> Message:
    """Approves what has this hash."""
    return approval.approve(session, alert, actor=actor, seen_hash=seen, now=now, public_url=PUBLIC_URL)


def make_alert(
    session: Session,
    people: SimpleNamespace,
    now: dt.datetime = NOW,
    *,
    drill: bool = False,
    act: Act = Act.ORDER,
    follows: Alert | None = None,
    **changes: Any,
) -> tuple[Alert, Message]:
    """An alert that two people released, and its message."""
    alert = make_draft(session, people, now, drill=drill, act=act, follows=follows, **changes)
    seen = submit(session, alert, people.author, now)
    return alert, approve(session, alert, people.approver, seen, now)


def make_area(session: Session, polygon: dict[str, Any] = AREA) -> dangers.DangerArea:
    """A danger area of a polygon."""
    return dangers.compose(session, polygon=polygon, area_codes=(), minus_area_codes=(), minus_polygon=None)


def make_message(session: Session, audience: Audience, now: dt.datetime = NOW, **changes: Any) -> Message:
    """A notice to an audience, said now."""
    saying = Saying(
        origin=f"test-origin:{next(_numbers)}",
        thread="t" * 22,
        kind=Kind.NOTICE,
        lane=Lane.NOTICE,
        texts=TEXTS,
        link="https://push.example.jp/x",
        reason="topic:x",
        audience=audience,
        expires_at=now + 6 * HOUR,
    )
    return messages.post(session, replace(saying, **changes), now)


def plan(session: Session, now: dt.datetime = NOW) -> int:
    """Plans everything that is due, in this session; returns how many devices were added."""
    added = 0
    while (message := planner.claim(session, now)) is not None:
        added += planner.plan_chunk(session, message, now)
    return added


def overlapping(engine: Engine, first: Callable[[Session], Any], second: Callable[[Session], Any]) -> tuple[Any, Any]:
    """Runs two transactions that overlap: the second begins when the first has done its work and not committed yet.

    Raises what the second raised.
    """
    begun, answers, failures = threading.Event(), [], []

    def behind() -> None:
        try:
            begun.set()
            with transaction(engine) as session:
                answers.append(second(session))
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=behind)
    with transaction(engine) as session:
        answer = first(session)
        session.flush()
        thread.start()
        begun.wait(20)
        while thread.is_alive() and not somebody_waits(engine):
            thread.join(0.01)
    thread.join(60)
    if failures:
        raise failures[0]
    return answer, answers[0]


def somebody_waits(engine: Engine) -> bool:
    """Whether a transaction waits for another one."""
    if engine.dialect.name != "postgresql":
        return True  # SQLite has one writer: the second one waits at its BEGIN
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with engine.connect() as connection:
        return bool(connection.exec_driver_sql(query).scalar_one())
