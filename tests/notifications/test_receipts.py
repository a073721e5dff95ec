"""What apps say of a message is kept once."""

from __future__ import annotations

from notifications import receipts
from notifications.audiences import Audience
from notifications.receipts import ReceiptKind
from tests.notifications.builders import HOUR, NOW, make_device, make_message


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
