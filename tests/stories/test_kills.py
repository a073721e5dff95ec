"""The worker killed with SIGKILL at twenty random moments of one send: nobody missed, nobody shown two."""

from __future__ import annotations

import random
import time
from functools import partial

import pytest

from tests.stories import people
from tests.stories.running import RunningCity, wait_for

pytestmark = pytest.mark.story

PHONES = 10_000
KILLS = 20
IN_FLIGHT = 50  # what one kill may at most repeat


def test_twenty_kills_in_one_send(city: RunningCity, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(20_261_121)
    engine = city.engine()
    phones = people.settle(engine, PHONES, seed=3)
    people.build_shelters(engine)
    engine.dispose()
    expected = people.inside(phones)
    assert len(expected) > KILLS * IN_FLIGHT
    # Answers take a while, as the provider's do: a kill then finds messages under way.
    city.fault(fault="SLOW", delay_s=0.02)
    alert = city.issue(people.flood_order())
    message_id = ""
    kills, while_planning = 0, 0
    share = len(expected) // (KILLS + 4)
    while kills < KILLS:
        city.start_worker()
        before = sum(city.rung(message_id).values()) if message_id else 0
        # At some moment before it has told its share: while planning, claiming, sending or writing down.
        goal = before + rng.randrange(share)
        wait_for(partial(progressed, city, alert, message_id, goal), "progress")
        time.sleep(rng.random() * 0.05)
        city.kill()
        kills += 1
        message_id = message_id or str(city.progress(alert)["message_id"])
        while_planning += city.progress(alert)["planning"] == "waiting"
    city.start_worker()
    progress = city.sent(alert)

    rung = city.rung(message_id)
    again = sum(rung.values()) - len(rung)
    with capsys.disabled():
        print(
            f"\n[{city.database_url.split(':')[0]}] {len(expected)} phones, {kills} kills ({while_planning} while"
            f" planning): missed {len(expected - set(rung))}, strangers {len(set(rung) - expected)},"
            f" sent again {again} (at most {again / kills:.1f} a kill on average)"
        )
    assert set(rung) == expected
    assert again <= kills * IN_FLIGHT
    assert sum(progress["outcomes"].values()) == len(expected)
    # Sent again, it replaces itself: no phone shows two.
    totals = city.phones()["totals"]
    assert totals["phones"] == len(expected)
    for phone in city.phones()["phones"]:
        assert phone["showing"] == 1, phone


def progressed(city: RunningCity, alert: dict[str, object], message_id: str, goal: int) -> bool:
    """So many messages have reached the provider, or there is nothing left to send."""
    reached = sum(city.rung(message_id).values()) >= goal if message_id else bool(list(city.received()))
    return reached or over(city, alert)


def over(city: RunningCity, alert: dict[str, object]) -> bool:
    """Nothing is left to send."""
    progress = city.progress(alert)
    return progress["planning"] in ("latecomers", "done") and progress["open_batches"] == 0
