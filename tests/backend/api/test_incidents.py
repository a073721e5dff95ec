"""What is told of incidents at the door, and what the word that one is over starts again."""

from __future__ import annotations

import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine

from database import transaction
from notifications.channels.promise import Outcome
from notifications.dispatch import incidents
from notifications.dispatch.batches import Batch, BatchState
from tests.backend.api.town import Town
from tests.backend.conftest import Clock
from tests.notifications.dispatch.ledgers import ledger


def test_only_an_incident_that_stopped_something_starts_it_again(
    client: FlaskClient, engine: Engine, clock: Clock
) -> None:
    town = Town(client, engine, clock)
    with transaction(engine) as session:
        ledger(session, [(Outcome.PENDING, 0, None)], state=BatchState.STOPPED, now=clock())
        incidents.report(session, "credentials", "401", clock())
        incidents.report(session, "review", "nobody signed", clock(), "an alert")
    fault, review = town.ok("GET", "/v1/staff/incidents", by="approver")["items"]
    assert (fault["subject"], review["subject"]) == ("", "an alert")
    for one, restarted, state in ((review, 0, BatchState.STOPPED), (fault, 1, BatchState.READY)):
        answer = town.ok("POST", f"/v1/staff/incidents/{one['id']}/resolve", by="duty")
        assert answer == {"restarted": restarted}
        with transaction(engine, "read") as session:
            assert session.scalars(sa.select(Batch.state)).all() == [state.value]
    assert town.ok("GET", "/v1/staff/incidents", by="approver")["items"] == []
