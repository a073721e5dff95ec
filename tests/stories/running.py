"""A city in real processes: web server, worker and stand-in, spoken to only as the outside world does."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from sqlalchemy.engine import Engine

from content import editors
from content.editors import Role
from database import open_engine, transaction
from notifications.channels.webpush.vapid import make_key_file
from tests.stories.nursery import Child

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0


def wait_for(true: Callable[[], Any], what: str, patience_s: float = PATIENCE_S, every_s: float = 0.02) -> Any:
    """Looks until something is true; fails, saying what it waited for, when patience ends."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        found = true()
        if found:
            return found
        time.sleep(every_s)
    raise AssertionError(f"waited {patience_s:g} s in vain for {what}")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Phone:
    """A device of the story: what the test knows of it, independently of the server."""

    token: str
    language: str
    platform: str
    secret: str = ""
    cell: int | None = None


class RunningCity:
    """Three kinds of processes around one database."""

    forked = True  # from the nursery; False: each by a command of its own, as an operator starts it

    def __init__(self, folder: Path, database_url: str, *, browsers: bool = False, **settings: str) -> None:
        """`browsers`: the city has a key for Web Push, and the stand-in is its push service, too."""
        self.folder = folder
        self.database_url = database_url
        self.port, self.standin_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.standin_url = f"http://127.0.0.1:{self.standin_port}"
        self.http = requests.Session()
        self.http.trust_env = False
        self._received: list[dict[str, Any]] = []
        self._read_to = 0
        self._processes: dict[str, Child | subprocess.Popen[bytes]] = {}
        self._settings = {
            "DATABASE_URL": database_url,
            "LISTEN": f"127.0.0.1:{self.port}",
            "PUBLIC_URL": self.url,
            "FCM_CREDENTIALS": str(folder / "standin" / "standin-service-account.json"),
            "FCM_ENDPOINT": self.standin_url,
            "FCM_TIMEOUT": "1",
            "LEASE_SECONDS": "3",
            "RETRY_SECONDS": "0.2",
            "POLL_SECONDS": "0.02",
            "WEB_PROCESSES": "1",
            "REGISTRATIONS_PER_HOUR": "1000000",
            "LIMITS_URL": f"sqlite:///{folder / 'limits.db'}",
            "CITY_NAME": "見本市",
            "LOG_LEVEL": "info",
            **settings,
        }
        if browsers:
            make_key_file(folder / "vapid.pem")
            self._settings |= {
                "VAPID_KEY": str(folder / "vapid.pem"),
                "VAPID_SUBJECT": "mailto:push@city.example",
                "WEBPUSH_STANDIN": self.standin_url,
                "WEBPUSH_TIMEOUT": "1",
            }
        self.author = self.approver = ""

    def engine(self) -> Engine:
        """An engine for what a story prepares behind the doors."""
        return open_engine(self.database_url)

    def start(self) -> RunningCity:
        """Everything but the worker."""
        where = ("127.0.0.1", self.standin_port, str(self.folder / "standin"))
        # Without the rest of the house: it starts in a moment.
        serve = f"from notifications.channels.standin import serve; serve(*{where!r})"
        self.launch("standin", "-c", serve, module=True)
        wait_for(lambda: self._answers(f"{self.standin_url}/_standin/phones"), "the stand-in")
        self.launch("web", *("-m", "gunicorn", "-c", "python:backend.gunicorn"), module=True)
        wait_for(lambda: self._answers(f"{self.url}/healthz"), "the web server")
        engine = self.engine()
        with transaction(engine) as session:
            now = dt.datetime.now(dt.UTC)
            self.author = editors.add(session, "起案 花子", Role.AUTHOR, now)[1]
            self.approver = editors.add(session, "承認 太郎", Role.APPROVER, now)[1]
        engine.dispose()
        return self

    def launch(self, name: str, *command: str, module: bool = False) -> Child | subprocess.Popen[bytes]:
        """Starts a process of the product; its words go into a file of the story's folder."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("YOBIKAKE_")}
        environment |= {f"YOBIKAKE_{key}": value for key, value in self._settings.items()}
        environment["PYTHONPATH"] = str(ROOT)
        words = command if module else ("-m", "backend.cli.main", *command)
        path = self.folder / f"{name}.log"
        process = Child(words, ROOT, environment, path) if self.forked else _started(words, environment, path)
        self._processes[name] = process
        return process

    def start_worker(self, name: str = "worker") -> Child | subprocess.Popen[bytes]:
        """A worker process."""
        return self.launch(name, "worker")

    def kill(self, name: str = "worker") -> None:
        """SIGKILL: nothing is tidied up."""
        process = self._processes.pop(name)
        _signal(process, signal.SIGKILL)
        process.wait(timeout=20)

    def stop(self) -> None:
        """Ends all processes, gently first."""
        for process in self._processes.values():
            _signal(process, signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                process.wait(timeout=15)
        self._processes.clear()

    def words(self, name: str) -> str:
        """What a process said, for the reason of a failure."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    # ------------------------------------------------------------------------------------------ HTTP

    def ask(self, method: str, path: str, key: str = "", *, status: int | None = None, **options: Any) -> Any:
        """One request; the JSON of the answer. With `status` any other answer fails the story."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = self.http.request(method, self.url + path, headers=headers, timeout=60, **options)
        expected = status if status is not None else (200, 201, 202, 204)
        wanted = expected if isinstance(expected, tuple) else (expected,)
        assert answer.status_code in wanted, f"{method} {path}: {answer.status_code} {answer.text[:800]}"
        return answer.json() if answer.content else None

    def draft(self, form: dict[str, Any], *, kind: str = "alerts") -> dict[str, Any]:
        """An alert in draft."""
        return self.ask("POST", f"/v1/staff/{kind}", self.author, json=form, status=201)  # type: ignore[no-any-return]

    def submit(self, alert: dict[str, Any], *, kind: str = "alerts") -> dict[str, Any]:
        """Handed to the second person."""
        path = f"/v1/staff/{kind}/{alert['id']}/submit"
        return self.ask("POST", path, self.author, json={"version": alert["version"]})  # type: ignore[no-any-return]

    def approve(self, alert: dict[str, Any], *, kind: str = "alerts") -> dict[str, Any]:
        """Released by the second person."""
        path = f"/v1/staff/{kind}/{alert['id']}/approve"
        return self.ask("POST", path, self.approver, json={"content_hash": alert["content_hash"]})  # type: ignore[no-any-return]

    def issue(self, form: dict[str, Any], *, kind: str = "alerts") -> dict[str, Any]:
        """Draft, submit, approve."""
        return self.approve(self.submit(self.draft(form, kind=kind), kind=kind), kind=kind)

    def progress(self, alert: dict[str, Any], *, kind: str = "alerts") -> dict[str, Any]:
        """How far its sending has come."""
        return self.ask("GET", f"/v1/staff/{kind}/{alert['id']}/progress", self.author)  # type: ignore[no-any-return]

    def sent(self, alert: dict[str, Any], *, kind: str = "alerts", patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """Waits until every planned batch of an alert is closed; its progress then."""

        def over() -> dict[str, Any] | None:
            now = self.progress(alert, kind=kind)
            planned = now["planning"] in ("latecomers", "done")
            return now if planned and now["open_batches"] == 0 else None

        try:
            found: dict[str, Any] = wait_for(over, "the sending to end", patience_s, every_s=0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.progress(alert, kind=kind)}\n{self.words('worker')}") from None
        return found

    # ------------------------------------------------------------------------------------------ the phones

    def fault(self, **what: Any) -> None:
        """Makes the stand-in misbehave."""
        answer = self.http.post(f"{self.standin_url}/_standin/faults", json=what, timeout=10)
        assert answer.ok, answer.text

    def received(self) -> Iterator[dict[str, Any]]:
        """Every request that the stand-in took, read from its log by nothing of ours."""
        with (self.folder / "standin" / "received.jsonl").open("rb") as log:
            log.seek(self._read_to)
            for line in log:
                if line.endswith(b"\n"):
                    self._received.append(json.loads(line))
                    self._read_to += len(line)
        yield from self._received

    def rung(self, message_id: str) -> Counter[str]:
        """How often each token was accepted for a message."""
        return Counter(
            entry["token"]
            for entry in self.received()
            if entry["outcome"] == "accepted" and entry["message_id"] == message_id and not entry["validate_only"]
        )

    def payloads(self, message_id: str) -> dict[str, dict[str, Any]]:
        """What each token was sent for a message."""
        found: dict[str, dict[str, Any]] = defaultdict(dict)
        for entry in self.received():
            if entry["outcome"] == "accepted" and entry["message_id"] == message_id:
                found[entry["token"]] = entry["payload"]
        return found

    def phones(self) -> dict[str, Any]:
        """What the pretend phones show."""
        answer = self.http.get(f"{self.standin_url}/_standin/phones", timeout=30)
        return answer.json()  # type: ignore[no-any-return]

    def _answers(self, url: str) -> bool:
        for name, process in self._processes.items():
            assert process.poll() is None, f"{name} ended: {self.words(name)}"
        try:
            return self.http.get(url, timeout=2).ok
        except requests.RequestException:
            return False


def _started(words: Sequence[str], environment: Mapping[str, str], path: Path) -> subprocess.Popen[bytes]:
    with path.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
        )


def _signal(process: Child | subprocess.Popen[bytes], number: signal.Signals) -> None:
    """To it and to all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
