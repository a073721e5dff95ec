"""Planning: everybody of an audience exactly once, whatever happens between its chunks."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from database import transaction
from geo import sites
from geo.hazards import Hazard
from geo.point import Point
from geo.sites import Site, SiteKind, SiteStatus
from notifications import dangers, devices, messages, newcomers, places, told
from notifications.alerts import Act
from notifications.audiences import Audience
from notifications.channels.promise import Outcome
from notifications.devices import Device, Platform
from notifications.dispatch import claims, planner
from notifications.dispatch.batches import Batch
from notifications.dispatch.groups import Group
from notifications.messages import Kind, Lane, Message
from notifications.places import PlaceName
from tests.notifications.builders import (
    HOUR,
    INSIDE,
    MINUTE,
    NEXT_AREA,
    NOW,
    OUTSIDE,
    RIM,
    SECOND,
    approve,
    make_alert,
    make_area,
    make_device,
    make_draft,
    make_message,
    make_people,
    make_phones,
    make_site,
    plan,
    put_place,
    submit,
)


def _ledger(session, message):
    """Every device id in the batches of a message, with repetitions."""
    stored = session.scalars(sa.select(Batch.device_ids).where(Batch.message_id == message.id).order_by(Batch.id))
    return [number for packed in stored for number in np.frombuffer(packed, dtype="<i8").tolist()]


def _step(session, message, now=NOW):
    """One chunk; False when nothing is due."""
    claimed = planner.claim(session, now)
    if claimed is None:
        return False
    assert claimed.id == message.id
    planner.plan_chunk(session, claimed, now)
    return True


def _send_all(session):
    while (held := claims.claim(session, "one", NOW, MINUTE)) is not None:
        held.outcomes[:] = Outcome.ACCEPTED
        claims.close(session, held, NOW)


def _groups(session, message):
    return session.scalars(sa.select(Group).where(Group.message_id == message.id).order_by(Group.id)).all()


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(planner, "CHUNKS", dict.fromkeys(planner.CHUNKS, 90))
    monkeypatch.setattr(planner, "FIRST_CHUNK", 10)


POINTS = {"inside": INSIDE, "rim": RIM, "outside": OUTSIDE}
event = st.tuples(
    st.integers(0, 40),  # after so many chunks
    st.sampled_from(["register", "move", "forget"]),
    st.integers(0, 5),
    st.sampled_from(list(PlaceName)),
    st.sampled_from(list(POINTS)),
)


def _inside(kept):
    return any(where != "outside" for where in kept.values())


def test_whoever_moves_or_registers_between_chunks_is_told_exactly_once(session, people, small_chunks):
    """With greetings, as the doors do: in the area at any time between approval and the end of planning is told."""

    @settings(max_examples=15, deadline=None)
    @given(
        st.lists(st.tuples(st.sampled_from(list(PlaceName)), st.sampled_from(list(POINTS))), max_size=6),
        st.lists(event, max_size=8),
    )
    def check(start, events):
        savepoint = session.begin_nested()
        phones = [make_device(session, {name: POINTS[where]}) for name, where in start]
        at = {phone.id: {name: where} for phone, (name, where) in zip(phones, start, strict=True)}
        ever, greeted = {number for number, kept in at.items() if _inside(kept)}, set()
        _, message = make_alert(session, people)
        waiting = sorted(events, key=lambda one: one[0])
        for chunk in itertools.count():
            while waiting and waiting[0][0] <= chunk:
                _, what, number, name, where = waiting.pop(0)
                if what == "register" or not phones:
                    phones.append(make_device(session))
                    at[phones[-1].id] = {}
                phone = phones[-1] if what == "register" else phones[number % len(phones)]
                if what == "forget":
                    places.remove(session, phone.id, name)
                    at[phone.id].pop(name, None)
                    continue
                at[phone.id][name] = where
                if newcomers.greet(session, phone, name, put_place(session, phone, name, POINTS[where]), NOW):
                    greeted.add(phone.id)
                if where != "outside":
                    ever.add(phone.id)
                    assert told.was_told(session, message.id, phone.id), "at that moment"
            if not _step(session, message) and not waiting:
                break
        while _step(session, message, NOW + 2 * MINUTE):
            pass
        ledger = Counter(_ledger(session, message))
        assert set(ledger.values()) <= {1}
        assert greeted | {number for number, kept in at.items() if _inside(kept)} <= set(ledger) <= ever
        assert set(told.everybody(session, message.id)) == set(ledger)
        assert session.get_one(Message, message.id).planning == "done"
        savepoint.rollback()
        session.expunge_all()

    check()


def test_a_move_that_commits_behind_the_planner_is_caught_by_the_last_sweep(session, people):
    """A place stored by a transaction that began before the approval: nobody greeted it."""
    _, message = make_alert(session, people)
    assert plan(session) == 0
    late = make_device(session, INSIDE)
    assert session.get_one(Message, message.id).planning == "latecomers"
    assert plan(session, NOW + planner.LATECOMERS_AFTER - SECOND) == 0
    assert plan(session, NOW + planner.LATECOMERS_AFTER) == 1
    assert told.was_told(session, message.id, late.id)
    assert session.get_one(Message, message.id).planning == "done"
    assert session.get_one(Message, message.id).planned_at == NOW


@pytest.mark.parametrize("killed_at", range(0, 60, 7))
def test_a_planner_that_is_killed_leaves_nothing_half_done_and_another_goes_on(engine, killed_at, small_chunks):
    """Rolled back instead of committed: who is told and who is in a batch never differ."""
    with transaction(engine) as session:
        people = make_people(session)
        for point in (INSIDE, RIM, OUTSIDE):
            make_device(session, point)
        _, message = make_alert(session, people)

    class Killed(Exception):
        pass

    for number in itertools.count():
        try:
            with transaction(engine) as session:
                if not _step(session, message, NOW + number * SECOND):
                    break
                if number == killed_at:
                    raise Killed
        except Killed:
            pass
        with transaction(engine, "read") as session:
            assert sorted(_ledger(session, message)) == list(told.everybody(session, message.id))
    with transaction(engine, "read") as session:
        assert _ledger(session, message) == [1, 2]


@pytest.mark.parametrize("chunk", [1, 15, 20_000])
def test_batches_stay_in_the_order_of_danger_within_a_chunk_and_between_chunks(session, people, monkeypatch, chunk):
    monkeypatch.setattr(planner, "CHUNKS", dict.fromkeys(planner.CHUNKS, chunk))
    far = make_device(session, {"family": INSIDE})
    home = make_device(session, RIM)
    here = make_device(session, {"current": INSIDE})
    _, message = make_alert(session, people)
    plan(session)
    assert _ledger(session, message) == [here.id, home.id, far.id]


# What follows waits -----------------------------------------------------------------------------------------------


def test_what_follows_is_planned_when_nothing_before_it_is_on_its_way(session, people):
    device = make_device(session, INSIDE)
    alert, order = make_alert(session, people)
    plan(session)
    held = claims.claim(session, "one", NOW, MINUTE)
    _, cancel = make_alert(session, people, act=Act.CANCEL, follows=alert)
    assert planner.most_urgent(session, NOW) is not None
    assert planner.claim(session, NOW) is None
    held.outcomes[:] = Outcome.ACCEPTED
    claims.close(session, held, NOW)
    assert plan(session) == 1
    assert _ledger(session, cancel) == [device.id]
    assert told.was_told(session, order.id, device.id)


def test_what_waits_keeps_nobody_elses_message_waiting(session, people):
    make_device(session, INSIDE)
    alert, _ = make_alert(session, people)
    plan(session)
    claims.claim(session, "one", NOW, MINUTE)
    make_alert(session, people, act=Act.UPDATE, follows=alert)
    notice = make_message(session, Audience(everyone=True))
    assert planner.claim(session, NOW).id == notice.id


def test_a_cancel_goes_to_exactly_those_told_wherever_they_are_now(session, people):
    first, second, third = make_device(session, INSIDE), make_device(session, RIM), make_device(session, OUTSIDE)
    alert, order = make_alert(session, people)
    plan(session)
    _send_all(session)
    put_place(session, first, "home", OUTSIDE)
    _, cancel = make_alert(session, people, act=Act.CANCEL, follows=alert)
    put_place(session, third, "home", INSIDE)
    plan(session, NOW + 2 * MINUTE)
    assert sorted(_ledger(session, cancel)) == [first.id, second.id]
    assert set(told.everybody(session, order.id)) == {first.id, second.id}
    assert [group.shelters for group in _groups(session, cancel)] == [None]


def test_an_update_goes_to_those_told_and_those_now_inside(session, people):
    stays, leaves, comes = (make_device(session, point) for point in (INSIDE, RIM, OUTSIDE))
    alert, _ = make_alert(session, people)
    plan(session)
    _send_all(session)
    put_place(session, leaves, "home", OUTSIDE)
    moved = make_device(session, {"home": OUTSIDE})
    draft = make_draft(session, people, act=Act.UPDATE, follows=alert, polygon=NEXT_AREA)
    assert draft.supersedes_id == alert.id
    put_place(session, comes, "home", Point(38.2475, 140.937))
    message = approve(session, draft, people.approver, submit(session, draft, people.author))
    plan(session, NOW + 2 * MINUTE)
    assert sorted(_ledger(session, message)) == [stays.id, leaves.id, comes.id]
    assert moved.id not in _ledger(session, message)


# What is frozen ---------------------------------------------------------------------------------------------------


def test_where_people_are_sent_is_frozen_when_planning_begins(session, people, small_chunks):
    site = make_site(session, 38.2430, 140.9370, name="北の高台", status=SiteStatus.OPEN)
    make_site(session, 38.2350, 140.9371, name="区域の中")
    other = make_site(session, 38.2445, 140.9370, name="その先")
    make_device(session, {"current": INSIDE})
    make_device(session, {"family": INSIDE})
    _, message = make_alert(session, people)
    assert _step(session, message)
    sites.set_status(session, site.id, status=SiteStatus.FULL, crowding=None, note=None, by="duty", now=NOW)
    plan(session)
    assert len(_ledger(session, message)) == 2
    stored = session.get_one(Message, message.id).candidates
    assert {row["id"] for row in stored} == {site.id, other.id}
    for group in _groups(session, message):
        assert [(near["name"], near["status"]) for near in group.shelters] == [
            ("北の高台", "open"),
            ("その先", "unknown"),
        ]


@pytest.mark.parametrize("status", list(SiteStatus))
def test_only_suitable_sites_are_offered(session, people, status):
    site = make_site(session, 38.2430, 140.9370, status=status)
    make_site(session, 38.2432, 140.9370, hazards=(Hazard.EARTHQUAKE,))
    make_site(session, 38.2433, 140.9370, kind=SiteKind.AED)
    withdrawn = make_site(session, 38.2434, 140.9370)
    withdrawn.withdrawn_at = NOW
    session.flush()
    make_device(session, INSIDE)
    _, message = make_alert(session, people)
    plan(session)
    offered = status in (SiteStatus.OPEN, SiteStatus.UNKNOWN, SiteStatus.PREPARING)
    (group,) = _groups(session, message)
    assert [near["id"] for near in group.shelters] == ([site.id] if offered else [])


def test_nobody_is_sent_into_another_danger_but_a_drill_closes_nothing(session, people):
    north = make_site(session, 38.2475, 140.9370)
    make_device(session, INSIDE)
    make_alert(session, people, polygon=NEXT_AREA, drill=True)
    _, first = make_alert(session, people)
    make_alert(session, people, polygon=NEXT_AREA)
    _, second = make_alert(session, people)
    plan(session)
    assert [near["id"] for near in _groups(session, first)[0].shelters] == []
    ((group,), (other,)) = _groups(session, second), _groups(session, first)
    assert [near["id"] for near in group.shelters] == []
    assert other.place == "home"
    assert session.get_one(Site, north.id).status == "unknown"


def test_a_drill_elsewhere_closes_no_shelter(session, people):
    north = make_site(session, 38.2475, 140.9370)
    make_device(session, INSIDE)
    make_alert(session, people, polygon=NEXT_AREA, drill=True)
    _, message = make_alert(session, people)
    plan(session)
    assert [near["id"] for near in _groups(session, message)[0].shelters] == [north.id]


def test_those_who_get_the_same_bytes_share_a_group(session, people):
    make_site(session, 38.2430, 140.9370)
    for _ in range(2):
        make_device(session, INSIDE)
        make_device(session, INSIDE, language="en")
        make_device(session, INSIDE, language="fr")  # gets easy Japanese, as whoever asked for it
        make_device(session, INSIDE, language="ja-x-easy")
        make_device(session, INSIDE, platform=Platform.IOS)
        make_device(session, {"work": INSIDE})
        make_device(session, {"home": RIM})
    _, message = make_alert(session, people)
    plan(session)
    found = {
        (group.language, group.platform, group.place, group.shelters[0]["about_m"])
        for group in _groups(session, message)
    }
    assert len(found) == len(_groups(session, message)) == 6
    assert {language for language, *_ in found} == {"ja", "en", "ja-x-easy"}
    assert {place for *_, place, _ in found} == {"home", "work"}


def test_a_notice_names_no_place_and_no_shelter(session):
    make_site(session, 38.2430, 140.9370)
    make_device(session, INSIDE)
    make_device(session, {"work": RIM})
    message = make_message(session, Audience(everyone=True))
    plan(session)
    assert [(group.place, group.shelters) for group in _groups(session, message)] == [(None, None)]


def test_only_one_of_a_kind_of_group_is_made_over_many_chunks(session, small_chunks):
    make_phones(session, 200)
    message = make_message(session, Audience(everyone=True))
    plan(session)
    assert session.scalar(sa.select(sa.func.count()).where(Batch.message_id == message.id)) > 2
    assert len(_groups(session, message)) == 1
    assert sorted(_ledger(session, message)) == sorted(session.scalars(sa.select(Device.id)))


# When and what first ----------------------------------------------------------------------------------------------


def test_a_message_is_not_planned_before_its_time_nor_after(session):
    make_device(session)
    early = make_message(session, Audience(everyone=True), not_before=NOW + HOUR, expires_at=NOW + 2 * HOUR)
    assert plan(session, NOW + HOUR - SECOND) == 0
    assert planner.most_urgent(session, NOW + HOUR - SECOND) is None
    late = make_message(session, Audience(everyone=True), expires_at=NOW + MINUTE)
    assert plan(session, NOW + HOUR) == 1
    assert _ledger(session, late) == []
    assert session.get_one(Message, late.id).planning == "done"
    assert len(_ledger(session, early)) == 1


def test_the_most_urgent_message_is_planned_first(session):
    lanes = [Lane.NOTICE, Lane.DRILL, Lane.EVACUATION, Lane.TEST, Lane.LIFTING]
    said = {lane: make_message(session, Audience(), lane=lane, level=4) for lane in lanes}
    higher = make_message(session, Audience(), lane=Lane.EVACUATION, level=5)
    tsunami = make_message(session, Audience(), lane=Lane.EVACUATION, level=None)
    order = []
    while (message := planner.claim(session, NOW)) is not None:
        order.append(message.id)
        messages.withdraw(session, [message.id])
    expected = [higher, tsunami, *(said[lane] for lane in sorted(lanes))]
    assert order == [message.id for message in expected]


def test_nothing_less_urgent_than_asked_is_claimed(session):
    notice = make_message(session, Audience())
    assert planner.claim(session, NOW, notice.rank - 1) is None
    assert planner.claim(session, NOW, notice.rank).id == notice.id


def test_an_area_that_is_alerted_twice_tells_twice(session, people):
    device = make_device(session, INSIDE)
    area = make_area(session)
    said = [make_message(session, Audience(danger_area_id=area.id), kind=Kind.NOTICE) for _ in range(2)]
    plan(session, NOW)
    plan(session, NOW + 2 * MINUTE)
    assert [_ledger(session, message) for message in said] == [[device.id], [device.id]]


def test_planners_side_by_side_take_different_messages(engine):
    """Only the message that is planned is locked, not those that were passed over or come later."""
    with transaction(engine) as session:
        first, second = (make_message(session, Audience(everyone=True)) for _ in range(2))
    if engine.dialect.name == "sqlite":  # has one writer
        return
    with transaction(engine) as one, transaction(engine) as another:
        assert planner.claim(one, NOW).id == first.id
        assert planner.claim(another, NOW).id == second.id
        with transaction(engine) as third:
            assert planner.claim(third, NOW) is None


def test_a_crowd_behind_quiet_outskirts_makes_no_endless_chunk(session, people, monkeypatch):
    """How much one chunk takes is bounded, wherever in the area people live."""
    monkeypatch.setattr(planner, "CHUNKS", dict.fromkeys(planner.CHUNKS, 40))
    monkeypatch.setattr(planner, "FIRST_CHUNK", 40)
    area = dangers.cells(session, make_area(session).id)
    crowded = [*area.inside[-3:].tolist(), area.inside[0].item()]
    make_phones(session, 400, crowded)
    _, message = make_alert(session, people)
    added = []
    while (claimed := planner.claim(session, NOW)) is not None:
        added.append(planner.plan_chunk(session, claimed, NOW))
    assert max(added) <= 100 + 2 * 40  # one cell's people, and what fits before them
    assert len(_ledger(session, message)) == sum(added) == len(set(_ledger(session, message))) == 400


def test_a_device_that_deletes_itself_while_it_is_planned_is_neither_told_nor_in_a_batch(session):
    """It stands in the bitmaps of what came before and is no more: the mark is taken back."""
    stays, goes = make_device(session, INSIDE), make_device(session, INSIDE)
    before = make_message(session, Audience())
    told.mark(session, before.id, np.array([stays.id, goes.id], dtype=np.int64))
    number = goes.id
    devices.erase(session, goes)
    message = make_message(session, Audience(told_message_ids=(before.id,)))
    assert plan(session) == 1
    assert _ledger(session, message) == list(told.everybody(session, message.id)) == [stays.id]
    assert not told.was_told(session, message.id, number)
