"""Calling an operator: an incident goes to the log, and to a webhook where one is set."""

from __future__ import annotations

import datetime as dt

import requests
import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Engine

from database import transaction
from notifications.dispatch import incidents
from notifications.dispatch.incidents import Incident

TIMEOUT_S = 5.0

log = structlog.get_logger("operator")


def page(engine: Engine, webhook: str | None, now: dt.datetime) -> bool:
    """Calls an operator for the oldest incident nobody was called for; True when one was reached.

    With a webhook (an https URL of the city's own on-call service) it is tried again at every
    call until it answers 2xx; without one the log at level critical is the call.
    """
    with transaction(engine, "read") as session:
        incident = incidents.to_page(session)
    if incident is None:
        return False
    log.critical("operator_paged", incident=incident.id, kind=incident.kind, detail=incident.detail)
    if webhook is not None:
        body: dict[str, str | int] = {
            "incident": incident.id,
            "kind": incident.kind,
            "detail": incident.detail,
            "opened_at": incident.opened_at.isoformat(),
            "text": f"Yobikake: {incident.kind}: {incident.detail}",
        }
        try:
            answer = requests.post(webhook, json=body, timeout=TIMEOUT_S, allow_redirects=False)
        except requests.RequestException as error:
            log.error("operator_webhook_failed", reason=type(error).__name__)
            return False
        if not 200 <= answer.status_code < 300:
            log.error("operator_webhook_failed", status=answer.status_code)
            return False
    with transaction(engine) as session:
        session.execute(
            sa.update(Incident).where(Incident.id == incident.id, Incident.paged_at.is_(None)).values(paged_at=now)
        )
    return True
