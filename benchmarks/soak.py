"""Workers killed at random, two hundred times a store: nobody missed, nobody told by mistake, all written down.

Kills are aimed at planning, claiming, sending and recording in turn (and some at no phase at all). The audience of
every alert is reckoned beforehand by shapely and exact fractions; afterwards `_witness.py`, which imports nothing of
ours, judges the provider's log and the ledger's bytes. One line a kill goes to standard error with --verbose.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import shapely

from benchmarks._aims import DELAY_S, Aim, Phase
from benchmarks._city import OPEN, UNPLANNED, City
from benchmarks._machine import describe, say, table
from benchmarks._nursery import Nursery, kill, runs
from benchmarks._pace import unpaced
from benchmarks._stores import KINDS, Store, open_store, work_folder
from benchmarks._witness import read
from benchmarks.provider import Provider
from tests.stories import people
from tests.stories.running import free_port

STEP = 50  # recipients of one batch that may be under way unrecorded
PATIENCE_S = 15.0
LEASED = "SELECT count(*) FROM batches WHERE state = 'leased'"
READY = "SELECT count(*) FROM batches WHERE state = 'ready'"


@dataclass(slots=True)
class Tally:
    """What the kills of one store came to."""

    aimed: Counter[Phase] = field(default_factory=Counter)
    met: Counter[Phase] = field(default_factory=Counter)
    in_flight: int = 0  # recipients of leased batches that could have been under way, all kills together
    alerts: int = 0
    took_s: float = 0.0


class Soak:
    """One store's run."""

    def __init__(self, city: City, phones: int, rng: random.Random) -> None:
        self.city, self.rng, self.tally = city, rng, Tally()
        self.phones = people.settle(city.watching, phones, seed=7)
        # An edge that runs along a grid line belongs to both sides: the guard of the product's promise.
        squares = np.array([people.box_of(phone.cell or 0) for phone in self.phones])
        self.squares = shapely.buffer(squares, 1e-6)
        people.build_shelters(city.watching)
        self.expected: dict[str, list[str]] = {}
        self.aim = Aim(city.watching)

    def issue(self) -> None:
        """One more alert over a random part of the city; its audience is written down first."""
        lat, lon = self.rng.uniform(38.18, 38.26), self.rng.uniform(140.87, 140.97)
        high, wide = self.rng.uniform(0.02, 0.04), self.rng.uniform(0.02, 0.04)
        ring = [[lon, lat], [lon + wide, lat], [lon + wide, lat + high], [lon, lat + high], [lon, lat]]
        touched = np.flatnonzero(shapely.intersects(shapely.Polygon(ring), self.squares))
        audience = sorted(self.phones[number].token for number in touched.tolist())
        area = {"polygon": {"type": "Polygon", "coordinates": [ring]}}
        alert = self.city.issue(people.flood_order(area=area, area_names={"ja": "見本区", "en": "Sample ward"}))
        self.expected[str(self.city.progress(alert)["message_id"])] = audience
        self.tally.alerts += 1

    def provide(self, phase: Phase) -> None:
        """Sees to it that a worker has something to do in this phase."""
        if phase is Phase.PLANNING:
            while not self.city.number(UNPLANNED):
                self.issue()
        elif self.city.number(READY) + self.city.number(LEASED) + 5 * self.city.number(UNPLANNED) < 2:
            self.issue()

    def strike(self, nursery: Nursery, phase: Phase) -> None:
        """Begins a worker and kills it in this phase."""
        self.provide(phase)
        self.aim.at(phase)
        before = self.city.provider.log.stat().st_size if self.city.provider.log.exists() else 0
        pid = nursery.begin()
        met = self._meet(pid, phase, before)
        # Some in the middle, some just after.
        time.sleep(self.rng.uniform(0, DELAY_S * 1.2 if phase is not Phase.SENDING else 0.1))
        kill(pid)
        self.tally.aimed[phase] += 1
        self.tally.met[phase] += met
        self.tally.in_flight += self.city.number(LEASED) * STEP

    def _meet(self, pid: int, phase: Phase, before: int) -> bool:
        """Waits until the worker is in the phase; False when it never came there."""
        until = time.monotonic() + (self.rng.uniform(0, 1.0) if phase is Phase.ANYWHERE else PATIENCE_S)
        while time.monotonic() < until:
            if not runs(pid):
                raise SystemExit(f"a worker ended by itself: {self.city.words('nursery')}")
            if phase is Phase.SENDING:
                if self.city.provider.log.stat().st_size > before or self.city.number(LEASED):
                    return True
            elif phase is not Phase.ANYWHERE and self.aim.met():
                return True
            time.sleep(0.004)
        return phase is Phase.ANYWHERE

    def write_down(self, folder: Path) -> None:
        """The audience as it was reckoned, and the ledger's bytes as they are."""
        ledger: dict[str, dict[str, int]] = {}
        tokens = {number: phone.token for number, phone in enumerate(self.phones, start=1)}
        query = "SELECT m.public_id, b.device_ids, b.outcomes FROM batches b JOIN messages m ON m.id = b.message_id"
        for message, ids, outcomes in self.city.rows(query):
            packed = bytes(ids)
            numbers = [int.from_bytes(packed[at : at + 8], "little") for at in range(0, len(packed), 8)]
            written = ledger.setdefault(message, {})
            written.update({tokens[number]: outcome for number, outcome in zip(numbers, bytes(outcomes), strict=True)})
        (folder / "expected.json").write_text(json.dumps(self.expected))
        (folder / "outcomes.json").write_text(json.dumps(ledger))


def run(store: Store, folder: Path, kills: int, phones: int, seed: int, verbose: bool) -> tuple[Tally, str, bool]:
    """The tally, the witness's words, and whether the promise held."""
    rng = random.Random(seed)
    phases = list(Phase)
    plan = [phases[number % len(phases)] for number in range(kills)]
    rng.shuffle(plan)
    began = time.monotonic()
    with Provider(folder / "provider", free_port()) as provider:
        settings = {"FCM_TIMEOUT": "1", "LEASE_SECONDS": "2", "RETRY_SECONDS": "0.2", "POLL_SECONDS": "0.02"}
        city = City(folder, store, provider, "ms100", **settings, **unpaced())
        nursery = None
        try:
            city.start()
            soak = Soak(city, phones, rng)
            nursery = Nursery(city.environment(), folder / "nursery.log")
            for number, phase in enumerate(plan, start=1):
                soak.strike(nursery, phase)
                if verbose:
                    print(
                        f"{store.kind} {number}/{kills} {phase} {time.monotonic() - began:.0f} s",
                        file=sys.stderr,
                        flush=True,
                    )
            soak.aim.at(None)
            last = nursery.begin()
            ended = city.wait_idle(120 + 3 * soak.tally.alerts)
            done = "SELECT count(*) FROM messages WHERE planning NOT IN ('done', 'withdrawn')"
            until = time.monotonic() + 150  # the look for latecomers comes a minute after the rest
            while ended and city.number(done) and time.monotonic() < until:
                time.sleep(0.5)
            ended = ended and not city.number(done) and not city.number(OPEN)
            kill(last)
            provider.stop()
            soak.write_down(folder)
        finally:
            if nursery is not None:
                nursery.close()
            city.stop()
        soak.tally.took_s = time.monotonic() - began
    judged = subprocess.run(
        [sys.executable, "-I", str(Path(__file__).with_name("_witness.py")), str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    words = judged.stdout + judged.stderr[-1500:]
    again = Counter(
        (hit.message, hit.token) for path in folder.glob("provider/provider.log") for hit in read(path)
        if hit.status == 200
    )  # fmt: skip
    doubled = sum(times - 1 for times in again.values())
    words += (
        f"\nAnswered again: {doubled:,} ({doubled / max(1, kills):.1f} a kill); in flight at the kills (batches held "
        f"× {STEP}): {soak.tally.in_flight:,}. All batches closed and all planning done: {'yes' if ended else 'NO'}."
    )
    return soak.tally, words, judged.returncode == 0 and ended and doubled <= soak.tally.in_flight


def main() -> int:
    """Runs the stores one after another and prints, or writes, the report; 1 when the promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="kills a store")
    parser.add_argument("--phones", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=20_261_121)
    parser.add_argument("--stores", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--report", type=Path, help="write the report here as well")
    parser.add_argument("--verbose", action="store_true")
    asked = parser.parse_args()
    lines = ["# Soak: workers killed at random", "", f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC. {describe()}.", ""]
    lines += [(__doc__ or "").split("\n\n")[1].replace("\n", " "), ""]
    lines += [f"`python3 tasks.py bench soak --kills {asked.kills} --seed {asked.seed}`"]
    kept = True
    for kind in asked.stores:
        with work_folder() as folder, open_store(kind, folder) as store:
            tally, words, held = run(store, folder, asked.kills, asked.phones, asked.seed, asked.verbose)
        kept = kept and held
        lines += ["", f"## {kind}: {sum(tally.aimed.values())} kills, {tally.alerts} alerts, {tally.took_s:.0f} s", ""]
        head = ("aimed at", "kills", "worker was in it")
        lines += [table(head, [(phase, tally.aimed[phase], tally.met[phase]) for phase in Phase]), "", words]
        lines += ["", "**The promise held.**" if held else "**THE PROMISE WAS BROKEN.**"]
    report = "\n".join(lines) + "\n"
    say(report)
    if asked.report is not None:
        asked.report.write_text(report, encoding="utf-8")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
