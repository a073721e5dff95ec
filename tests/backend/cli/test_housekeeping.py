"""`yobikake housekeeping`: what it would do, what it did, by the settings of the city."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from backend.cli.housekeeping import command
from backend.config import Settings
from backend.keeping import duty, keeping
from database import db, transaction
from notifications.channels.promise import Outcome
from tests.notifications.builders import make_phones
from tests.notifications.dispatch.ledgers import ledger


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, keep_groups_days=2, keep_outcomes_days=3)


def test_it_says_first_what_it_would_do_and_then_does_it(app, clock):
    with app.app_context(), transaction(db.engine) as session:
        make_phones(session, 2, now=clock())
        ledger(session, [(Outcome.ACCEPTED, 1, 5)] * 2, now=clock())
    clock.pass_(days=4)

    def run(*words: str) -> dict[str, object]:
        done = app.test_cli_runner().invoke(command, ["--json", *words])
        assert done.exit_code == 0, done.output
        found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
        return found

    assert run("--dry-run") == {"dry_run": True, "finished": False, "rows": {"groups": 1, "batches": 1}}
    assert run() == {"dry_run": False, "finished": True, "rows": {"groups": 2, "batches": 1}}
    assert run() == {"dry_run": False, "finished": True, "rows": {}}


def test_the_settings_say_how_long_what_is_kept(settings):
    kept = keeping(settings)
    days = {name: getattr(kept, name) / dt.timedelta(days=1) for name in kept.__slots__}
    assert days == {"groups": 2, "outcomes": 3, "receipts": 92, "told": 366, "token": 270, "device": 400}
    assert duty(settings).every == dt.timedelta(hours=1)
