"""Messages a second of one worker with its ledger and queue, beside firebase-admin, its Node.js sister and h2load.

All in one run on one machine against one native HTTP/2 provider: whoever sends has one core, the provider (and
PostgreSQL) the other. Rates are read from the provider's log, from the first arrival to the last, so that every
sender is measured by the same clock. Payloads have the same size. Needs root or user namespaces, nginx with its echo
module, h2load; node and npm for the Node.js peer (without them that row says so).
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import _backlog
from benchmarks._city import OPEN, City
from benchmarks._machine import (
    CLIENT_CORE,
    SERVER_CORE,
    describe,
    family_s,
    median,
    pinned,
    processor_s,
    said,
    say,
    table,
)
from benchmarks._namespace import INSIDE, enter
from benchmarks._pace import unpaced
from benchmarks._stores import KINDS, open_store, work_folder
from benchmarks._witness import read
from benchmarks.provider import PROJECTS, Missing, Provider, echo_module
from notifications.channels.fcm.body import MARK, encode
from notifications.channels.promise import Channel, Push, Urgency
from tests.stories.running import free_port

ROOT = Path(__file__).resolve().parents[1]
NODE = ROOT / ".cache" / "node-firebase-admin"
NODE_VERSION = "14"
GROUPS = 600


@dataclass(slots=True)
class Run:
    """What one sender did once."""

    sent: int = 0
    rate: float = 0.0  # messages a second
    cpu: float = 0.0  # seconds of the sender for 10,000
    provider_cpu: float = 0.0
    size: float = 0.0  # bytes of a body


def bodies(channel: Channel | None, count: int) -> list[bytes]:
    """Encoded bodies of groups that differ by their shelters, as the worker makes them."""
    text = _backlog.TEXTS["ja"]
    now = dt.datetime.now(dt.UTC)
    pushes = (
        Push(
            message_id="m" * 22,
            thread="t" * 22,
            kind="alert",
            title=text["title"],
            body=text["body"] + "\n最寄り: " + "、".join(str(s["name"]) for s in _backlog.shelters_of(number)),
            language="ja",
            platform="android",
            urgency=Urgency.TIME_SENSITIVE,
            channel_id="critical_life",
            expires_at=now + dt.timedelta(hours=6),
            link="https://push.mihon.example/v1/alerts/b7KdP4nH6fJ0aXq3Ue9sMg",
            data={
                "level": "4",
                "hazard": "flood",
                "reason": "area:benchmark place:home",
                "shelters": json.dumps(_backlog.shelters_of(number), ensure_ascii=False, separators=(",", ":")),
            },
        )
        for number in range(count)
    )
    return [channel.encode(p, now) if channel else encode(p, now, critical_entitled=False) for p in pushes]


class Bench:
    """Everybody sends to this provider, one after another."""

    def __init__(self, folder: Path, provider: Provider) -> None:
        self.folder, self.provider = folder, provider
        self.bodies = [body.decode() for body in bodies(None, GROUPS)]
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
        for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
            self.environment[name] = str(provider.ca_file)

    def measured(self, send: Callable[[], float | None]) -> Run:
        """Runs a sender and reads from the log what reached the provider meanwhile; `send` says its CPU seconds."""
        mark, used = self._mark(), family_s(self.provider.pid)
        cpu = send()
        spent = family_s(self.provider.pid) - used
        time.sleep(0.4)  # the log is flushed five times a second
        found = [hit for hit in read(self.provider.log, mark) if hit.status == 200]
        arrived = sorted(hit.arrived for hit in found)
        if len(arrived) < 2:
            return Run()
        return Run(
            len(arrived),
            (len(arrived) - 1) / max(1e-3, arrived[-1] - arrived[0]),
            (cpu or 0.0) / len(arrived) * 10_000,
            spent / len(arrived) * 10_000,
            sum(hit.size for hit in found) / len(found),
        )

    def library(self, count: int, project: str) -> Run:
        """firebase-admin's `send_each`."""
        return self._peer([sys.executable, str(ROOT / "benchmarks/_peer_library.py")], count, project)

    def node(self, count: int, project: str, at_once: int = 1) -> Run:
        """Node's `sendEach`, some calls side by side."""
        if not (NODE / "node_modules" / "firebase-admin").is_dir():
            return Run()
        return self._peer(["node", str(ROOT / "benchmarks/_peer_node.js")], count, project, at_once)

    def h2load(self, count: int, project: str, connections: int) -> Run:
        """nghttp2's load generator with one of our bodies: what this machine allows."""
        body = self.folder / "body.json"
        body.write_text(self.bodies[0].replace(MARK, _backlog.token_of(1)), encoding="utf-8")
        url = f"{self.provider.url}/v1/projects/{project}/messages:send"
        command = ["h2load", "-n", str(count), "-c", str(connections), "-m", "100", "-t", "1", "-d", str(body)]
        headers = ["-H", "content-type: application/json", "-H", f"authorization: Bearer {'t' * 160}", url]

        def send() -> float:
            before = os.times()
            subprocess.run(pinned(CLIENT_CORE, [*command, *headers]), capture_output=True, check=True)
            after = os.times()
            return after.children_user + after.children_system - before.children_user - before.children_system

        return self.measured(send)

    def _peer(self, command: list[str], count: int, project: str, at_once: int = 1) -> Run:
        task = self.folder / "task.json"
        task.write_text(
            json.dumps(
                {
                    "modules": str(NODE),
                    "credentials": str(self.provider.credentials),
                    "project": project,
                    "bodies": self.bodies,
                    "tokens": [_backlog.token_of(number) for number in range(1, count + 1)],
                    "at_once": at_once,
                }
            )
        )

        def send() -> float:
            line = pinned(CLIENT_CORE, [*command, str(task)])
            done = subprocess.run(line, capture_output=True, text=True, env=self.environment, check=False)
            if done.returncode:
                raise SystemExit(f"{command[-1]} failed: {done.stderr[-1500:]}")
            return float(json.loads(done.stdout.strip().splitlines()[-1])["cpu_s"])

        return self.measured(send)

    def _mark(self) -> int:
        time.sleep(0.4)
        return self.provider.log.stat().st_size if self.provider.log.exists() else 0


@contextmanager
def ours(bench: Bench, kind: str, project: str, count: int, connections: int) -> Iterator[Callable[[int, str], Run]]:
    """A real worker process with an idle queue on a store of its own; what sends so many messages, put at once."""
    with open_store(kind, bench.folder / f"store-{kind}-{project}", core=SERVER_CORE) as store:
        engine = store.engine()
        _backlog.settle(engine, count)
        engine.dispose()
        city = City(
            bench.folder / f"{kind}-{project}", store, bench.provider, project,
            FCM_CONNECTIONS=str(connections), **unpaced(),
        )  # fmt: skip
        city.folder.mkdir(parents=True)

        def send(many: int, name: str) -> Run:
            def once() -> float:
                before = processor_s(city.pid("worker"))
                _backlog.put(city.watching, many, GROUPS, f"{project}-{kind}-{name}")
                until = time.monotonic() + 60 + many / 200
                while city.number(OPEN):
                    if time.monotonic() > until:
                        raise SystemExit(f"the worker did not come to an end: {city.words('worker')}")
                    time.sleep(0.05)
                return processor_s(city.pid("worker")) - before

            return bench.measured(once)

        try:
            city.start(web=False).worker(core=CLIENT_CORE)
            send(500, "first")  # opens connections and fetches the access token
            yield send
        finally:
            city.stop()


def row(name: str, runs: list[Run], library: list[Run], node: list[Run], limit: list[Run]) -> list[str]:
    """A line of the table."""
    rate = median(run.rate for run in runs)
    if not rate:
        return [name, "not measured", *["–"] * 6]

    def ratio(peer: list[Run]) -> str:
        other = median(run.rate for run in peer)
        return f"{rate / other:.2f}" if other else "–"

    return [
        name,
        f"{rate:,.0f} ({min(run.rate for run in runs):,.0f}–{max(run.rate for run in runs):,.0f})",
        f"{median(run.cpu for run in runs):.2f}",
        f"{median(run.provider_cpu for run in runs):.2f}",
        f"{median(run.size for run in runs):,.0f}",
        ratio(library),
        ratio(node),
        ratio(limit),
    ]


def compare(bench: Bench, folder: Path, project: str, asked: argparse.Namespace) -> None:
    """One table: all senders against one latency, in turns."""
    late = PROJECTS[project]
    part = 1 if not late else 4  # the slow ones are slower still
    connections = asked.connections if not late else max(asked.connections, 16 * late // 100)
    library: list[Run] = []
    node: list[Run] = []
    node_8: list[Run] = []
    limit: list[Run] = []
    mine: dict[str, list[Run]] = {}
    with ExitStack() as stack:
        senders = {
            kind: stack.enter_context(ours(bench, kind, project, asked.count, connections)) for kind in asked.stores
        }
        for number in range(asked.rounds):  # in turns: a machine has better and worse minutes
            library.append(bench.library(asked.count // 10 // part, project))
            for kind, send in senders.items():
                mine.setdefault(kind, []).append(send(asked.count, str(number)))
            node.append(bench.node(asked.count // 2 // part, project))
            node_8.append(bench.node(asked.count // 2, project, at_once=8))
            limit.append(bench.h2load(asked.count * 2, project, connections))
    say(
        f"\n### Answers {'at once' if not late else f'after {late} ms'} ({connections} connections for us and h2load)\n"
    )
    rows = [(f"**one worker, {kind}**, ledger and queue", runs) for kind, runs in mine.items()]
    rows += [
        ("firebase-admin `send_each`", library),
        (f"node firebase-admin {node_version()} `sendEach`", node),
        ("the same, 8 calls side by side", node_8),
        ("h2load (C)", limit),
    ]
    head = ("sender", "messages/s (least–most)", "CPU s per 10,000", "of the provider", "bytes")
    head += ("× send_each", "× node", "× h2load")
    say(table(head, [row(name, runs, library, node, limit) for name, runs in rows]))
    for kind, runs in mine.items():
        rate = median(run.rate for run in runs)
        if not late:
            of_library, of_node = (
                rate / (median(run.rate for run in peer) or float("nan")) for peer in (library, node)
            )
            say(f"\n{kind}: {of_library:.1f} × send_each (aim ≥ 18), {of_node:.2f} × node (aim ≥ 2)")
        else:
            allowed = rate / (median(run.rate for run in limit) or float("nan"))
            say(f"\n{kind}: {rate:,.0f}/s with {late} ms (aim ≥ 10,000, or what h2load allows: {allowed:.2f} of it)")


def node_version() -> str:
    """The version of the Node.js library here."""
    manifest = NODE / "node_modules" / "firebase-admin" / "package.json"
    return str(json.loads(manifest.read_text())["version"]) if manifest.exists() else "(not installed)"


def fetch_node() -> None:
    """Installs the Node.js peer beside the other caches, once."""
    if shutil.which("node") is None or shutil.which("npm") is None or node_version()[0].isdigit():
        return
    NODE.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--no-audit", "--no-fund", "--silent", f"firebase-admin@{NODE_VERSION}"]
    if subprocess.run(command, cwd=NODE, capture_output=True, check=False).returncode:
        say("the Node.js peer could not be installed by npm: its rows stay empty")


def arguments(given: Iterable[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40_000, help="messages of a round of ours; peers send fewer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=4, help="HTTP/2 connections of us and h2load at no latency")
    parser.add_argument("--projects", nargs="+", default=["now", "ms100"], choices=sorted(PROJECTS))
    parser.add_argument("--stores", nargs="+", default=list(KINDS), choices=KINDS)
    return parser.parse_args(given if given is None else list(given))


def main() -> None:
    """Prints the tables."""
    asked = arguments()
    echo_module()
    if said(("h2load", "--version")).endswith("missing"):
        raise Missing("h2load is needed here: apt-get install nghttp2-client")
    if not os.environ.get(INSIDE):
        fetch_node()
    enter()
    say("## Sending\n\n" + describe())
    with work_folder() as folder:
        where = folder / "provider"
        with Provider(where, free_port(), core=SERVER_CORE, also_443=True) as provider:
            bench = Bench(folder, provider)
            for project in asked.projects:
                compare(bench, folder, project, asked)


if __name__ == "__main__":
    main()
