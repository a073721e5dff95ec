"""The reminder of a collection day says what the rules say at that moment, to those who asked for that hour, once."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from content.texts import LANGUAGES
from database import transaction
from notifications import garbage_days
from notifications.dispatch import reminding
from notifications.dispatch.groups import Group
from notifications.garbage_days import GarbageWish
from notifications.messages import Message
from notifications.places import PlaceName
from tests.notifications.builders import make_device, plan
from tests.notifications.reminders.streets import (
    EVENING,
    MORNING,
    TOKYO,
    at,
    change,
    make_asker,
    make_category,
    make_garbage_area,
    make_rule,
    said,
)

# Sunday 22 November 2026 is collected; at 19:00 the day before, reminders go out.
SATURDAY = at("2026-11-21T19:00:03")
SUNDAY = dt.date(2026, 11, 22)
SIX = 6


@pytest.fixture
def streets(engine):
    """Two areas with the same calendar and a third with none on Sundays."""
    with transaction(engine) as session:
        burnable = make_category(session, "家庭ごみ", en="Household")
        paper = make_category(session, "紙類", position=1)
        north, south, east = (make_garbage_area(session, name) for name in ("北", "南", "東"))
        for area in (north, south):
            make_rule(session, area, burnable, weekdays=[SIX])
            make_rule(session, area, paper, weekdays=[SIX], nths=[4])
        make_rule(session, east, paper, weekdays=[2])
    return {"burnable": burnable, "paper": paper, "north": north, "south": south, "east": east}


def _remind(engine, now):
    posted = reminding.remind_of_garbage(engine, now, TOKYO)
    with transaction(engine) as session:
        plan(session, now)
    return posted


def test_areas_with_the_same_words_share_one_message_and_others_get_none(engine, streets):
    with transaction(engine) as session:
        people = {name: make_asker(session, streets[name]).id for name in ("north", "south", "east")}
        later = make_asker(session, streets["north"], evening=EVENING + 30).id
        only_paper = make_asker(session, streets["south"], categories=(streets["paper"],)).id
        make_device(session)
    assert _remind(engine, SATURDAY) == 2
    with transaction(engine) as session:
        (one, both), (other, paper) = sorted((title, ids) for _, title, ids in said(session))
        assert one == "【ごみ】11月22日（日）は家庭ごみ・紙類"
        assert both == {people["north"], people["south"]}
        assert (other, paper) == ("【ごみ】11月22日（日）は紙類", {only_paper})
        message = session.scalars(sa.select(Message).where(Message.reason == "reminder:garbage:evening")).first()
        assert set(message.texts) == set(LANGUAGES)
        assert message.texts["en"]["title"] in ("Garbage Sun 22 Nov: Household, 紙類", "Garbage Sun 22 Nov: 紙類")
        assert "8時30分までに" in message.texts["ja"]["body"]
        assert message.expires_at == at("2026-11-22T08:30:00")
        assert message.origin.startswith("reminder:garbage:2026-11-21T19:00:evening:")
        assert (message.kind, message.link) == ("garbage", "yobikake://garbage/2026-11-22")
    assert _remind(engine, SATURDAY + dt.timedelta(seconds=30)) == 0
    assert _remind(engine, SATURDAY + dt.timedelta(minutes=30)) == 1
    with transaction(engine) as session:
        assert [ids for *_, ids in said(session)][-1] == {later}


def test_morning_and_evening_are_hours_of_their_own(engine, streets):
    with transaction(engine) as session:
        both = make_asker(session, streets["north"], EVENING, MORNING).id
    assert _remind(engine, SATURDAY) == 1
    assert _remind(engine, at("2026-11-22T06:30:01")) == 1
    with transaction(engine) as session:
        threads = set(session.scalars(sa.select(Message.thread)))
        assert len(threads) == 1, "the morning's replaces the evening's on the phone"
        assert [ids for *_, ids in said(session)] == [{both}, {both}]
    assert _remind(engine, at("2026-11-22T19:00:01")) == 0, "nothing is collected on Monday"


@pytest.mark.parametrize(
    ("back", "messages"),
    [("2026-11-21T19:20:00", 1), ("2026-11-21T21:59:00", 1), ("2026-11-21T23:50:00", 0), ("2026-11-22T09:00:00", 0)],
)
def test_a_worker_that_was_down_sends_what_is_not_stale(engine, streets, back, messages):
    with transaction(engine) as session:
        make_asker(session, streets["north"])
    assert _remind(engine, at("2026-11-21T18:00:10")) == 0
    assert _remind(engine, at(back)) == messages


def test_a_morning_hour_after_the_collection_says_nothing(engine, streets):
    with transaction(engine) as session:
        make_asker(session, streets["north"], None, 9 * 60)
        make_asker(session, streets["north"], None, 8 * 60)
    assert _remind(engine, at("2026-11-22T08:31:00")) == 0, "at 8:31 also that of eight o'clock is too late"
    assert _remind(engine, at("2026-11-22T09:00:10")) == 0


def test_what_the_city_entered_in_time_simply_shows(engine, streets):
    with transaction(engine) as session:
        make_asker(session, streets["north"])
        change(session, SATURDAY, "closed", SUNDAY, category_id=streets["paper"])
        change(session, SATURDAY, "moved", SUNDAY, category_id=streets["burnable"], moved_to=dt.date(2026, 11, 24))
    assert _remind(engine, SATURDAY) == 1
    with transaction(engine) as session:
        (message,) = session.scalars(sa.select(Message))
        assert message.texts["ja"] == {
            "title": "【ごみ】11月22日（日）は収集がありません",
            "body": "家庭ごみの収集はありません（11月24日（火）に振替）。紙類の収集はありません。",
        }
    assert _remind(engine, at("2026-11-23T19:00:10")) == 1
    with transaction(engine) as session:
        assert (
            "11月22日（日）の分の振替"
            in session.scalars(sa.select(Message).order_by(Message.id)).all()[1].texts["ja"]["body"]
        )


def test_a_device_with_two_areas_alike_is_told_once_by_its_dearest_name(engine, streets):
    with transaction(engine) as session:
        device = make_device(session)
        wishes = [
            GarbageWish(streets["south"], PlaceName.FAMILY, EVENING), GarbageWish(streets["north"], evening=EVENING),
        ]  # fmt: skip
        garbage_days.put(session, device.id, wishes)
        number = device.id
    assert _remind(engine, SATURDAY) == 1
    with transaction(engine) as session:
        assert [ids for *_, ids in said(session)] == [{number}]
        assert session.scalars(sa.select(Group.place)).all() == ["home"]


def test_a_frozen_worker_that_wakes_up_posts_nothing(engine, streets):
    """It reckoned before another one posted: the clock that it wants to move has been moved."""
    with transaction(engine) as session:
        make_asker(session, streets["north"])
    first = reminding.clocks.due
    calls = []

    def frozen(session, *rest):
        found = first(session, *rest)
        calls.append(found)
        return found

    with transaction(engine, "read") as session:
        struck = first(session, "garbage", SATURDAY, dt.timedelta(hours=3), TOKYO)
    assert _remind(engine, SATURDAY) == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reminding.clocks, "due", lambda *_: struck)
        assert _remind(engine, SATURDAY) == 0
    with transaction(engine) as session:
        assert len(said(session)) == 1
