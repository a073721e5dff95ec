"""A provider in a storm: every recipient's end explained, the quota kept in every minute, evacuations still first.

First 5 % dead tokens, 2 % 503, resets, bursts of 429 for devices and for the whole project, and one total outage
while a message goes to many; then, with a quiet provider, evacuation orders during a fan-out of reminders to
everybody. The quota is set small, so that it is met within minutes. What is said is read from the provider's log.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import sqlalchemy as sa

from benchmarks import _backlog, _places, _population
from benchmarks._city import OPEN, City
from benchmarks._explained import explain, sent_while_paused
from benchmarks._machine import CLIENT_CORE, SERVER_CORE, describe, say, table
from benchmarks._pace import paced
from benchmarks._stores import KINDS, Store, open_store, work_folder
from benchmarks._witness import busiest, percentile, read
from benchmarks.provider import Provider, storm_faults
from database import transaction
from notifications import messages
from notifications.audiences import Audience
from notifications.messages import Kind, Lane, Saying
from tests.stories.running import free_port

SHARE = 0.95  # of the quota, the governor's own promise
# A named part of the city, about 1.5 km wide: an order over it rings every hundredth phone or so.
ORDERED = [[140.930, 38.230], [140.947, 38.230], [140.947, 38.243], [140.930, 38.243], [140.930, 38.230]]


def storm(store: Store, folder: Path, asked: argparse.Namespace) -> bool:
    """One message through the storm; True when all is explained and the quota was kept."""
    with Provider(folder / "provider", free_port(), core=SERVER_CORE, faults=storm_faults()) as provider:
        settings = {"FCM_TIMEOUT": "10", "LEASE_SECONDS": "20", "RETRY_SECONDS": "2"}
        city = City(folder, store, provider, "storm", **settings, **paced(asked.quota, asked.ramp))
        try:
            city.start(web=False)
            _backlog.settle(city.watching, asked.phones)
            city.worker(core=CLIENT_CORE)
            began = time.monotonic()
            public_id = _backlog.put(city.watching, asked.phones, 600, "storm")
            half = f"{OPEN} AND attempts = 0"
            batches = city.number(OPEN)
            while city.number(half) > batches // 2:
                time.sleep(0.1)
            provider.stop()
            out = time.monotonic()
            time.sleep(asked.outage)
            provider.start()
            back = time.monotonic()
            city.wait_idle(asked.patience)
            took = time.monotonic() - began
            left = city.number(OPEN)
        finally:
            city.stop()
            provider.stop()
    log = [hit for hit in read(provider.log) if hit.project == "storm"]
    lines = explain(_ledger(store, public_id), log)
    quota = busiest([hit.arrived for hit in log])
    paused = sent_while_paused(log)
    say(f"\n### {store.kind}: {asked.phones:,} recipients, outage of {back - out:.0f} s, over after {took:.0f} s\n")
    head = ("written down", "the provider's word", "recipients", "of these after a refusal", "explained")
    rows = [(f.outcome, f.answer, f"{f.recipients:,}", f"{f.detours:,}", "yes" if f.explained else "NO") for f in lines]
    say(table(head, rows))
    statuses = {status: sum(hit.status == status for hit in log) for status in sorted({hit.status for hit in log})}
    say("\nAnswers given: " + ", ".join(f"{status}: {count:,}" for status, count in statuses.items()))
    kept = quota.most <= asked.quota
    say(
        f"\nBusiest 60 s: {quota.most:,} requests of a quota of {asked.quota:,} ({quota.most / asked.quota:.0%}; "
        f"aim ≤ {SHARE:.0%}): {'kept' if kept else 'EXCEEDED'}. Requests later than 1 s into a pause of the whole "
        f"project: {paused}. Batches left open: {left}."
    )
    return kept and not left and all(line.explained for line in lines)


def overtaking(store: Store, folder: Path, asked: argparse.Namespace) -> bool:
    """Orders over a small area while reminders go to everybody: how long after the approval each phone is told."""
    with Provider(folder / "provider", free_port(), core=SERVER_CORE) as provider:
        city = City(folder, store, provider, "ms100", **paced(asked.lane_quota, asked.ramp), FCM_CONNECTIONS="16")
        try:
            city.start()
            _population.fill(city.watching, asked.reminders)
            _population.put_sites(city.watching, _places.city())
            reachable = city.number("SELECT count(*) FROM devices WHERE token IS NOT NULL")
            city.worker(core=CLIENT_CORE)
            with transaction(city.watching) as session:
                reminder = messages.post(session, _reminder(), dt.datetime.now(dt.UTC)).public_id
            while not provider.log.exists() or provider.log.stat().st_size < 1_000_000 * asked.reminders / 500_000:
                time.sleep(0.1)  # well under way
            approved: dict[str, float] = {}
            for _ in range(asked.orders):
                alert = city.submit(city.draft(_order()))
                at = time.time()
                public = city.approve(alert)
                approved[str(city.progress(public)["message_id"])] = at
                time.sleep(asked.every)
            running = city.number(OPEN)
            city.wait_idle(asked.patience)
        finally:
            city.stop()
            provider.stop()
    log = list(read(provider.log))
    waits = [hit.arrived - approved[hit.message] for hit in log if hit.message in approved]
    firsts = [
        min(hit.arrived for hit in log if hit.message == message) - at
        for message, at in approved.items()
        if any(hit.message == message for hit in log)
    ]
    reminders = [hit.arrived for hit in log if hit.message == reminder]
    during = sum(min(approved.values()) <= at <= max(approved.values()) for at in reminders)
    say(f"\n### {store.kind}: {len(approved)} orders during {len(reminders):,} reminders\n")
    head = ("", "p50", "p95", "p99", "most")
    shown = [("first phone of an order", firsts), ("every phone of an order", waits)]
    rows = [
        (
            name,
            *(f"{percentile(values, share):.2f} s" for share in (0.5, 0.95, 0.99)),
            f"{max(values, default=0):.2f} s",
        )
        for name, values in shown
    ]
    say(table(head, rows))
    window = busiest([hit.arrived for hit in log])
    say(
        f"\n{len(waits):,} phones told by orders; {during:,} reminders went out between the first and the last order; "
        f"batches of reminders open after the last order: {running:,}; all reminders sent: "
        f"{'yes' if len(reminders) >= reachable else 'NO'}. Busiest 60 s: {window.most:,} of "
        f"{asked.lane_quota:,}."
    )
    return len(reminders) >= reachable and window.most <= asked.lane_quota and bool(waits)


def _reminder() -> Saying:
    now = dt.datetime.now(dt.UTC)
    return Saying(
        origin="storm-reminder",
        thread="r" * 22,
        kind=Kind.NOTICE,
        lane=Lane.REMINDER,
        texts={"ja": {"title": "明日はプラスチックの日です", "body": "朝8時30分までに出してください。"}},
        link="https://push.mihon.example/v1/notices/b7KdP4nH6fJ0aXq3Ue9sMg",
        reason="topic:garbage",
        audience=Audience(everyone=True),
        expires_at=now + dt.timedelta(hours=6),
    )


def _order() -> dict[str, object]:
    return {
        "hazard": "flood",
        "level": 4,
        "area": {"polygon": {"type": "Polygon", "coordinates": [ORDERED]}},
        "area_names": {"ja": "若林区", "en": "Wakabayashi"},
        "expires_at": (dt.datetime.now(dt.UTC) + dt.timedelta(hours=12)).isoformat(),
    }


def _ledger(store: Store, public_id: str) -> dict[str, int]:
    engine = store.engine()
    query = "SELECT b.device_ids, b.outcomes FROM batches b JOIN messages m ON m.id = b.message_id"
    found: dict[str, int] = {}
    with engine.connect() as connection:
        for ids, outcomes in connection.execute(sa.text(query + " WHERE m.public_id = :id"), {"id": public_id}):
            packed = bytes(ids)
            numbers = [int.from_bytes(packed[at : at + 8], "little") for at in range(0, len(packed), 8)]
            found.update({_backlog.token_of(n): outcome for n, outcome in zip(numbers, bytes(outcomes), strict=True)})
    engine.dispose()
    return found


def main(given: Sequence[str] | None = None) -> int:
    """Prints the tables; 1 when something is not explained or the quota was exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phones", type=int, default=60_000, help="recipients in the storm")
    parser.add_argument("--quota", type=int, default=60_000, help="a minute, in the storm")
    parser.add_argument("--ramp", type=float, default=10.0, help="seconds from nothing to the full rate")
    parser.add_argument("--outage", type=float, default=60.0, help="seconds without any provider")
    parser.add_argument("--reminders", type=int, default=500_000)
    parser.add_argument("--lane-quota", type=int, default=600_000, help="a minute, during the reminders")
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--every", type=float, default=1.0, help="seconds from order to order")
    parser.add_argument("--patience", type=float, default=900.0)
    parser.add_argument("--stores", nargs="+", default=["postgresql"], choices=KINDS)
    parser.add_argument("--only", choices=("storm", "lanes"))
    asked = parser.parse_args(given)
    say("## Storm\n\n" + describe())
    fine = True
    for kind in asked.stores:
        for name, play in (("storm", storm), ("lanes", overtaking)):
            if asked.only in (None, name):
                with work_folder() as folder, open_store(kind, folder, core=SERVER_CORE) as store:
                    fine = play(store, folder, asked) and fine
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
