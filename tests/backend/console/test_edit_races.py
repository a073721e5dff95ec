"""Two people at once over one topic or event, on both stores: nothing is overwritten, and the second is told."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from typing import Any

import argon2
import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from backend.config import Settings
from content import accounts, editors, event_edits, journal, signing
from content.editors import Role
from content.events import Event
from database import db, transaction
from notifications import topics
from tests.backend.conftest import Clock, opened
from tests.backend.console.browser import Browser
from tests.backend.console.conftest import NOON, PASSWORD, Hall
from tests.notifications.builders import somebody_waits

TOPIC, EVENT = "/console/topics/water", "/console/events/1"
FACTS: dict[str, Any] = dict.fromkeys(event_edits.SAID) | {
    "name": "もちつき大会", "texts": {}, "status": "scheduled", "starts_on": dt.date(2026, 12, 20),
}  # fmt: skip

Sends = Callable[[], TestResponse]


class Meeting(Hall):
    """Two people who work at the same moment."""

    def at_once(self, first: Sends, second: Sends) -> tuple[TestResponse, TestResponse]:
        """The second's form arrives when the first's has done its work and nothing of it is committed yet."""
        later: list[TestResponse] = []
        thread = threading.Thread(target=lambda: later.append(second()))

        def wait(_session: object, _response: object) -> None:
            if thread.ident is None:
                thread.start()
                while thread.is_alive() and not somebody_waits(self.engine):
                    thread.join(0.01)

        hooks = self.app.extensions["yobikake.before_commit"]
        hooks.append(wait)
        try:
            earlier = first()
            thread.join(60)
        finally:
            hooks.remove(wait)
        return earlier, later[0]

    @property
    def engine(self) -> sa.Engine:
        with self.app.app_context():
            return db.engine

    def stored(self, wanted: sa.Select[Any]) -> Any:
        with transaction(self.engine, "read") as session:
            return session.execute(wanted).one()

    def journalled(self, action: str) -> list[str]:
        """Who did it."""
        with transaction(self.engine, "read") as session:
            return [one.name for one in journal.search(session, action=action)]


@pytest.fixture
def meeting(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Meeting]:
    monkeypatch.setattr(accounts, "hasher", argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    clock = Clock()
    clock.moment = NOON
    for app in opened(Settings(database_url=database_url), clock):
        with app.app_context(), transaction(db.engine) as session:
            signing.ensure(session)
            topics.put(session, "water", {"ja": "水道"})
            event_edits.create(session, FACTS, "1", NOON, NOON.date())
            for role in (Role.APPROVER, Role.DUTY_OFFICER):
                person = editors.add(session, role.ja, role, NOON)[0]
                account = accounts.accept(session, accounts.invite(session, person, role.value, NOON), PASSWORD, NOON)
                assert account is not None
                account.totp_confirmed_at = NOON
        yield Meeting(app, clock)


@pytest.fixture
def first(meeting: Meeting) -> Browser:
    return meeting.browser("approver")


@pytest.fixture
def second(meeting: Meeting) -> Browser:
    return meeting.browser("duty_officer")


def sends(browser: Browser, page: str, form: str = "", **answers: str) -> Sends:
    """The form of a page that this person has before him, filled in and ready to be sent."""
    browser.open(page)
    return lambda: browser.send(form, **answers)


def test_of_two_who_edit_a_topic_the_second_keeps_his_words_and_is_shown_the_others(
    meeting: Meeting, first: Browser, second: Browser
) -> None:
    one = sends(first, TOPIC, **{"names.ja": "上下水道"})
    other = sends(second, TOPIC, **{"names.ja": "水道・断水"})
    assert [answer.status_code for answer in meeting.at_once(one, other)] == [200, 409]
    assert "上下水道" in second.text
    assert second.form("").fields["names.ja"] == "水道・断水"
    name = sa.select(topics.Topic.names)
    assert meeting.stored(name)[0] == {"ja": "上下水道"}
    second.send("", overwrite="yes")
    assert meeting.stored(name)[0] == {"ja": "水道・断水"}


def test_a_topic_that_ends_meanwhile_stays_ended_and_unchanged(
    meeting: Meeting, first: Browser, second: Browser
) -> None:
    end, edit = sends(first, TOPIC, "/retire"), sends(second, TOPIC, **{"names.ja": "水道・断水"})
    assert [answer.status_code for answer in meeting.at_once(end, edit)] == [200, 409]
    assert tuple(meeting.stored(sa.select(topics.Topic.retired, topics.Topic.names))) == (True, {"ja": "水道"})


def test_a_topic_that_is_edited_meanwhile_ends_with_its_new_words(
    meeting: Meeting, first: Browser, second: Browser
) -> None:
    edit, end = sends(first, TOPIC, **{"names.ja": "上下水道"}), sends(second, TOPIC, "/retire")
    assert [answer.status_code for answer in meeting.at_once(edit, end)] == [200, 200]
    assert tuple(meeting.stored(sa.select(topics.Topic.retired, topics.Topic.names))) == (True, {"ja": "上下水道"})


def test_one_slug_is_given_once(meeting: Meeting, first: Browser, second: Browser) -> None:
    new = "/console/topics/new"
    both = sends(first, new, last="gas", **{"names.ja": "ガス"}), sends(second, new, last="gas", **{"names.ja": "電気"})
    assert [answer.status_code for answer in meeting.at_once(*both)] == [200, 422]
    assert second.form("").fields["names.ja"] == "電気"
    assert meeting.stored(sa.select(topics.Topic.names).where(topics.Topic.slug == "gas"))[0] == {"ja": "ガス"}


def test_of_two_who_edit_an_event_the_second_keeps_his_words_and_is_shown_the_others(
    meeting: Meeting, first: Browser, second: Browser
) -> None:
    edit = f"{EVENT}/edit"
    one, other = sends(first, edit, place_name="浜の集会所"), sends(second, edit, status="cancelled")
    assert [answer.status_code for answer in meeting.at_once(one, other)] == [200, 409]
    assert "浜の集会所" in second.text
    assert second.form("").fields["status"] == "cancelled"
    assert tuple(meeting.stored(sa.select(Event.place_name, Event.status))) == ("浜の集会所", "changed")


def test_an_event_that_is_taken_away_meanwhile_stays_away_and_unchanged(
    meeting: Meeting, first: Browser, second: Browser
) -> None:
    away, edit = sends(first, EVENT, "/withdraw"), sends(second, f"{EVENT}/edit", place_name="浜の集会所")
    assert [answer.status_code for answer in meeting.at_once(away, edit)] == [200, 409]
    assert tuple(meeting.stored(sa.select(Event.withdrawn_by, Event.place_name))) == ("承認者", None)


def test_an_event_is_taken_away_by_one_and_the_other_is_told(meeting: Meeting, first: Browser, second: Browser) -> None:
    both = sends(first, EVENT, "/withdraw"), sends(second, EVENT, "/withdraw")
    meeting.at_once(*both)
    assert "ほかの人が先に取り下げました" in second.text
    assert meeting.stored(sa.select(Event.withdrawn_by))[0] == "承認者"
    assert meeting.journalled("events.withdraw") == ["承認者"]
    both = sends(first, EVENT, "/show"), sends(second, EVENT, "/show")
    meeting.at_once(*both)
    assert "ほかの人が先にもう一度載せました" in second.text
    assert meeting.stored(sa.select(Event.withdrawn_by))[0] is None


def test_whoever_ticked_that_he_saw_one_change_does_not_overwrite_the_next_one_unseen(
    first: Browser, second: Browser
) -> None:
    edit = f"{EVENT}/edit"
    sends(second, edit, place_name="港の倉庫")
    sends(first, edit, place_name="浜の集会所")()
    second.send("", place_name="港の倉庫")
    assert "浜の集会所" in second.text
    sends(first, edit, fee="無料")()
    assert second.send("", overwrite="yes").status_code == 409
    assert "無料" in second.text
    assert second.send("", overwrite="yes").status_code == 200
    assert second.path == EVENT
