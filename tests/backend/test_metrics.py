"""/metrics: shut without its key, the ledger's facts with it, and no label that leads to anybody."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from backend.config import SettingError, Settings
from database import transaction
from notifications.channels.promise import Outcome
from notifications.dispatch import incidents
from notifications.dispatch.batches import BatchState
from tests.notifications.dispatch.ledgers import ledger

KEY = "k" * 32


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, metrics_token=KEY)


def _ask(client, key=KEY):
    return client.get("/metrics", headers={"Authorization": f"Bearer {key}"})


def _samples(client):
    text = _ask(client).get_data(as_text=True)
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_without_its_key_it_is_shut_and_without_the_setting_it_is_not_there(client, bare_app):
    assert client.get("/metrics").status_code == 401
    assert _ask(client, "x" * 32).status_code == 401
    assert _ask(bare_app.test_client()).status_code == 404
    with pytest.raises(SettingError) as refused:
        Settings.from_environment({"YOBIKAKE_METRICS_TOKEN": "short-secret"})
    assert "short-secret" not in str(refused.value)


def test_it_tells_what_waits_what_became_of_people_and_what_is_broken(client, engine, clock):
    with transaction(engine) as session:
        ledger(session, [(Outcome.ACCEPTED, 1, 5)] * 3 + [(Outcome.UNREGISTERED, 1, 5)], now=clock())
        ledger(session, [(Outcome.PENDING, 0, None)], state=BatchState.READY, now=clock())
        incidents.report(session, "credentials", "x", clock())
    clock.pass_(seconds=30)
    found = _samples(client)
    where = (("lane", "notice"), ("outlet", "fcm"))
    assert found[("yobikake_batches", *where, ("state", "ready"))] == 1
    assert found[("yobikake_oldest_batch_seconds", *where)] == 30
    assert found[("yobikake_recipients", ("outcome", "accepted"))] == 3
    assert found[("yobikake_recipients", ("outcome", "pending"))] == 1
    assert found[("yobikake_incidents_open", ("kind", "credentials"))] == 1
    assert found[("yobikake_workers_alive",)] == 0
    assert found[("yobikake_governor_paused_seconds", ("outlet", "fcm"))] == 0
    names = {name for key in found for name, _ in key[1:]}
    assert names <= {"lane", "outlet", "state", "outcome", "kind", "exercise"}


def test_an_impatient_scraper_costs_one_look(client, engine, clock):
    before = _samples(client)
    with transaction(engine) as session:
        incidents.report(session, "sender", "x", clock())
    assert _samples(client) == before
    clock.pass_(seconds=5)
    assert _samples(client) != before
