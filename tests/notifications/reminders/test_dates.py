"""Children's dates: told to families of a month, on days that are right for every birthday in it, once."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from content.childcare import programmes
from content.childcare.ages import days_of
from content.childcare.plans import Kind, Period, Plan
from content.childcare.timeline import of_month
from content.childcare.windows import parse
from content.texts import LANGUAGES
from database import transaction
from notifications import children, told
from notifications.children import Family
from notifications.dispatch import reminding
from notifications.messages import Message
from notifications.reminders import child_words, dates
from tests.notifications.builders import make_device, plan
from tests.notifications.reminders.streets import TOKYO, at, said

TEN = 10 * 60
TEXTS = {"ja": {"title": "BCG", "body": "予防接種です。"}, "en": {"title": "BCG", "body": "A vaccination."}}
SOURCE = {"source_name": "見本市"}


def make_plan(key="bcg", begins="5m", until="1y", **more):
    window = {name: {"age": age} for name, age in (("from", begins), ("until", until)) if age}
    period = Period("one", {"ja": "1回目", "en": "first"}, parse(window))
    return Plan(key, 1, Kind.VACCINE, TEXTS, (period,), provenance=SOURCE, **more)


@pytest.fixture
def town(monkeypatch):
    """The programmes of a town, as they would come from its table."""
    found = [make_plan(), make_plan("only-hama", areas=("04993",))]
    monkeypatch.setattr(
        programmes, "plans", lambda _session, codes: [p for p in found if programmes.offered(p.areas, codes)]
    )
    return found


def _tell(engine, now):
    posted = reminding.remind_of_dates(engine, now, TOKYO)
    with transaction(engine) as session:
        plan(session, now)
    return posted


def _family(session, born, minute=TEN, area=""):
    device = make_device(session)
    children.put(session, device.id, Family((born,), area, minute), dt.date(2026, 11, 21))
    return device.id


months = st.builds("{:04d}-{:02d}".format, st.integers(2020, 2028), st.integers(1, 12))
ages = st.sampled_from([("", "14d"), ("2m", "1y"), ("1y", "2y"), ("5m", ""), ("6m", "7y6m"), ("2m", "3m")])


@settings(max_examples=60)
@given(months, ages, st.integers(-40, 3000))
def test_what_is_told_of_a_month_is_right_for_every_birthday_in_it(month, ends, days):
    begins, until = ends
    window = ({"from": {"age": begins}} if begins else {}) | (
        {"until": {"age": until} if until != "14d" else {"after_birth": until}} if until else {}
    )
    one = Plan("x", 1, Kind.CHECK, TEXTS, (Period("one", {}, parse(window)),), provenance=SOURCE)
    births = days_of(month)
    today = births[0] + dt.timedelta(days=days)
    for event in dates.events(of_month([one], month, today, lambda _: True)):
        for birth in births:
            first, last = one.periods[0].window.of(birth, lambda _: True)
            if event.opens:
                assert event.day >= first, "nobody is sent too early"
                assert last is None or event.item.depends_on_day or event.item.ends_on <= last
            else:
                assert event.item.ends_on <= last, "nobody is told too late a deadline"
                assert event.day < event.item.ends_on


def test_a_family_is_told_once_on_the_day_with_source_and_caution(engine, town):
    with transaction(engine) as session:
        mine, theirs = _family(session, "2026-06"), _family(session, "2026-07")
        silent = make_device(session)
        children.put(session, silent.id, Family(("2026-06",)), dt.date(2026, 11, 21))
    day = "2026-11-30"  # five months for whoever was born on the last of June
    assert _tell(engine, at(f"{day}T09:59:50")) == 0
    assert _tell(engine, at(f"{day}T10:00:02")) == 1
    assert _tell(engine, at(f"{day}T10:00:09")) == 0
    with transaction(engine) as session:
        ((origin, title, recipients),) = said(session)
        assert recipients == {mine}
        assert theirs not in recipients
        assert origin == f"reminder:child:{day}T10:00:2026-06:"
        assert title == "【子育て】2026年6月生まれ：BCG（1回目）"
        message = session.scalars(sa.select(Message)).one()
        assert set(message.texts) == set(LANGUAGES)
        body = message.texts["ja"]["body"].splitlines()
        assert body[0] == "・BCG（1回目）：いま対象です（2026年11月30日から2027年5月31日まで）。"
        assert body[1].startswith("受ける時期や間隔は")
        assert body[-1] == "出典：見本市"
        assert message.texts["en"]["title"] == "Child born 2026-06: BCG (first)"
        assert (message.link, message.reason) == ("yobikake://child/2026-06", "reminder:child:2026-06")


def test_programmes_of_another_area_are_not_told(engine, town, monkeypatch):
    monkeypatch.setattr(dates, "codes_above", lambda _session, code: (code,))
    monkeypatch.setattr(children.areas, "get", lambda _session, _code: object())
    with transaction(engine) as session:
        here, there = _family(session, "2026-06"), _family(session, "2026-06", area="04993")
    assert _tell(engine, at("2026-11-30T10:00:02")) == 2
    with transaction(engine) as session:
        titles = {next(iter(ids)): title for _, title, ids in said(session)}
        assert titles[here] == "【子育て】2026年6月生まれ：BCG（1回目）"
        assert titles[there] == "【子育て】2026年6月生まれ：BCG（1回目） ほか1件"


def test_a_deadline_is_told_a_month_and_a_week_before(engine, town):
    with transaction(engine) as session:
        _family(session, "2026-06")
    for day, posted in (("2027-05-01", 1), ("2027-05-02", 0), ("2027-05-24", 1), ("2027-05-31", 0)):
        assert _tell(engine, at(f"{day}T10:00:02")) == posted, day
    with transaction(engine) as session:
        bodies = [message.texts["ja"]["body"] for message in session.scalars(sa.select(Message))]
        assert all(body.startswith("・BCG（1回目）：2027年5月31日までです。") for body in bodies)


def test_a_worker_that_was_down_for_a_day_tells_it_at_the_hour_that_was_chosen(engine, town):
    with transaction(engine) as session:
        mine = _family(session, "2026-06")
    assert _tell(engine, at("2026-11-29T23:00:00")) == 0
    night = at("2026-12-01T03:00:00")
    assert _tell(engine, night) == 1
    with transaction(engine) as session:
        message = session.scalars(sa.select(Message)).one()
        assert message.not_before == at("2026-12-01T10:00:00")
        assert not told.was_told(session, message.id, mine)
    with transaction(engine) as session:
        plan(session, at("2026-12-01T10:00:01"))
        assert told.was_told(session, message.id, mine)


def test_what_is_long_over_is_not_told(engine, town):
    with transaction(engine) as session:
        _family(session, "2026-06")
    assert _tell(engine, at("2026-11-29T23:00:00")) == 0
    assert _tell(engine, at("2026-12-05T12:00:00")) == 0


def test_many_dates_of_a_day_are_one_message_that_names_the_first_and_counts_the_rest():
    items = of_month([make_plan(f"p{n}") for n in range(6)], "2026-06", dt.date(2026, 11, 30), lambda _: True)
    events = [event for event in dates.events(items) if event.day == dt.date(2026, 11, 30)]
    texts = child_words.told("2026-06", dates.in_order(events))
    assert texts["ja"]["title"].endswith("BCG（1回目） ほか5件")
    assert texts["ja"]["body"].count("・BCG") == 4
    assert "ほか2件は" in texts["ja"]["body"]
