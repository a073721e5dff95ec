"""City hall with its console running: processes, people with accounts, phones of residents, alerts in every state."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pyotp
import requests
import sqlalchemy as sa
from flask import Flask

from backend.cli import seed
from content import accounts, editors, second_factor, sign_ins, signing
from content.accounts import Account
from content.editors import Role
from content.sign_ins import Means
from database import transaction
from tests.stories.running import RunningCity, wait_for
from tests.tables import ROOT

PASSWORD = "広瀬川 2026 の水位"
COOKIE = "yobikake_console"
# A host of map tiles that nobody has: what asks it is answered by the browser itself (officer.py).
TILES = "https://tiles.example"
# 浜区 of the sample city, where its phones live, and a point in it.
SHORE = "04993"
INSIDE = (38.2250, 140.9650)


@dataclass(frozen=True, slots=True)
class Staff:
    """One of the people: what they type to sign in."""

    name: str
    login: str
    role: Role
    secret: str

    @property
    def code(self) -> str:
        """What their authenticator app shows now; each is good once."""
        return pyotp.TOTP(self.secret).now()


class Hall:
    """The sample city, its console and its people."""

    def __init__(self, folder: Path, database_url: str) -> None:
        tiles = {"MAP_TILES": f"{TILES}/{{z}}/{{x}}/{{y}}.png"}
        self.city = RunningCity(folder, database_url, SIGN_INS_PER_HOUR="100000", **tiles)
        self.engine = self.city.engine()
        self._numbers = count(1)
        self._employed: dict[Role, Staff] = {}
        self.phones: list[str] = []
        self._furnished = False

    def open(self) -> Hall:
        """Plants the sample city, starts everything and registers some phones at the shore."""
        with transaction(self.engine) as session:
            seed.plant(session, dt.datetime.now(dt.UTC))
            signing.ensure(session)
        self.city.start()
        self.city.start_worker()
        for number, language in enumerate(("ja", "ja", "en", "ja-x-easy", "zh-Hans", "ko")):
            self.register(f"resident-{number}-of-the-shore", language)
        return self

    def close(self) -> None:
        """Ends everything."""
        self.engine.dispose()
        self.city.stop()

    def register(self, token: str, language: str = "ja") -> None:
        """A phone whose home is at the shore."""
        form = {"platform": "android", "language": language, "app_version": "1", "token": token}
        key = self.city.ask("POST", "/v1/devices", json=form, status=201)["secret"]
        place = {"lat": INSIDE[0], "lon": INSIDE[1]}
        self.city.ask("PUT", "/v1/devices/me/places/home", key, json=place)
        self.phones.append(token)

    # ------------------------------------------------------------------------------------------ people

    def employ(self, role: Role) -> Staff:
        """Somebody new who has set a password and an authenticator app."""
        number = next(self._numbers)
        now = dt.datetime.now(dt.UTC)
        with transaction(self.engine) as session:
            person = editors.add(session, f"{role.ja} {number}号", role, now)[0]
            link = accounts.invite(session, person, f"{role.value}-{number}", now)
            account = accounts.accept(session, link, PASSWORD, now)
            assert account is not None
            assert account.totp_secret is not None
            account.totp_confirmed_at = now
            return Staff(person.name, account.login, role, account.totp_secret)

    def one(self, role: Role) -> Staff:
        """The same person of a role each time."""
        if role not in self._employed:
            self._employed[role] = self.employ(role)
        return self._employed[role]

    def invite(self, role: Role, name: str, login: str) -> str:
        """The one-time link of somebody new, as an administrator hands it over."""
        now = dt.datetime.now(dt.UTC)
        with transaction(self.engine) as session:
            token = accounts.invite(session, editors.add(session, name, role, now)[0], login, now)
        return f"{self.city.url}/console/welcome/{token}"

    def furnish(self) -> None:
        """Alerts, drills and notices in every state and a file handed in, so that no page is looked at empty."""
        if self._furnished:
            return
        self._furnished = True
        for kind in ("alerts", "drills"):
            self.city.draft(self.order("下書きの区域"), kind=kind)
            self.city.submit(self.city.draft(self.order("承認待ちの区域"), kind=kind), kind=kind)
            over = self.city.issue(self.order("終わった区域"), kind=kind)
            clear = self.city.ask("POST", f"/v1/staff/{kind}/{over['id']}/all-clear", self.city.author, json={})
            self.city.approve(clear, kind=kind)
            live = self.city.issue(self.order("発令中の区域", level=5), kind=kind)
            self.city.sent(live, kind=kind)
        for submitted in (False, True):
            text = {"title": "雪のため収集が遅れます", "body": "**朝8時**までに出してください。"}
            said = {"topic": "garbage", "texts": {"ja": text}}
            notice = self.city.ask("POST", "/v1/staff/notices", self.city.author, json=said, status=201)
            if submitted:
                path = f"/v1/staff/notices/{notice['id']}/submit"
                self.city.ask("POST", path, self.city.author, json={"version": notice["version"]})

        browser = self.browser(self.one(Role.DUTY_OFFICER))
        address = f"{self.city.url}/console/imports/new/sites"
        token = re.findall('name="csrf_token" value="([^"]+)"', browser.get(address, timeout=300).text)[0]
        rows = (ROOT / "backend" / "sample" / "sites.csv").read_text(encoding="utf-8").replace("小学校", "小中学校")
        form = {"csrf_token": token, "source": "sample", "licence": "CC BY 4.0", "as_of": "2026-11-02"}
        sent = browser.post(address, data=form, files={"files": ("避難所.csv", rows.encode())}, timeout=300)
        assert "小中学校" in sent.text, sent.text[:3000]

    def order(self, name: str, **changes: Any) -> dict[str, Any]:
        """A flood order for the shore ward."""
        until = dt.datetime.now(dt.UTC) + dt.timedelta(hours=6)
        names = {"ja": name, "en": "the shore ward"}
        return {
            "hazard": "flood", "level": 4, "area": {"areas": [SHORE]}, "area_names": names,
            "expires_at": until.isoformat(), **changes,
        }  # fmt: skip

    def browser(self, person: Staff) -> requests.Session:
        """A browser without eyes, in which this person has signed in."""
        made = requests.Session()
        made.trust_env = False
        cookie = self.cookie(person)
        made.cookies.set(cookie["name"], cookie["value"], domain="127.0.0.1", path="/console")
        return made

    def cookie(self, person: Staff, means: Means = Means.PASSWORD_AND_CODE) -> dict[str, Any]:
        """The cookie of a browser in which this person has signed in."""
        with transaction(self.engine) as session:
            account = session.scalars(sa.select(Account).filter_by(login=person.login)).one()
            return self._signed(sign_ins.begin(session, account.editor, means, dt.datetime.now(dt.UTC)), session)

    def half_signed_in(self) -> dict[str, Any]:
        """The cookie of somebody who has set a password and not yet an authenticator app."""
        person = self.employ(Role.READER)
        with transaction(self.engine) as session:
            account = session.scalars(sa.select(Account).filter_by(login=person.login)).one()
            account.totp_secret, account.totp_confirmed_at = second_factor.new_secret(), None
        return self.cookie(person, Means.PASSWORD)

    def _signed(self, token: str, session: Any) -> dict[str, Any]:
        app = Flask("keys")
        app.secret_key = signing.secret(session)
        signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        return {"name": COOKIE, "value": signer.dumps({"sign_in": token}), "url": f"{self.city.url}/console"}

    # ------------------------------------------------------------------------------------------ what came of it

    def rung(self, public_id: str, kind: str = "alerts") -> Counter[str]:
        """How often each phone rang for an alert or a drill, once its sending is over."""
        return self.city.rung(self.city.sent({"id": public_id}, kind=kind)["message_id"])

    def shown(self, token: str) -> list[dict[str, Any]]:
        """What a phone shows."""
        answer = self.city.http.get(f"{self.city.standin_url}/_standin/phones/{token}", timeout=10)
        return answer.json()["showing"]  # type: ignore[no-any-return]

    def shows(self, token: str, *words: str) -> dict[str, Any]:
        """Waits until a phone shows a notification whose title has all these words."""

        def right() -> dict[str, Any] | None:
            found = [one for one in self.shown(token) if all(word in one["title"] for word in words)]
            return found[0] if found else None

        found: dict[str, Any] = wait_for(right, f"a phone that shows {words!r}", 60)
        return found
