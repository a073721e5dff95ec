"""Phones: their secret, their token with one owner, and their end."""

from __future__ import annotations

import hashlib

import pytest
import sqlalchemy as sa

from database import transaction
from notifications import devices, places, receipts, topics
from notifications.audiences import Audience
from notifications.devices import Device, Platform, TokenError, TokenState
from notifications.identifier import digest
from notifications.places import Place
from notifications.receipts import Receipt, ReceiptKind
from notifications.topics import Follow
from tests.notifications.builders import (
    HOUR,
    INSIDE,
    NOW,
    make_device,
    make_message,
    make_token,
    overlapping,
    put_place,
)


def _register(session, **change):
    asked = {"platform": Platform.IOS, "language": "ko", "app_version": "2.1", "token": None, "now": NOW} | change
    return devices.register(session, **asked)


def test_the_secret_is_shown_once_and_only_its_hash_is_kept(session):
    made = _register(session, token=make_token())
    assert made.secret.startswith("ykd_")
    row = session.execute(sa.select(Device.__table__).where(Device.id == made.device.id)).one()
    assert row.secret_hash == hashlib.sha256(made.secret.encode()).digest()
    assert all(made.secret not in str(value) for value in row)
    assert made.secret[4:] not in repr(row)


def test_a_secret_opens_its_own_phone_and_nothing_else_does(session):
    made, other = _register(session), _register(session)
    assert devices.by_secret(session, made.secret) is made.device
    assert devices.by_secret(session, other.secret) is other.device
    for wrong in ("", "ykd_", made.secret[:-1], made.secret[4:], made.secret.upper(), "ykd_" + "0" * 500):
        assert devices.by_secret(session, wrong) is None


def test_ids_and_secrets_come_from_the_given_randomness(session):
    made = _register(session, random_bytes=lambda n: b"\x01" * n)
    assert made.secret == "ykd_" + "01" * 32
    assert len(made.device.public_id) == 22
    assert _register(session).secret != made.secret


def test_a_phone_without_a_token_reads_its_inbox_only(session):
    device = _register(session).device
    assert (device.token_state, device.can_receive, device.token_at) == (TokenState.NONE, False, None)
    assert (device.platform, device.language, device.app_version, device.created_at) == ("ios", "ko", "2.1", NOW)


def test_a_token_has_one_owner_and_the_last_registration_wins(session):
    token = make_token()
    first = _register(session, token=token).device
    assert first.can_receive
    second = _register(session, token=token, now=NOW + HOUR).device
    session.refresh(first)
    assert (first.token, first.token_hash, first.token_state) == (None, None, TokenState.NONE)
    assert not first.can_receive
    assert (second.token, second.token_at, second.can_receive) == (token, NOW + HOUR, True)


def test_a_rotated_token_survives_a_late_word_about_the_old_one(session):
    old, new = make_token(), make_token()
    device = _register(session, token=old).device
    devices.set_token(session, device, new, NOW + HOUR)
    assert devices.deactivate_token(session, digest(old), TokenState.UNREGISTERED) is False
    session.refresh(device)
    assert (device.token, device.can_receive) == (new, True)
    assert devices.deactivate_token(session, digest(new), TokenState.UNREGISTERED) is True
    session.refresh(device)
    assert (device.token_state, device.can_receive) == (TokenState.UNREGISTERED, False)
    assert devices.deactivate_token(session, digest(new), TokenState.MISMATCH) is False


def test_a_dead_token_that_is_sent_again_is_tried_again(session):
    token = make_token()
    device = _register(session, token=token).device
    devices.deactivate_token(session, digest(token), TokenState.UNREGISTERED)
    session.refresh(device)
    devices.set_token(session, device, token, NOW + HOUR)
    assert device.can_receive


def test_a_token_can_be_taken_away(session):
    token = make_token()
    device = _register(session, token=token).device
    devices.set_token(session, device, None, NOW)
    assert (device.token, device.token_state, device.token_at) == (None, TokenState.NONE, None)
    assert _register(session, token=token).device.can_receive


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "short",
        "x" * 15,
        "x" * 4097,
        "x" * 10_000_000,
        "x" * 20 + " ",
        "x" * 20 + "\n",
        "あ" * 20,
        "x" * 20 + "\x00",
    ],
    ids=["empty", "short", "15", "4097", "10MB", "blank", "newline", "kanji", "nul"],
)
def test_an_odd_token_is_refused_and_the_one_before_stays(session, odd):
    token = make_token()
    device = _register(session, token=token).device
    with pytest.raises(TokenError, match="16 to 4,096"):
        devices.set_token(session, device, odd, NOW)
    assert (device.token, device.can_receive) == (token, True)


def test_delete_me_deletes_places_follows_and_receipts_and_nobody_elses(session):
    topics.put(session, "fire", {"ja": "火災"})
    message = make_message(session, Audience())
    gone, stays = make_device(session), make_device(session)
    for device in (gone, stays):
        put_place(session, device, "home", INSIDE)
        topics.follow(session, device.id, ["fire"])
        receipts.put(session, message.id, device.id, ReceiptKind.SHOWN, NOW)
    number = gone.id
    devices.erase(session, gone)
    for column in (Device.id, Place.device_id, Follow.device_id, Receipt.device_id):
        assert list(session.scalars(sa.select(column))) == [stays.id]
    assert places.of_device(session, number) == {}


def test_ids_are_never_used_again(session):
    seen = set()
    for _ in range(3):
        device = make_device(session)
        assert device.id not in seen
        assert device.id > max(seen, default=0)
        seen.add(device.id)
        devices.erase(session, device)


def test_two_phones_that_bring_one_token_at_once_both_register_and_one_owns_it(engine):
    """A phone on a bad line sends its registration twice; neither may fail."""
    token = make_token()

    def register(session):
        return _register(session, token=token).device.id

    first, second = overlapping(engine, register, register)
    with transaction(engine, "read") as session:
        owners = session.execute(sa.select(Device.id, Device.token).order_by(Device.id)).all()
        assert sorted(owners) == sorted([(first, None), (second, token)])
