"""Outlet by outlet: the parts add up to the whole, and each part says what became of its own phones only."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from notifications.audiences import Audience
from notifications.channels.promise import Outcome
from notifications.dispatch import by_outlet, progress
from notifications.dispatch.batches import NEVER, Batch
from notifications.dispatch.groups import Group
from notifications.messages import Message, Planning
from tests.notifications.builders import NOW, SECOND, make_message

COUNTED = [one.name for one in fields(progress.Progress) if one.type == "int"]
Told = tuple[str, Outcome, int | None]  # platform, outcome, tenths of a second until the answer


def planned(session: Session, batches: list[tuple[str, list[Told]]]) -> Message:
    """A message with batches of an outlet, whose recipients are of these platforms; "?" has a group nobody knows."""
    message = make_message(session, Audience(), NOW)
    message.planning = Planning.DONE.value
    names = sorted({platform for _, told in batches for platform, _, _ in told} - {"?"})
    groups = {}
    for name in names:
        row = Group(message_id=message.id, key=name, language="ja", platform=name, place=None, shelters=None)
        session.add(row)
        session.flush()
        groups[name] = row.id
    for outlet, told in batches:
        still = any(not outcome.final for _, outcome, _ in told)
        times = [NEVER if tenths is None else tenths for _, _, tenths in told]
        session.add(
            Batch(
                message_id=message.id, outlet=outlet, rank=message.rank, state="ready" if still else "closed",
                not_before=NOW, device_ids=np.arange(len(told), dtype="<i8").tobytes(),
                group_ids=np.array([groups.get(platform, 10**9) for platform, _, _ in told], "<i8").tobytes(),
                outcomes=bytes(outcome for _, outcome, _ in told),
                tries=bytes(tenths is not None for *_, tenths in told),
                answered=np.array(times, "<u2").tobytes(), created_at=NOW, first_handed_at=NOW + SECOND,
                closed_at=None if still else NOW,
            )
        )  # fmt: skip
    session.flush()
    return message


one_told = st.tuples(
    st.sampled_from(["android", "ios", "web", "?"]), st.sampled_from(Outcome), st.none() | st.integers(0, 900)
)


@given(
    st.lists(st.tuples(st.sampled_from(["fcm", "webpush"]), st.lists(one_told, min_size=1, max_size=12)), max_size=4)
)
@settings(max_examples=10)
def test_the_parts_add_up_to_the_whole(sqlite_store, batches):  # type: ignore[no-untyped-def]
    with Session(sqlite_store.shared()) as session:
        message = planned(session, batches)
        whole = progress.of_message(session, message, NOW + 90 * SECOND).sending
        parts = by_outlet.of_message(session, message, NOW + 90 * SECOND)
        for name in COUNTED:
            assert sum(getattr(part.sending, name) for part in parts) == getattr(whole, name), name
        assert all(part.sending.planned for part in parts)
        session.rollback()


def test_each_outlet_has_its_own_counts_times_and_end(session: Session) -> None:
    quick = [("android", Outcome.ACCEPTED, tenths) for tenths in range(1, 101)]
    slow = [("ios", Outcome.ACCEPTED, 10 * tenths) for tenths in range(1, 101)]
    open_still = [("ios", Outcome.RETRY, 20), ("android", Outcome.UNREGISTERED, 7)]
    browsers = [("webpush", Outcome.EXPIRED, None), ("?", Outcome.ACCEPTED, 3)]
    message = planned(session, [("fcm", quick), ("fcm", slow), ("fcm", open_still), ("webpush", browsers)])
    found = {
        (one.outlet, one.platform): one.sending for one in by_outlet.of_message(session, message, NOW + 30 * SECOND)
    }
    assert list(found) == [("fcm", "android"), ("fcm", "ios"), ("webpush", "none"), ("webpush", "webpush")]
    android, ios = found["fcm", "android"], found["fcm", "ios"]
    assert (android.p50_s, android.p95_s, android.p99_s) == (5.0, 9.5, 9.9)
    assert (ios.p50_s, ios.p95_s, ios.p99_s) == (50.0, 95.0, 99.0)
    assert (android.planned, android.accepted, android.dead, android.retrying) == (101, 100, 1, 0)
    assert (ios.planned, ios.accepted, ios.retrying) == (101, 100, 1)
    assert (android.finished, ios.finished) == (True, False)
    assert found["webpush", "webpush"].expired == 1
    assert found["webpush", "none"].accepted == 1


def test_a_message_without_a_ledger_has_no_parts(session: Session) -> None:
    assert by_outlet.of_message(session, planned(session, []), NOW) == []
