""" "Can I receive?" goes to the phone that asked, in its language, again and again."""

from __future__ import annotations

from content.texts import LANGUAGES, lint
from notifications import selftest, told
from notifications.messages import Lane
from tests.notifications.builders import INSIDE, MINUTE, NOW, PUBLIC_URL, SECOND, TOKYO, make_device, plan


def test_only_the_phone_that_asked_is_rung(session):
    asks, other = make_device(session, INSIDE), make_device(session, INSIDE)
    message = selftest.send(session, asks, NOW, PUBLIC_URL)
    plan(session)
    assert list(told.everybody(session, message.id)) == [asks.id]
    assert not told.was_told(session, message.id, other.id)
    assert (message.kind, message.rank // 10, message.drill, message.hazard) == ("test", Lane.TEST, False, None)


def test_a_second_test_is_another_message_that_replaces_the_first_on_the_phone(session):
    device = make_device(session)
    first, second = (selftest.send(session, device, NOW, PUBLIC_URL) for _ in range(2))
    assert first.id != second.id
    assert first.thread == second.thread
    assert selftest.send(session, make_device(session), NOW, PUBLIC_URL).thread != first.thread


def test_a_test_is_over_after_ten_minutes(session):
    message = selftest.send(session, make_device(session), NOW, PUBLIC_URL)
    assert message.expires_at == NOW + 10 * MINUTE
    assert plan(session, NOW + 10 * MINUTE) == 0
    assert plan(session, NOW + 10 * MINUTE - SECOND) == 0, "planning was over"


def test_its_words_are_there_in_every_language_and_clean():
    assert set(selftest.TEXTS) == set(LANGUAGES)
    assert lint(selftest.TEXTS, NOW, TOKYO) == []
