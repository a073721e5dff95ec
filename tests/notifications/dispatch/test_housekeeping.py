"""Housekeeping: what is forgotten and when, in steps that may be cut off anywhere, and what must never be."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from database import Base, transaction
from notifications import (
    children,
    dangers,
    garbage_days,
    messages,
    places,
    preferences,
    receipts,
    selftest,
    told,
    topics,
)
from notifications.audiences import Audience
from notifications.channels.promise import Outcome
from notifications.children import Family
from notifications.dangers import DangerArea
from notifications.devices import Device, erase
from notifications.dispatch import census, housekeeping, progress, retention
from notifications.dispatch.batches import Batch, BatchState
from notifications.dispatch.census import Census
from notifications.dispatch.governor import Reservation
from notifications.dispatch.groups import Group
from notifications.dispatch.retention import Keeping
from notifications.dispatch.summaries import MessageSummary
from notifications.everyday import EverydayCount, Held
from notifications.garbage_days import GarbageWish
from notifications.messages import Message
from notifications.places import PlaceName
from notifications.preferences import Preferences
from notifications.receipts import Receipt, ReceiptKind
from notifications.told import Told
from tests.notifications.builders import (
    AREA,
    INSIDE,
    NEXT_AREA,
    NOW,
    make_alert,
    make_area,
    make_device,
    make_message,
    make_people,
    make_phones,
    plan,
)
from tests.notifications.dispatch.ledgers import ledger
from tests.notifications.reminders.streets import make_garbage_area

DAY = dt.timedelta(days=1)
KEEPING = Keeping()
EXPIRED = 0.25  # of a day: messages of these tests live for six hours


def _keep(engine, days, **more):
    return housekeeping.housekeep(engine, NOW + days * DAY, more.pop("keeping", KEEPING), **more)


def _number(engine, table) -> int:
    with transaction(engine, "read") as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def _post(engine, number=700, **more) -> Message:
    with transaction(engine) as session:
        make_phones(session, number)
        return ledger(session, [(Outcome.ACCEPTED, 1, 100)] * number, **more)


def test_after_a_week_nobody_knows_which_shelters_and_places_belonged_to_whom(engine):
    message = _post(engine)
    assert _keep(engine, 7 + EXPIRED).rows == {}
    report = _keep(engine, 7 + EXPIRED + 0.001)
    assert (report.rows, report.finished) == ({"groups": 2 + 1}, True)
    with transaction(engine, "read") as session:
        assert session.scalars(sa.select(Group)).all() == []
        assert set(session.scalars(sa.select(Batch.group_ids))) == {b""}
        seen = progress.of_message(session, session.get_one(Message, message.id), NOW + 8 * DAY)
        assert (seen.sending.accepted, seen.told, seen.archived) == (700, 700, False)
        assert progress.of_device(session, seen.message, 700).outcome is Outcome.ACCEPTED


def test_after_a_quarter_only_sums_and_one_bit_a_phone_are_left(engine):
    message = _post(engine)
    later = NOW + 93 * DAY
    with transaction(engine, "read") as session:
        before = progress.of_message(session, session.get_one(Message, message.id), later)
    assert _keep(engine, 93).rows == {"groups": 3, "batches": 2}
    assert (_number(engine, Batch), _number(engine, MessageSummary)) == (0, 1)
    with transaction(engine, "read") as session:
        after = progress.of_message(session, session.get_one(Message, message.id), later)
        assert (after.sending, after.told, after.archived) == (before.sending, 700, True)
        found = progress.of_device(session, after.message, 5)
        assert (found.told, found.outcome) == (True, None)


def test_after_a_year_nobody_is_said_to_have_been_told_and_the_message_stays(engine):
    message = _post(engine)
    assert _keep(engine, 366).rows == {"groups": 3, "batches": 2, "tokens": 700}
    assert _number(engine, Told) == 1
    assert _keep(engine, 367).rows == {"told": 1}
    with transaction(engine, "read") as session:
        assert session.get_one(Message, message.id).texts
        assert told.count(session, message.id) == 0


def test_what_is_on_its_way_or_still_planned_is_left_alone_however_old(engine):
    for state in (BatchState.READY, BatchState.LEASED, BatchState.STOPPED):
        _post(engine, 2, state=state)
    with transaction(engine) as session:
        make_message(session, Audience(everyone=True))
    assert not {"groups", "batches", "told"} & set(_keep(engine, 3000).rows)
    assert (_number(engine, Batch), _number(engine, Group)) == (3, 3)


def test_those_who_were_told_are_known_as_long_as_something_may_follow(engine):
    """An alert of last year that is still in force can be lifted for everybody who was told."""
    first = _post(engine, 3)
    with transaction(engine) as session:
        later = make_message(session, Audience(), NOW + 200 * DAY, expires_at=NOW + 1000 * DAY)
        later.thread = session.get_one(Message, first.id).thread
        session.flush()
    _keep(engine, 900)
    with transaction(engine, "read") as session:
        assert told.count(session, first.id) == 3
    _keep(engine, 1400)
    with transaction(engine, "read") as session:
        assert told.count(session, first.id) == 0


def test_receipts_are_summed_up_before_they_go(engine):
    message = _post(engine, 6)
    with transaction(engine) as session:
        for device_id in range(1, 6):
            receipts.put(session, message.id, device_id, ReceiptKind.SHOWN, NOW + device_id * dt.timedelta(seconds=1))
        before = receipts.heard(session, message.id, NOW)
    assert _keep(engine, 93).rows["receipts"] == 5
    assert _number(engine, Receipt) == 0
    with transaction(engine) as session:
        receipts.put(session, message.id, 6, ReceiptKind.SHOWN, NOW + 93 * DAY)  # a phone found in a drawer
    assert _keep(engine, 94).rows["receipts"] == 1
    with transaction(engine, "read") as session:
        seen = progress.of_message(session, session.get_one(Message, message.id), NOW + 94 * DAY)
        assert seen.heard == before


def test_a_run_that_is_cut_off_anywhere_is_finished_by_the_next_ones(engine, monkeypatch):
    for name, few in (("BATCHES_A_STEP", 1), ("ROWS_A_STEP", 2)):
        monkeypatch.setattr(retention, name, few)
    monkeypatch.setattr(census, "IDS_A_WINDOW", 300)
    monkeypatch.setattr(census, "DEVICES_A_STEP", 100)
    message = _post(engine, 1200)
    with transaction(engine) as session:
        for device_id in range(1, 6):
            receipts.put(session, message.id, device_id, ReceiptKind.OPENED, NOW)
        before = progress.of_message(session, session.get_one(Message, message.id), NOW + 100 * DAY)
    runs = 0
    while not _keep(engine, 300, stopping=lambda: True).finished:
        runs += 1
        with transaction(engine, "read") as session:
            now = progress.of_message(session, session.get_one(Message, message.id), NOW + 100 * DAY)
            assert (now.sending, now.heard, now.told) == (before.sending, before.heard, before.told)
        assert runs < 100
    assert runs > 10
    assert [_number(engine, table) for table in (Batch, Group, Receipt, Told)] == [0, 0, 0, 1]
    assert _keep(engine, 300).rows == {}


def test_a_dry_run_says_what_would_be_done_and_does_nothing(engine):
    _post(engine, 3)
    tables = [_number(engine, table) for table in Base.metadata.sorted_tables]
    report = _keep(engine, 500, dry_run=True)
    assert report.rows == {"groups": 1, "batches": 1, "told": 1, "devices": 3}
    assert not report.finished
    assert [_number(engine, table) for table in Base.metadata.sorted_tables] == tables
    assert _keep(engine, 1, dry_run=True).finished


def test_tests_of_single_phones_are_forgotten_with_the_inbox(engine):
    with transaction(engine) as session:
        phone = make_device(session)
        message = selftest.send(session, phone, NOW, "https://push.example.jp")
        plan(session)
        receipts.put(session, message.id, phone.id, ReceiptKind.SHOWN, NOW)
        session.execute(sa.update(Batch).values(state=BatchState.CLOSED.value))
    _keep(engine, 30)
    assert _number(engine, Message) == 1
    _keep(engine, 31)
    assert [_number(engine, table) for table in (Message, Batch, Group, Told, Receipt)] == [0] * 5


def test_shapes_that_no_alert_has_are_deleted_and_those_of_alerts_are_not(engine):
    with transaction(engine) as session:
        alert, _ = make_alert(session, make_people(session), area_names={"ja": "川沿い"})
        make_area(session, NEXT_AREA)
        kept = alert.danger_area_id
    assert _keep(engine, 0).rows == {"danger_areas": 1}
    with transaction(engine, "read") as session:
        assert list(session.scalars(sa.select(DangerArea.id))) == [kept]
        assert len(dangers.cells(session, kept)) > 0


def test_a_shape_that_a_draft_is_about_to_use_is_not_deleted_under_it(engine):
    """On PostgreSQL drafting and housekeeping go on side by side; SQLite has one writer."""
    with transaction(engine) as session:
        make_area(session, AREA)
    if engine.dialect.name != "postgresql":
        assert _keep(engine, 0).rows == {"danger_areas": 1}
        return
    with transaction(engine) as session:
        make_area(session, AREA)
        assert _keep(engine, 0).rows == {}
    assert _keep(engine, 0).rows == {"danger_areas": 1}


def test_old_reservations_go_and_those_of_the_last_minutes_stay(engine):
    second = int(NOW.timestamp())
    with transaction(engine) as session:
        for ago in (0, 60, 599, 601, 86_400):
            session.add(Reservation(outlet="fcm", second=second - ago, taken=5))
    assert _keep(engine, 0).rows == {"reservations": 2}
    with transaction(engine, "read") as session:
        assert sorted(second - s for s in session.scalars(sa.select(Reservation.second))) == [0, 60, 599]


def test_a_round_counts_the_living_drops_stale_tokens_and_erases_the_lost(engine, monkeypatch):
    monkeypatch.setattr(census, "IDS_A_WINDOW", 3)
    monkeypatch.setattr(census, "DEVICES_A_STEP", 2)
    with transaction(engine) as session:
        for ago in (0, 29, 31, 200, 269, 271, 399, 401, 2000):
            make_device(session, INSIDE, now=NOW - ago * DAY)
        make_device(session, token=None)
    report = _keep(engine, 0)
    assert (report.rows, report.finished) == ({"tokens": 2, "devices": 2}, True)
    with transaction(engine, "read") as session:
        found = census.latest(session)
        assert found is not None
        assert (found.devices, found.reachable, found.stale) == (8, 5, 3)
        states = dict(session.execute(sa.select(Device.id, Device.token_state)).all())
        assert states == {1: "active", 2: "active", 3: "active", 4: "active", 5: "active", 6: "none", 7: "none",
                          10: "none"}  # fmt: skip
        assert places.of_device(session, 8) == places.of_device(session, 9) == {}
    assert _keep(engine, 0.5).rows == {}
    assert _number(engine, Census) == 1, "one round a day"
    _keep(engine, 1)
    assert _number(engine, Census) == 2


def test_a_phone_that_comes_back_between_the_look_and_the_deed_is_spared(engine, monkeypatch):
    with transaction(engine) as session:
        make_phones(session, 3, now=NOW - 1000 * DAY)
    found = census._some

    def look(session, which):
        ids = found(session, which)
        with transaction(engine) as other:
            other.execute(sa.update(Device).where(Device.id == 2).values(seen_at=NOW))
        return ids

    monkeypatch.setattr(census, "_some", look)
    assert _keep(engine, 0).rows == {"devices": 2}
    with transaction(engine, "read") as session:
        assert list(session.scalars(sa.select(Device.id))) == [2]


def test_a_duty_lets_what_waits_go_first(engine):
    _post(engine, 3)
    with transaction(engine) as session:
        make_message(session, Audience(everyone=True), NOW + 100 * DAY)
    report = housekeeping.duty(KEEPING)(engine, NOW + 100 * DAY)
    assert (report.steps, report.finished) == (1, False)


def test_deleting_oneself_leaves_no_row_with_ones_number(session):
    phone, other = make_device(session, INSIDE), make_device(session, INSIDE)
    message = make_message(session, Audience(everyone=True))
    plan(session)
    topics.put(session, "water", {"ja": "水道"})
    area = make_garbage_area(session)
    for one in (phone, other):
        topics.follow(session, one.id, ["water"])
        preferences.put(session, one, Preferences(), ["water"])
        children.put(session, one.id, Family(("2026-03",)), NOW.date())
        garbage_days.put(session, one.id, [GarbageWish(area)])
        receipts.put(session, message.id, one.id, ReceiptKind.SHOWN, NOW)
        places.put(session, one.id, PlaceName.CURRENT, [1, 2], NOW)
    number, theirs = phone.id, other.id
    erase(session, phone)
    with_number = [table for table in Base.metadata.sorted_tables if "device_id" in table.c]
    assert {table.name for table in with_number} >= {"places", "receipts", "follows"}
    for table in with_number:
        left = set(session.scalars(sa.select(table.c.device_id)))
        assert left == {theirs}, table.name
    assert messages.inbox(session, number, NOW - DAY) != [], "a bit that belongs to nobody"
    assert session.get(Device, number) is None


def test_nothing_of_a_live_alert_is_touched(engine):
    with transaction(engine) as session:
        make_phones(session, 5)
        make_alert(session, make_people(session))
        plan(session)
    assert _keep(engine, 0.2).rows == {}


def test_who_was_not_rung_is_forgotten_with_who_was_told_and_a_days_counts_after_some_days(engine):
    with transaction(engine) as session:
        device = make_device(session)
        preferences.put(session, device, Preferences(inbox_only=frozenset({"notice"})))
        make_device(session)
        make_message(session, Audience(everyone=True))
        plan(session)
    assert (_number(engine, Held), _number(engine, EverydayCount)) == (1, 1)
    _keep(engine, 2)
    assert (_number(engine, Held), _number(engine, EverydayCount)) == (1, 1)
    _keep(engine, 5)
    assert (_number(engine, Held), _number(engine, EverydayCount)) == (1, 0)
    with transaction(engine) as session:
        session.execute(sa.update(Batch).values(state=BatchState.CLOSED.value))
    _keep(engine, 368)
    assert (_number(engine, Held), _number(engine, Told)) == (0, 0)
