"""Phones and browsers of one message: batches of their own, each by its own channel, and none waits for the other."""

from __future__ import annotations

import sqlalchemy as sa

from database import transaction
from notifications.audiences import Audience
from notifications.channels.promise import Fault, Outcome, Outlet, Result
from notifications.channels.webpush import subscription
from notifications.devices import Platform
from notifications.dispatch import batches
from notifications.dispatch.batches import Batch
from notifications.dispatch.sender import Sender
from tests.notifications.builders import make_device, make_message, plan
from tests.notifications.channels.webpush.test_subscription import as_browser
from tests.notifications.dispatch.scripted import LEASE, RETRY_BASE, Desk, ScriptedChannel


def browser_token(number: int) -> str:
    """A subscription like no other."""
    return subscription.read(as_browser(endpoint=f"https://fcm.googleapis.com/fcm/send/{number}")).token


def announce(desk: Desk) -> int:
    """Three phones and two browsers are to be told."""
    with transaction(desk.engine) as session:
        for number in range(3):
            make_device(session)
            if number < 2:
                make_device(session, platform=Platform.WEBPUSH, token=browser_token(number))
        message = make_message(session, Audience(everyone=True))
        plan(session)
        return message.id


def send(desk: Desk, channels: dict[Outlet, ScriptedChannel]) -> None:
    """Sends what is due by these channels."""
    Sender(
        desk.engine, channels, clock=lambda: desk.now, lease=LEASE, retry_base=RETRY_BASE,
        monotonic=lambda: desk.seconds, sleep=lambda seconds: desk.pass_(seconds=seconds),
    ).run()  # fmt: skip
    desk.pass_(seconds=1)


def outcomes(desk: Desk, message_id: int) -> dict[Outcome, int]:
    """What became of the five."""
    with transaction(desk.engine, "read") as session:
        return batches.outcomes_of(session, message_id)


def test_each_outlets_devices_have_batches_of_their_own(engine) -> None:
    desk = Desk(engine)
    announce(desk)
    with transaction(engine, "read") as session:
        sizes = session.execute(sa.select(Batch.outlet, sa.func.length(Batch.outcomes))).all()
    assert sorted(sizes) == [("fcm", 3), ("webpush", 2)]


def test_each_goes_by_its_own_channel(engine) -> None:
    desk, phones, browsers = Desk(engine), ScriptedChannel(), ScriptedChannel()
    message_id = announce(desk)
    send(desk, {Outlet.FCM: phones, Outlet.WEBPUSH: browsers})
    assert outcomes(desk, message_id) == {Outcome.ACCEPTED: 5}
    assert len(phones.handed) == 3
    assert sorted(browsers.handed) == [browser_token(0), browser_token(1)]


def test_browsers_of_an_outlet_that_is_not_configured_read_their_inbox(engine) -> None:
    desk, phones = Desk(engine), ScriptedChannel()
    message_id = announce(desk)
    send(desk, {Outlet.FCM: phones})
    assert outcomes(desk, message_id) == {Outcome.ACCEPTED: 3, Outcome.NO_TOKEN: 2}


def test_a_fault_of_one_outlet_leaves_the_other_alone(engine) -> None:
    desk, phones, browsers = Desk(engine), ScriptedChannel(), ScriptedChannel()
    message_id = announce(desk)
    broken = Result(Outcome.RETRY, fault=Fault.CREDENTIALS, detail="x")
    browsers.everybody = broken
    send(desk, {Outlet.FCM: phones, Outlet.WEBPUSH: browsers})
    assert outcomes(desk, message_id)[Outcome.ACCEPTED] == 3
    with transaction(engine, "read") as session:
        states = session.execute(sa.select(Batch.outlet, Batch.state)).all()
    assert sorted(states) == [("fcm", "closed"), ("webpush", "stopped")]
