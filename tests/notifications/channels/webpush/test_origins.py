"""One service's trouble is its own: it rests, the others go on, and only when nobody takes us an operator is called."""

from __future__ import annotations

from notifications.channels.promise import Fault, Outcome, Result
from notifications.channels.webpush import origins
from notifications.channels.webpush.answer import Reading, classify, no_answer
from notifications.channels.webpush.endpoint import Endpoint, Services
from notifications.channels.webpush.origins import Origins

GOOGLE = Services().check("https://fcm.googleapis.com/a")
APPLE = Services().check("https://web.push.apple.com/a")
STRANGER = Services(["*"]).check("https://push.example.org/a")
WELL = classify(201, b"", None)
JWT = classify(403, b'{"reason":"BadJwtToken"}', None)
QUOTA = classify(429, b"", 40)
SILENCE = no_answer("curl 28", may_have_arrived=True)


class Watch:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.origins = Origins(lambda: self.now)

    def answer(self, endpoint: Endpoint, reading: Reading, times: int = 1) -> list[Result]:
        found = []
        for _ in range(times):
            self.origins.begun(endpoint)
            found.append(self.origins.ended(endpoint, reading))
        return found

    def rests(self, endpoint: Endpoint) -> bool:
        return self.origins.held_up(endpoint) is not None


def test_one_browsers_quota_is_its_own_and_the_services_makes_it_rest_as_long_as_it_asked() -> None:
    watch = Watch()
    watch.answer(GOOGLE, QUOTA, origins.IN_A_ROW - 1)
    watch.answer(GOOGLE, WELL)
    watch.answer(GOOGLE, QUOTA, origins.IN_A_ROW - 1)
    assert not watch.rests(GOOGLE)
    watch.answer(GOOGLE, QUOTA)
    held = watch.origins.held_up(GOOGLE)
    assert held is not None
    assert (held.outcome, held.retry_after_s, held.project_wide, held.fault) == (Outcome.RETRY, 40, False, None)
    assert not watch.rests(APPLE)
    watch.now += 40
    assert not watch.rests(GOOGLE)


def test_a_service_that_says_nothing_rests_a_while() -> None:
    watch = Watch()
    watch.answer(APPLE, SILENCE, origins.SILENCES_IN_A_ROW - 1)
    assert not watch.rests(APPLE)
    watch.answer(APPLE, SILENCE)
    assert watch.rests(APPLE)
    assert not watch.rests(GOOGLE)
    watch.now += origins.SILENCE_RESTS_S
    assert not watch.rests(APPLE)


def test_a_strangers_service_has_a_share_and_no_more() -> None:
    watch = Watch()
    for _ in range(origins.STRANGERS_SHARE):
        assert not watch.rests(STRANGER)
        watch.origins.begun(STRANGER)
        watch.origins.begun(GOOGLE)
    assert watch.rests(STRANGER)
    assert not watch.rests(GOOGLE)
    watch.origins.ended(STRANGER, WELL)
    assert not watch.rests(STRANGER)


def test_one_service_that_refuses_our_word_stops_no_other_and_calls_nobody() -> None:
    watch = Watch()
    for _ in range(10):
        results = watch.answer(APPLE, JWT, 5)
        watch.answer(GOOGLE, WELL)
        watch.now += 60
        assert {result.fault for result in results} == {None}
        assert {result.outcome for result in results} == {Outcome.RETRY}


def test_when_no_service_takes_our_word_for_a_while_an_operator_is_called() -> None:
    watch = Watch()
    for _ in range(4):
        assert {result.fault for result in watch.answer(APPLE, JWT, 5)} == {None}
        watch.now += 20
    watch.now += 10
    (result,) = watch.answer(GOOGLE, JWT)
    assert (result.outcome, result.fault) == (Outcome.RETRY, Fault.CREDENTIALS)
    watch.answer(GOOGLE, WELL)
    assert watch.answer(APPLE, JWT)[0].fault is None


def test_refusals_of_another_day_are_forgotten() -> None:
    watch = Watch()
    watch.answer(APPLE, JWT, 40)
    watch.now += 86_400
    assert watch.answer(APPLE, JWT)[0].fault is None


def test_strangers_cannot_call_the_operator() -> None:
    watch = Watch()
    for _ in range(40):
        assert watch.answer(STRANGER, JWT)[0].fault is None
        watch.now += 10


def test_any_number_of_strangers_takes_little_memory() -> None:
    watch = Watch()
    services = Services(["*"])
    for number in range(origins._MOST_ORIGINS + 500):
        watch.answer(services.check(f"https://p{number}.example.org/a"), WELL)
    assert len(watch.origins._known) <= origins._MOST_ORIGINS
