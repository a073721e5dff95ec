"""Several workers on one PostgreSQL: how fast, how fair, and what becomes of a send when one of them is lost.

Two network namespaces are two machines: each has a worker and a provider of its own on its loopback, and a cable to
the database. One worker is killed, one is cut off from the database, the database itself is crashed, each in the
middle of a send. Lost and doubled are counted in the providers' logs. Needs root (or user namespaces).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from backend.config import variables
from benchmarks import _backlog
from benchmarks._city import OPEN, City
from benchmarks._machine import describe, family_s, median, say, table
from benchmarks._machines import Machine, joined
from benchmarks._namespace import enter
from benchmarks._pace import unpaced
from benchmarks._stores import Store, open_store, work_folder
from benchmarks._witness import Hit, read
from benchmarks.provider import Provider, echo_module

STEP = 50
LEASE_S = 6
LEASED = "SELECT count(*) FROM batches WHERE state = 'leased'"
# Beats of the last few seconds, by the database's own clock.
HEARD = "SELECT count(*) FROM worker_beats WHERE beat_at > now() - interval '12 seconds'"


def fleet_settings() -> dict[str, str]:
    """Chooses the fleet's driver where this version has one."""
    found = [name.removeprefix("YOBIKAKE_") for name in variables() if name.endswith("DRIVER")]
    return {found[0]: "fleet"} if found else {}


@dataclass(slots=True)
class Send:
    """One message to everybody, and what the providers saw of it."""

    took_s: float = 0.0
    ended: bool = True
    in_flight: int = 0
    shares: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    cpu_s: float = 0.0
    note: str = ""


class Fleet:
    """A city whose workers stand on several machines."""

    def __init__(self, folder: Path, store: Store, machines: list[Machine], stack: ExitStack, phones: int) -> None:
        self.store, self.machines, self.phones = store, machines, phones
        self.providers = [
            stack.enter_context(Provider(folder / f"provider-{m.number}", 8443, prefix=m.prefix)) for m in machines
        ]
        settings = {"FCM_TIMEOUT": "3", "LEASE_SECONDS": str(LEASE_S), "RETRY_SECONDS": "1", "FCM_CONNECTIONS": "8"}
        self.city = City(folder, store, self.providers[0], "w1", **{**settings, **unpaced(), **fleet_settings()}).start(
            web=False
        )
        stack.callback(self.city.stop)
        _backlog.settle(self.city.watching, phones)
        self._sends = 0

    def hire(self, workers: int) -> None:
        """That many workers, in turn on the machines; the rest is let go."""
        for number in range(1, 5):
            name = f"worker-{number}"
            if number > workers and name in self.city.running():
                self.city.end(name)
            elif number <= workers and name not in self.city.running():
                at = (number - 1) % len(self.machines)
                self.city.worker(
                    name,
                    prefix=self.machines[at].prefix,
                    **self.providers[at].settings(f"w{number}"),
                    DATABASE_URL=f"postgresql+psycopg://postgres@{self.machines[at].address}:5432/city",
                )

    def send(self, patience_s: float, event: Callable[[], str] | None = None) -> Send:
        """Sends to all phones; `event` happens when a third of the batches is closed."""
        self._sends += 1
        marks = [provider.log.stat().st_size if provider.log.exists() else 0 for provider in self.providers]
        busy = {name: family_s(self.city.pid(name)) for name in self.city.running()}
        began = time.monotonic()
        public_id = _backlog.put(self.city.watching, self.phones, 600, f"fleet-{self._sends}")
        batches = self.city.number(OPEN)
        send = Send()
        if event is not None:
            while self.city.number(OPEN) > batches * 2 // 3:
                time.sleep(0.02)
            send.in_flight = self.city.number(LEASED) * STEP
            send.note = event()
            send.in_flight = max(send.in_flight, self.city.number(LEASED) * STEP)
        send.ended = self.city.wait_idle(patience_s)
        send.took_s = time.monotonic() - began
        send.cpu_s = sum(family_s(self.city.pid(name)) - busy.get(name, 0) for name in self.city.running())
        time.sleep(0.5)
        log = [hit for provider, mark in zip(self.providers, marks, strict=True) for hit in _since(provider, mark)]
        taken = Counter(hit.token for hit in log if hit.status == 200 and hit.message == public_id)
        send.shares = Counter(hit.project for hit in log if hit.status == 200)
        send.lost = sum(_backlog.token_of(number) not in taken for number in range(1, self.phones + 1))
        send.doubled = sum(taken.values()) - len(taken)
        return send


def _since(provider: Provider, mark: int) -> list[Hit]:
    return list(read(provider.log, mark)) if provider.log.exists() else []


def throughput(fleet: Fleet, rounds: int, patience_s: float) -> None:
    """One, two and four workers."""
    rows = []
    first = 0.0
    for workers in (1, 2, 4):
        fleet.hire(workers)
        fleet.send(patience_s)  # connections and access tokens
        sends = [fleet.send(patience_s) for _ in range(rounds)]
        rate = median(fleet.phones / send.took_s for send in sends)
        first = first or rate
        shares = [send.shares[f"w{number}"] / max(1, send.shares.total()) for send in sends for number in range(1, 5)]
        mine = [median(shares[number::4]) for number in range(workers)]
        cpu = median(send.cpu_s / fleet.phones * 10_000 for send in sends)
        rows.append(
            (
                workers, f"{rate:,.0f}", f"{rate / first:.2f}", f"{cpu:.2f}",
                " / ".join(f"{share:.0%}" for share in mine), sum(send.lost for send in sends),
                sum(send.doubled for send in sends),
            )
        )  # fmt: skip
    say("\n### Throughput and fairness (answers after 100 ms; medians)\n")
    say(table(("workers", "messages/s", "× one", "CPU s per 10,000", "share of each", "lost", "doubled"), rows))


def accidents(fleet: Fleet, patience_s: float, cut_s: float) -> bool:
    """One killed, one cut off, the database crashed; True when nobody was lost and all went on by itself."""
    city, machines = fleet.city, fleet.machines
    server = fleet.store.server
    assert server is not None

    def killed() -> str:
        city.kill("worker-1")
        return "worker 1 of 2, SIGKILL"

    def cut() -> str:
        machines[0].cut()
        time.sleep(cut_s)
        machines[0].mend()
        return f"machine 1 without the database for {cut_s:.0f} s (lease {LEASE_S} s)"

    def crashed() -> str:
        server.crash(2.0)
        return "database ended at once, back after 2 s"

    rows, fine = [], True
    for event in (killed, cut, crashed):
        fleet.hire(2)
        send = fleet.send(patience_s, event)
        alive = _alive(city, 1 if event is killed else 2)
        good = send.ended and not send.lost and send.doubled <= send.in_flight and alive
        fine = fine and good
        rows.append(
            (
                send.note, f"{send.took_s:.0f} s", send.lost, f"{send.doubled:,}", f"{send.in_flight:,}",
                "yes" if send.ended else "NO", "yes" if alive else "NO", "yes" if good else "NO",
            )
        )  # fmt: skip
    say(f"\n### Accidents in the middle of {fleet.phones:,} messages (two workers on two machines)\n")
    head = ("what happened", "all sent after", "lost", "doubled", "at most (in flight)", "ended by itself")
    say(table((*head, "workers heard of afterwards", "as promised"), rows))
    return fine


def _alive(city: City, wanted: int) -> bool:
    """So many workers make themselves heard again, by themselves."""
    until = time.monotonic() + 40
    while time.monotonic() < until:
        if city.number(HEARD) >= wanted:
            return True
        time.sleep(0.5)
    return False


def main() -> int:
    """Prints the tables; 1 when somebody was lost or something did not go on by itself."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phones", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cut", type=float, default=15.0, help="seconds without the database")
    parser.add_argument("--patience", type=float, default=240.0)
    parser.add_argument("--only", choices=("throughput", "accidents"))
    asked = parser.parse_args()
    echo_module()
    enter()
    say("## Fleet\n\n" + describe() + "\n")
    say(f"Driver: {fleet_settings() or 'the only one'}")
    fine = True
    with ExitStack() as stack:
        folder = stack.enter_context(work_folder())
        machines = [Machine(1), Machine(2)]
        for machine in machines:
            stack.callback(machine.close)
        store = stack.enter_context(open_store("postgresql", folder, addresses=joined(machines)))
        fleet = Fleet(folder, store, machines, stack, asked.phones)
        if asked.only in (None, "throughput"):
            throughput(fleet, asked.rounds, asked.patience)
        if asked.only in (None, "accidents"):
            fine = accidents(fleet, asked.patience, asked.cut)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
