"""A whole city told at once: a million devices with their places, from the approval over HTTP to the last hand-over.

Web server, worker and native provider are real processes; the provider answers after 100 ms, so that as many
messages are under way as in the wild. Once as fast as it goes, once paced by the provider's ramp. Times of hand-overs
are read from the provider's log. With several sizes the growth is printed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import _places, _population
from benchmarks._city import City
from benchmarks._machine import SERVER_CORE, describe, family, median, peak_mb, processor_s, say, table
from benchmarks._pace import paced, unpaced
from benchmarks._stores import KINDS, Store, open_store, work_folder
from benchmarks._witness import read
from benchmarks.provider import Provider
from tests.stories.running import free_port

AIM_S = 135  # for a million, paced
AIM_WEB_MB, AIM_WORKER_MB = 250, 300
AIM_GROWTH = 5.2  # of five million beside one
HEAD = (
    "devices", "pace", "told", "preview, s", "approval, s", "first after, s", "planned after, s", "last after, s",
    "messages/s", "worker CPU s per 10,000", "lost", "doubled", "worker MB", "web MB (largest process / all)",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """One order to everybody; seconds from the moment the approval was asked for."""

    devices: int
    pace: str
    meant: int  # with a token and a place
    told: int
    preview_s: float
    approval_s: float
    first_s: float
    planned_s: float
    last_s: float
    cpu: float
    doubled: int
    worker_mb: float
    web_mb: float
    web_all_mb: float

    def row(self) -> tuple[object, ...]:
        """A line of the table."""
        rate = self.told / max(0.001, self.last_s - self.first_s)
        times = (self.preview_s, self.approval_s, self.first_s, self.planned_s, self.last_s)
        return (
            f"{self.devices:,}", self.pace, f"{self.told:,}", *(f"{moment:.2f}" for moment in times), f"{rate:,.0f}",
            f"{self.cpu:.2f}", self.meant - self.told, self.doubled, f"{self.worker_mb:.0f}",
            f"{self.web_mb:.0f} / {self.web_all_mb:.0f}",
        )  # fmt: skip


def order() -> dict[str, object]:
    """A level 4 order over everybody's box, and a little more."""
    south, west, north, east = _population.BOX
    edge = 0.002
    ring = [
        [west - edge, south - edge], [east + edge, south - edge], [east + edge, north + edge],
        [west - edge, north + edge], [west - edge, south - edge],
    ]  # fmt: skip
    return {
        "hazard": "flood",
        "level": 4,
        "area": {"polygon": {"type": "Polygon", "coordinates": [ring]}},
        "area_names": {"ja": "市内全域", "en": "Whole city"},
        "expires_at": (dt.datetime.now(dt.UTC) + dt.timedelta(hours=12)).isoformat(),
    }


def tell(city: City, devices: int, pace: str, settings: dict[str, str], patience_s: float) -> Told:
    """Drafts, submits and approves over HTTP, with a worker of its own; returns when all is handed over."""
    city.worker(f"worker-{pace}", **settings)
    pid = city.pid(f"worker-{pace}")
    mark = city.provider.log.stat().st_size if city.provider.log.exists() else 0
    began = time.monotonic()
    alert = city.submit(city.draft(order()))
    preview = time.monotonic() - began
    busy = processor_s(pid)
    approved, clock = time.time(), time.monotonic()
    alert = city.approve(alert)
    approval = time.monotonic() - clock
    message = str(city.progress(alert)["message_id"])
    if not city.wait_idle(patience_s, every_s=0.5):
        raise SystemExit(f"not all was sent in {patience_s:.0f} s: {city.words(f'worker-{pace}')}")
    cpu = processor_s(pid) - busy
    time.sleep(0.5)
    found: set[str] = set()
    first, last, taken = float("inf"), 0.0, 0
    for hit in read(city.provider.log, mark):
        if hit.message == message and hit.status == 200:
            first, last, taken = min(first, hit.arrived), max(last, hit.arrived), taken + 1
            found.add(hit.token)
    meant = city.number(
        "SELECT count(*) FROM devices d WHERE token IS NOT NULL"
        " AND EXISTS (SELECT 1 FROM places p WHERE p.device_id = d.id)"
    )
    planned = city.rows("SELECT planned_at FROM messages WHERE public_id = :id", id=message)[0][0]
    moment = planned if isinstance(planned, dt.datetime) else dt.datetime.fromisoformat(str(planned))
    at = (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
    told = Told(
        devices, pace, meant, len(found), preview, approval, first - approved, at - approved, last - approved,
        cpu / max(1, len(found)) * 10_000, taken - len(found), peak_mb(pid),
        max(peak_mb(one, alone=True) for one in family(city.pid("web"))), peak_mb(city.pid("web")),
    )  # fmt: skip
    city.end(f"worker-{pace}")
    return told


def measure(store: Store, folder: Path, devices: int, asked: argparse.Namespace) -> list[Told]:
    """One size on one store."""
    with Provider(folder / "provider", free_port(), core=SERVER_CORE if asked.pin else None) as provider:
        city = City(folder, store, provider, "ms100", FCM_CONNECTIONS="16", WEB_PROCESSES="2")
        try:
            began = time.monotonic()
            made = _population.fill(city.watching, devices)
            _population.put_sites(city.watching, _places.city())
            say(
                f"{store.kind}: {made.devices:,} devices with {made.places:,} places settled in "
                f"{time.monotonic() - began:.0f} s"
            )
            city.start()
            paces = {"none": unpaced(), "ramp": paced()}
            return [tell(city, devices, pace, paces[pace], asked.patience) for pace in asked.paces]
        finally:
            city.stop()


def main(given: Sequence[str] | None = None) -> int:
    """Prints the table; 1 when somebody was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--stores", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--paces", nargs="+", default=["none", "ramp"], choices=("none", "ramp"))
    parser.add_argument("--pin", action="store_true", help="bind the provider to one core")
    parser.add_argument("--patience", type=float, default=3_600.0)
    asked = parser.parse_args(given)
    say("## A city at once\n\n" + describe() + "\n")
    fine = True
    for kind in asked.stores:
        told: list[Told] = []
        for devices in asked.sizes:
            with work_folder() as folder, open_store(kind, folder) as store:
                told += measure(store, folder, devices, asked)
        fine = fine and all(one.told == one.meant and not one.doubled for one in told)
        say(f"\n### {kind}\n")
        say(table(HEAD, [one.row() for one in told]))
        for one in told:
            if one.pace == "ramp" and one.devices == 1_000_000:
                say(f"\nPaced, last hand-over after {one.last_s:.0f} s (aim ≤ {AIM_S}).")
        worker, web = max(one.worker_mb for one in told), max(one.web_mb for one in told)
        say(f"\nPeak memory: worker {worker:.0f} MB (aim ≤ {AIM_WORKER_MB}), web {web:.0f} MB (aim ≤ {AIM_WEB_MB}).")
        if len(asked.sizes) > 1:
            small, large = asked.sizes[0], asked.sizes[-1]
            by = {
                size: median(one.planned_s for one in told if one.devices == size and one.pace == asked.paces[0])
                for size in (small, large)
            }
            say(
                f"\nPlanning, {large / small:.1f} × the devices: {by[large] / by[small]:.2f} × the time "
                f"(aim ≤ {AIM_GROWTH / 5 * large / small:.1f})."
            )
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
