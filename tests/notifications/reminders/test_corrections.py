"""A day that changes after its reminder: taken back once, to those who were told and still ask."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from content.texts import LANGUAGES
from database import transaction
from notifications import garbage_days
from notifications.dispatch import reminding
from notifications.dispatch.batches import Batch
from notifications.garbage_days import GarbageWish
from notifications.messages import Message
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
    take_back_changes,
    withdraw_area,
)

SATURDAY, SUNDAY = at("2026-11-21T19:00:03"), dt.date(2026, 11, 22)
LATER = at("2026-11-21T20:15:00")


@pytest.fixture
def street(engine):
    with transaction(engine) as session:
        burnable, paper = make_category(session, "家庭ごみ"), make_category(session, "紙類", position=1)
        area, other = make_garbage_area(session, "北"), make_garbage_area(session, "南")
        for one in (area, other):
            make_rule(session, one, burnable, weekdays=[6])
            make_rule(session, one, paper, weekdays=[6])
        return {"area": area, "other": other, "burnable": burnable, "paper": paper}


def _work(engine, now, *, sent=True):
    """Reminders, corrections, planning; `sent`: batches are handed over and closed."""
    reminding.remind_of_garbage(engine, now, TOKYO)
    posted = reminding.correct(engine, now, TOKYO)
    for _ in range(3):
        with transaction(engine) as session:
            plan(session, now)
            if sent:
                session.execute(sa.update(Batch).values(state="closed"))
    return posted


def test_those_who_were_told_and_still_ask_are_corrected_once(engine, street):
    with transaction(engine) as session:
        stays = make_asker(session, street["area"]).id
        both = make_asker(session, street["area"], EVENING, MORNING).id
        moves, other = make_asker(session, street["area"]).id, make_asker(session, street["other"]).id
    assert _work(engine, SATURDAY) == 0
    with transaction(engine) as session:
        change(session, LATER, "closed", SUNDAY, category_id=street["paper"], area_id=street["area"])
        garbage_days.put(session, moves, [GarbageWish(street["other"], evening=EVENING)])
        newcomer = make_asker(session, street["area"]).id
    assert _work(engine, LATER) == 1
    with transaction(engine) as session:
        (_, _, told), (origin, title, corrected) = said(session)
        assert told == {stays, both, moves, other}
        assert (origin[:19], title) == ("correction:garbage:", "【訂正】【ごみ】11月22日（日）は家庭ごみ")
        assert corrected == {stays, both}
        assert newcomer not in corrected
        first, second = session.scalars(sa.select(Message).order_by(Message.id))
        assert second.thread == first.thread, "it replaces the wrong one on the phone"
        assert "正しくなくなりました" in second.texts["ja"]["body"]
        assert "紙類の収集はありません。" in second.texts["ja"]["body"]
    assert _work(engine, LATER + dt.timedelta(minutes=1)) == 0
    _work(engine, at("2026-11-22T06:30:10"))
    with transaction(engine) as session:
        assert len(said(session)) == 3, "the morning's reminder is right by itself and needs no correction"
        assert said(session)[2][2] == {both}


def test_a_change_of_words_or_of_another_day_corrects_nothing(engine, street):
    with transaction(engine) as session:
        make_asker(session, street["area"])
    _work(engine, SATURDAY)
    with transaction(engine) as session:
        change(session, LATER, "closed", SUNDAY + dt.timedelta(days=7))
    assert _work(engine, LATER) == 0


def test_a_change_taken_back_is_corrected_back(engine, street):
    with transaction(engine) as session:
        one = make_asker(session, street["area"]).id
    _work(engine, SATURDAY)
    with transaction(engine) as session:
        change(session, LATER, "closed", SUNDAY)
    assert _work(engine, LATER) == 1
    with transaction(engine) as session:
        take_back_changes(session, LATER)
    assert _work(engine, LATER + dt.timedelta(minutes=5)) == 1
    with transaction(engine) as session:
        assert [(title, ids) for _, title, ids in said(session)] == [
            ("【ごみ】11月22日（日）は家庭ごみ・紙類", {one}),
            ("【訂正】【ごみ】11月22日（日）は収集がありません", {one}),
            ("【訂正】【ごみ】11月22日（日）は家庭ごみ・紙類", {one}),
        ]


def test_who_was_told_of_an_area_that_is_withdrawn_is_asked_to_choose_again_and_not_told_that_nothing_is_collected(
    engine, street
):
    with transaction(engine) as session:
        gone, stays = make_asker(session, street["area"]).id, make_asker(session, street["other"]).id
    _work(engine, SATURDAY)
    with transaction(engine) as session:
        change(session, LATER, "closed", SUNDAY, area_id=street["other"])
        withdraw_area(session, street["area"], LATER)
    assert _work(engine, LATER) == 2
    with transaction(engine) as session:
        _, *corrected = said(session)
        assert {(title, *ids) for _, title, ids in corrected} == {
            ("【訂正】【ごみ】収集地区が変わりました", gone),
            ("【訂正】【ごみ】11月22日（日）は収集がありません", stays),
        }
        texts = next(m.texts for m in session.scalars(sa.select(Message)) if "収集地区" in m.texts["ja"]["title"])
        assert set(texts) == set(LANGUAGES)
        assert texts["ja"]["body"].endswith("アプリで収集地区を選び直してください。")
        assert "11月22日（日）" in texts["ja"]["body"]
        assert "no collection" not in str(texts["en"])
    assert _work(engine, LATER + dt.timedelta(minutes=1)) == 0


def test_an_area_that_comes_back_is_corrected_back_whatever_is_collected_there(engine, street):
    with transaction(engine) as session:
        one = make_asker(session, street["area"]).id
    _work(engine, SATURDAY)
    with transaction(engine) as session:
        withdraw_area(session, street["area"], LATER)
    assert _work(engine, LATER) == 1
    with transaction(engine) as session:
        change(session, LATER, "closed", SUNDAY)
        withdraw_area(session, street["area"], LATER, back=True)
    assert _work(engine, LATER + dt.timedelta(minutes=5)) == 1
    with transaction(engine) as session:
        assert said(session)[-1][1:] == ("【訂正】【ごみ】11月22日（日）は収集がありません", {one})


def test_who_was_told_wrongly_in_the_evening_is_corrected_also_when_the_next_hour_said_it_right(engine, street):
    with transaction(engine) as session:
        early, late = make_asker(session, street["area"]).id, make_asker(session, street["area"], EVENING + 60).id
    _work(engine, SATURDAY)
    with transaction(engine) as session:
        change(session, SATURDAY, "closed", SUNDAY, category_id=street["burnable"])
    _work(engine, SATURDAY + dt.timedelta(hours=1))
    with transaction(engine) as session:
        assert [ids for *_, ids in said(session)] == [{early}, {late}, {early}]


def test_what_was_not_handed_over_yet_is_withdrawn_and_said_anew(engine, street):
    with transaction(engine) as session:
        waiting = make_asker(session, street["area"]).id
    _work(engine, SATURDAY, sent=False)
    with transaction(engine) as session:
        change(session, LATER, "closed", SUNDAY, category_id=street["paper"])
    assert _work(engine, LATER, sent=False) == 2
    with transaction(engine) as session:
        (batch,) = session.scalars(sa.select(Batch))
        assert batch.withdrawn
        correction, anew = said(session)[1:]
        assert correction[1].startswith("【訂正】")
        assert anew[1] == "【ごみ】11月22日（日）は家庭ごみ"
        assert correction[2] == anew[2] == set(), "both wait until it is certain who was told"
        # The sender closes what was withdrawn: nobody was told.
        session.execute(sa.update(Batch).values(state="closed"))
        session.execute(sa.text("DELETE FROM told"))
        plan(session, LATER)
        assert [ids for *_, ids in said(session)] == [set(), set(), {waiting}]


def test_after_the_hour_of_collection_nothing_is_corrected(engine, street):
    with transaction(engine) as session:
        make_asker(session, street["area"])
    _work(engine, SATURDAY)
    over = at("2026-11-22T08:31:00")
    with transaction(engine) as session:
        change(session, over, "closed", SUNDAY)
        make_device(session)
    assert _work(engine, over) == 0
