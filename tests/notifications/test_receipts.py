"""What apps say of a message is kept once; a phone's clock is believed where it can be true."""

from __future__ import annotations

import pytest

from notifications import receipts
from notifications.audiences import Audience
from notifications.receipts import Heard, ReceiptKind
from tests.notifications.builders import HOUR, MINUTE, NOW, SECOND, make_device, make_message


def test_a_receipt_counts_once_for_each_phone_message_and_kind(session):
    first, second = make_message(session, Audience()), make_message(session, Audience())
    one, two = make_device(session), make_device(session)
    put = receipts.put
    assert put(session, first.id, one.id, ReceiptKind.SHOWN, NOW) is True
    assert put(session, first.id, one.id, ReceiptKind.SHOWN, NOW + HOUR) is False
    assert put(session, first.id, one.id, ReceiptKind.OPENED, NOW) is True
    assert put(session, first.id, two.id, ReceiptKind.SHOWN, NOW) is True
    assert put(session, second.id, one.id, ReceiptKind.SHOWN, NOW) is True
    assert receipts.count(session, first.id) == {ReceiptKind.SHOWN: 2, ReceiptKind.OPENED: 1}
    assert receipts.count(session, 999) == {}


def test_what_phones_said_is_counted_by_phone_and_timed_from_the_beginning(session):
    message = make_message(session, Audience())
    phones = [make_device(session) for _ in range(20)]
    for number, phone in enumerate(phones, 1):
        receipts.put(session, message.id, phone.id, ReceiptKind.SHOWN, NOW + number * SECOND)
    receipts.put(session, message.id, phones[0].id, ReceiptKind.OPENED, NOW + MINUTE)
    stranger = make_device(session)
    receipts.put(session, message.id, stranger.id, ReceiptKind.OPENED, NOW + MINUTE)
    heard = receipts.heard(session, message.id, message.not_before)
    assert heard == Heard(shown=20, opened=2, devices=21, shown_p50_s=10.0, shown_p95_s=19.0)
    assert receipts.heard(session, 999, NOW) == Heard()


@pytest.mark.parametrize(
    ("claimed", "kept"),
    [(5 * SECOND, 5 * SECOND), (0 * SECOND, 0 * SECOND), (-SECOND, HOUR), (2 * HOUR, HOUR), (None, HOUR)],
)
def test_a_clock_that_cannot_be_right_counts_from_when_we_heard(session, claimed, kept):
    message, phone = make_message(session, Audience()), make_device(session)
    at = None if claimed is None else NOW + claimed
    receipts.put(session, message.id, phone.id, ReceiptKind.SHOWN, NOW + HOUR, at=at, begun=message.not_before)
    assert receipts.of_device(session, message.id, phone.id) == {"shown": NOW + kept}


def test_receipts_are_forgotten_a_few_at_a_time_and_only_of_that_message(session):
    first, second = make_message(session, Audience()), make_message(session, Audience())
    for _ in range(5):
        phone = make_device(session)
        for message in (first, second):
            for kind in ReceiptKind:
                receipts.put(session, message.id, phone.id, kind, NOW)
    assert [receipts.remove(session, first.id, 4) for _ in range(4)] == [4, 4, 2, 0]
    assert receipts.count(session, first.id) == {}
    assert receipts.count(session, second.id) == {ReceiptKind.SHOWN: 5, ReceiptKind.OPENED: 5}
