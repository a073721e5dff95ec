"""/metrics for Prometheus: the facts that all processes share, read from the database; never an id, a cell, a token."""

from __future__ import annotations

import datetime as dt
import hmac
import threading
from collections import Counter
from collections.abc import Iterable, Iterator

import sqlalchemy as sa
from flask import Flask, Response, current_app, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from sqlalchemy.orm import Session

from backend import clock, transaction
from backend.config import settings
from backend.errors import of_status
from notifications import alerts
from notifications.channels.promise import Outcome, Outlet
from notifications.dispatch import census, governor, incidents, worker
from notifications.dispatch.batches import Batch, BatchState
from notifications.messages import Lane, Message, Planning

# Several scrapers, or one that is impatient, cost one look.
FRESH_FOR = dt.timedelta(seconds=5)
OUTCOMES_OF = dt.timedelta(days=1)


class Facts:
    """A collector of what one reading transaction sees."""

    def __init__(self, found: Iterable[Metric]) -> None:
        self._found = list(found)

    def collect(self) -> list[Metric]:
        """What was seen."""
        return self._found


def families(session: Session, now: dt.datetime) -> Iterator[Metric]:
    """Every metric, as it stands at a moment. All are gauges: the ledger is the truth, and it forgets."""
    yield from _queue(session, now)
    planning = GaugeMetricFamily("yobikake_messages_to_plan", "Messages whose audience is still being listed.")
    waiting = Message.planning.in_([Planning.WAITING.value, Planning.LATECOMERS.value])
    planning.add_metric([], _number(session, sa.select(sa.func.count(Message.id)).where(waiting)))
    yield planning
    yield _outcomes(session, now)
    open_ones = GaugeMetricFamily("yobikake_incidents_open", "Faults that an operator must mend.", labels=["kind"])
    for kind, many in Counter(incident.kind for incident in incidents.open_ones(session)).items():
        open_ones.add_metric([kind], many)
    yield open_ones
    live = GaugeMetricFamily("yobikake_alerts_live", "Alerts in force.", labels=["exercise"])
    for drill in (False, True):
        live.add_metric([str(drill).lower()], len(alerts.live(session, now, drill=drill)))
    yield live
    alive = GaugeMetricFamily("yobikake_workers_alive", "Workers heard of in the last thirty seconds.")
    alive.add_metric([], len(worker.alive(session, now)))
    yield alive
    reserved = GaugeMetricFamily(
        "yobikake_governor_reserved", "Hand-overs of the last minute, retries too.", labels=["outlet"]
    )
    paused = GaugeMetricFamily(
        "yobikake_governor_paused_seconds", "For how long a provider asked everybody to wait.", labels=["outlet"]
    )
    for outlet in Outlet:
        standing = governor.standing(session, outlet, now)
        until = standing.paused_until
        reserved.add_metric([outlet.value], standing.reserved)
        paused.add_metric([outlet.value], max(0.0, (until - now).total_seconds()) if until else 0.0)
    yield from (reserved, paused)
    counted = census.latest(session)
    if counted is not None:
        phones = GaugeMetricFamily("yobikake_devices", "Phones as of the last daily count.", labels=["state"])
        for state in ("devices", "reachable", "stale"):
            phones.add_metric(["all" if state == "devices" else state], getattr(counted, state))
        yield phones


def _queue(session: Session, now: dt.datetime) -> Iterator[Metric]:
    columns = (Batch.rank, Batch.outlet, Batch.state, sa.func.count(), sa.func.min(Batch.created_at))
    states = [state.value for state in BatchState if state is not BatchState.CLOSED]
    rows = session.execute(sa.select(*columns).where(Batch.state.in_(states)).group_by(*columns[:3]))
    numbers: dict[tuple[str, str, str], int] = {}
    oldest: dict[tuple[str, str], float] = {}
    for rank, outlet, state, number, since in rows:
        lane = _lane(rank)
        numbers[lane, outlet, state] = numbers.get((lane, outlet, state), 0) + number
        moment = since if isinstance(since, dt.datetime) else dt.datetime.fromisoformat(since)
        oldest[lane, outlet] = max(oldest.get((lane, outlet), 0.0), (now - moment).total_seconds())
    depth = GaugeMetricFamily(
        "yobikake_batches", "Batches of at most 500 that are not closed.", labels=["lane", "outlet", "state"]
    )
    age = GaugeMetricFamily("yobikake_oldest_batch_seconds", "Age of the oldest of them.", labels=["lane", "outlet"])
    for labels, number in sorted(numbers.items()):
        depth.add_metric(list(labels), number)
    for where, seconds in sorted(oldest.items()):
        age.add_metric(list(where), seconds)
    yield from (depth, age)


def _lane(rank: int) -> str:
    """A withdrawn batch has a rank before all lanes: it has only to be closed."""
    return next((lane.name.lower() for lane in Lane if rank // 10 == lane), "closing")


def _outcomes(session: Session, now: dt.datetime) -> Metric:
    found = GaugeMetricFamily(
        "yobikake_recipients", "Recipients of messages of the last day by outcome.", labels=["outcome"]
    )
    query = sa.select(Batch.outcomes).join(Message).where(Message.not_before > now - OUTCOMES_OF, ~Message.drill)
    counts = dict.fromkeys(Outcome, 0)
    for packed in session.scalars(query.execution_options(yield_per=500)):
        for outcome in Outcome:
            counts[outcome] += packed.count(outcome)
    for outcome, number in counts.items():
        found.add_metric([outcome.name.lower()], number)
    return found


def _number(session: Session, query: sa.Select[int]) -> int:
    return session.scalar(query) or 0


class _Kept:
    """The last answer of this process, for some seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at: dt.datetime | None = None
        self._text = b""

    def text(self, session: Session, now: dt.datetime) -> bytes:
        with self._lock:
            if self._at is None or now - self._at >= FRESH_FOR:
                registry = CollectorRegistry()
                registry.register(Facts(families(session, now)))
                self._at, self._text = now, generate_latest(registry)
            return self._text


def register(app: Flask) -> None:
    """Adds /metrics."""
    app.extensions["yobikake.metrics"] = _Kept()
    app.add_url_rule("/metrics", "metrics", metrics)


def metrics() -> Response:
    """Prometheus text for whoever has the key; without YOBIKAKE_METRICS_TOKEN there is nothing here."""
    key = settings().metrics_token
    if key is None:
        raise of_status(404, "Metrics are off: YOBIKAKE_METRICS_TOKEN is not set.")
    kind, _, sent = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not hmac.compare_digest(sent.strip().encode(), key.encode()):
        challenge = {"WWW-Authenticate": 'Bearer realm="metrics"'}
        raise of_status(401, "Send the header Authorization: Bearer with the key of the metrics.", headers=challenge)
    text = current_app.extensions["yobikake.metrics"].text(transaction.session(), clock.now())
    response = Response(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)
    response.headers["Cache-Control"] = "no-store"
    return response
