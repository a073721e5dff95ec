"""A queue to send from: devices in the database, and a message planned for all of them in many groups."""

from __future__ import annotations

import datetime as dt
import json
import random

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from database import transaction
from notifications import messages, told
from notifications.audiences import Audience
from notifications.channels.promise import Outcome
from notifications.devices import Device
from notifications.dispatch import batches, groups
from notifications.dispatch.groups import Content
from notifications.identifier import digest
from notifications.messages import Kind, Lane, Message, Planning, Saying

# The planner's own chunk: within one, recipients of the same bytes stand together.
CHUNK = 5_000
TEXTS = {
    "ja": {
        "title": "【警戒レベル4・避難指示】見本市川端町 洪水",
        "body": "危険な場所から全員避難してください。川の水があふれるおそれがあります。近くの安全な建物へ。",
    }
}


def token_of(number: int) -> str:
    """A registration token as long as a real one."""
    return f"{number:010d}{'abcdefghijkl'}:APA91b{'x' * 134}"


def settle(engine: Engine, count: int, first: int = 1) -> None:
    """Puts devices with ids from `first` into the database, behind the doors."""
    now = dt.datetime.now(dt.UTC)
    for start in range(first, first + count, 20_000):
        rows = [
            {
                "id": number,
                "public_id": f"bench-{number:016d}",
                "secret_hash": digest(f"secret-{number}"),
                "platform": "android",
                "language": "ja",
                "app_version": "1",
                "token": token_of(number),
                "token_hash": digest(token_of(number)),
                "token_state": "active",
                "token_at": now,
                "created_at": now,
                "seen_at": now,
            }
            for number in range(start, min(start + 20_000, first + count))
        ]
        with transaction(engine) as session:
            session.execute(sa.insert(Device), rows)
    with transaction(engine) as session:
        if engine.dialect.name == "postgresql":
            session.execute(sa.text("SELECT setval('devices_id_seq', (SELECT max(id) FROM devices))"))
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("ANALYZE devices"))


def shelters_of(group: int) -> list[dict[str, object]]:
    """Three sites that only this group is told."""
    return [
        {
            "id": group * 10 + place,
            "name": f"第{group}-{place}小学校",
            "lat": round(38.2 + group * 1e-4, 6),
            "lon": round(140.8 + place * 1e-4, 6),
            "about_m": 300 + place * 150,
            "status": "unknown",
        }
        for place in range(3)
    ]


def put(engine: Engine, count: int, group_count: int, origin: str, first: int = 1) -> str:
    """Plans a message for devices `first`…: batches ready, one transaction; its public id.

    From the commit on a worker finds it. What the planner writes is written here in the same form.
    """
    now = dt.datetime.now(dt.UTC)
    rng = random.Random(origin)
    saying = Saying(
        origin=origin,
        thread=f"thread-{origin}"[:22].ljust(22, "x"),
        kind=Kind.ALERT,
        lane=Lane.EVACUATION,
        texts=TEXTS,
        link="https://push.mihon.example/v1/alerts/b7KdP4nH6fJ0aXq3Ue9sMg",
        reason="area:benchmark",
        audience=Audience(everyone=True),
        expires_at=now + dt.timedelta(hours=6),
        level=4,
        hazard="flood",
    )
    with transaction(engine) as session:
        message = messages.post(session, saying, now)
        session.execute(
            sa.update(Message).where(Message.id == message.id).values(planning=Planning.DONE.value, planned_at=now)
        )
        contents = [
            Content("ja", "android", "home", json.dumps(shelters_of(number), ensure_ascii=False))
            for number in range(group_count)
        ]
        ids = groups.ids_of(session, message.id, contents)
        told.mark(session, message.id, np.arange(first, first + count))
        for start in range(first, first + count, CHUNK):
            part = range(start, min(start + CHUNK, first + count))
            chosen = sorted((ids[rng.randrange(group_count)], number) for number in part)
            batches.append(
                session,
                message.id,
                message.rank,
                [number for _, number in chosen],
                [group for group, _ in chosen],
                [Outcome.PENDING] * len(chosen),
                now,
            )
        return message.public_id
