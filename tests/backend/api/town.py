"""A town at the doors: its staff with their keys, its phones with their secrets, its worker."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from content import editors
from content.editors import Role
from database import transaction
from notifications.channels.promise import Outlet
from notifications.dispatch.worker import Worker
from tests.backend.conftest import Clock
from tests.notifications.builders import AREA, INSIDE, make_site, make_token
from tests.notifications.dispatch.scripted import LEASE, RETRY_BASE, ScriptedChannel


class Town:
    """Speaks HTTP as phones and city hall do."""

    def __init__(self, client: FlaskClient, engine: Engine, clock: Clock) -> None:
        self.client, self.engine, self.clock = client, engine, clock
        self.channel = ScriptedChannel()
        self.keys: dict[str, str] = {}
        with transaction(engine) as session:
            for name, role in {
                "author": Role.AUTHOR, "approver": Role.APPROVER, "other": Role.APPROVER, "duty": Role.DUTY_OFFICER,
                "admin": Role.ADMINISTRATOR, "robot": Role.MACHINE,
            }.items():  # fmt: skip
                self.keys[name] = editors.add(session, name, role, clock())[1]
            make_site(session, 38.2430, 140.9370, name="北の高台")

    def call(self, method: str, path: str, body: Any = None, *, by: str | None = None, **headers: str) -> TestResponse:
        """A request by a person's name, or by a phone's secret."""
        if by is not None:
            headers["Authorization"] = f"Bearer {self.keys.get(by, by)}"
        return self.client.open(path, method=method, json=body, headers=headers)

    def ok(self, method: str, path: str, body: Any = None, *, by: str | None = None, **headers: str) -> Any:
        """The answer's JSON; fails for anything but success."""
        answer = self.call(method, path, body, by=by, **headers)
        assert 200 <= answer.status_code < 300, answer.get_data(as_text=True)
        return answer.get_json(silent=True)

    def phone(self, *, at: bool = False, token: bool = True, **wishes: Any) -> str:
        """Registers a phone and returns its secret; `at`: its home lies in the area."""
        wishes = {"platform": "android", "token": make_token() if token else None} | wishes
        secret: str = self.ok("POST", "/v1/devices", wishes)["secret"]
        if at:
            self.ok("PUT", "/v1/devices/me/places/home", {"lat": INSIDE.lat, "lon": INSIDE.lon}, by=secret)
        return secret

    def form(self, **changes: Any) -> dict[str, Any]:
        """A flood, level 4, over AREA for six hours."""
        until = (self.clock() + dt.timedelta(hours=6)).isoformat()
        form = {"hazard": "flood", "level": 4, "expires_at": until, "area_names": {"ja": "川沿い"}}
        return form | {"area": {"polygon": AREA}} | changes

    def draft(self, *, part: str = "alerts", by: str = "author", **changes: Any) -> dict[str, Any]:
        """An alert in draft."""
        made: dict[str, Any] = self.ok("POST", f"/v1/staff/{part}", self.form(**changes), by=by)
        return made

    def submit(self, alert: dict[str, Any], *, part: str = "alerts", by: str = "author") -> dict[str, Any]:
        """Hands it over."""
        path = f"/v1/staff/{part}/{alert['id']}/submit"
        done: dict[str, Any] = self.ok("POST", path, {"version": alert["version"]}, by=by)
        return done

    def approve(self, alert: dict[str, Any], *, part: str = "alerts", by: str = "approver") -> dict[str, Any]:
        """Releases it."""
        path = f"/v1/staff/{part}/{alert['id']}/approve"
        done: dict[str, Any] = self.ok("POST", path, {"content_hash": alert["content_hash"]}, by=by)
        return done

    def issue(self, *, part: str = "alerts", **changes: Any) -> dict[str, Any]:
        """An alert that two people released."""
        return self.approve(self.submit(self.draft(part=part, **changes), part=part), part=part)

    def work(self) -> None:
        """The worker does everything that is due."""
        Worker(
            self.engine, {Outlet.FCM: self.channel}, clock=self.clock, lease=LEASE, retry_base=RETRY_BASE,
            monotonic=lambda: self.clock().timestamp(),
        ).drain()  # fmt: skip


def problem(answer: TestResponse, status: int, slug: str) -> dict[str, Any]:
    """The problem of an answer, checked for its shape."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.content_type == "application/problem+json"
    body: dict[str, Any] = answer.get_json()
    assert (body["type"], body["status"]) == (f"/problems/{slug}", status)
    assert body["title"]
    return body


def fields(body: dict[str, Any]) -> list[str]:
    """The fields a problem names."""
    return [error["field"] for error in body["errors"]]
