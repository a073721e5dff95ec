"""`yobikake demo`: the sample city with web server, worker and pretend phones; what `tasks.py run` becomes."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from backend import clock
from backend.cli import firstminute
from backend.cli.seed import NotEmpty, invited, plant
from backend.config import Settings, child_environment
from backend.supervisor import Service, Supervisor
from content.editors import Role
from database import open_engine, transaction
from notifications.channels.standin.account import FILE_NAME
from notifications.channels.webpush.vapid import make_key_file

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
PATIENCE_S = 180.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demonstration stands: its ports, and the folder for everything it writes."""

    port: int
    standin_port: int
    data: Path
    database_url: str

    @property
    def city(self) -> str:
        """Address of the web server."""
        return f"http://{HOST}:{self.port}"

    @property
    def phones(self) -> str:
        """Address of the stand-in."""
        return f"http://{HOST}:{self.standin_port}"

    @property
    def vapid_key(self) -> Path:
        """The sample city's key for Web Push."""
        return self.data / "standin" / "vapid.pem"

    def settings(self) -> dict[str, str]:
        """The settings under which every process of the demonstration runs."""
        return {
            "database_url": self.database_url,
            "listen": f"{HOST}:{self.port}",
            "public_url": self.city,
            "fcm_endpoint": self.phones,
            "fcm_credentials": str(self.data / "standin" / FILE_NAME),
            "vapid_key": str(self.vapid_key),
            "vapid_subject": "mailto:push@mihon.example",
            "webpush_standin": self.phones,
            "log_format": "console",
        }


@click.command("demo")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port of the web server.")
@click.option(
    "--standin-port", default=8085, show_default=True, type=click.IntRange(1, 65535), help="Port of the pretend phones."
)
@click.option(
    "--data",
    default=ROOT / "data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for everything it writes; `data` in the project when not given.",
)
@click.option(
    "--smoke", is_flag=True, help="Free ports, a database of its own, the README's first minute by itself, then stop."
)
def command(port: int, standin_port: int, data: Path, smoke: bool) -> None:
    """Runs the sample city with a pretend push provider: no real phone receives anything."""
    settings = Settings.from_environment()
    if settings.fcm_credentials is not None and settings.fcm_endpoint is None:
        raise click.ClickException(
            "YOBIKAKE_FCM_CREDENTIALS is set: this is a demonstration with pretend phones and will not run beside"
            " a real key. Unset it, or start the real thing: docs/operations/install.md"
        )
    if smoke:
        stage = _stage_for_smoke(data.absolute() / "smoke")
    else:
        stage = Stage(port, standin_port, data.absolute(), settings.database_url)
        _refuse_taken(port, "web server", "--port")
        _refuse_taken(standin_port, "stand-in", "--standin-port")
    sys.exit(_perform(stage, smoke))


def _perform(stage: Stage, smoke: bool) -> int:
    environment = child_environment(**stage.settings())
    with Supervisor(environment, ROOT, _say) as supervisor:
        keys, links = _prepare(stage, environment)
        supervisor.start(_service(stage, "stand-in", "standin", "--port", str(stage.standin_port), "--state-dir",
                                  str(stage.data / "standin")))  # fmt: skip
        _wait(supervisor, "the stand-in", lambda: _answers(f"{stage.phones}/_standin/health"))
        supervisor.start(_service(stage, "worker", "worker"))
        gunicorn = (sys.executable, "-m", "gunicorn", "--config", "python:backend.gunicorn")
        supervisor.start(Service("web", gunicorn, _log(stage, "web")))
        _wait(supervisor, "the web server", lambda: _answers(f"{stage.city}/readyz"))
        if supervisor.stopping:
            return 130
        if smoke:
            return _smoke(stage, keys)
        _say(firstminute.welcome(stage.city, stage.phones, keys, links))
        supervisor.watch(lambda: False)
        _say("Stopping …")
    return 0


def _prepare(stage: Stage, environment: dict[str, str]) -> tuple[dict[Role, str], dict[Role, str]]:
    """The schema of this version and the sample city; keys of people added just now, and ways into the console."""
    stage.data.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(stage.data / "logs", ignore_errors=True)
    if not stage.vapid_key.exists():
        make_key_file(stage.vapid_key)
    upgrade = (sys.executable, "-m", "backend.cli.main", "db", "upgrade")
    done = subprocess.run(upgrade, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise click.ClickException(f"the database could not be brought to this version:\n{done.stderr.strip()}")
    engine = open_engine(stage.database_url)
    try:
        with transaction(engine) as session:
            now = clock.utc_now()
            keys = plant(session, now).keys  # refuses a database with places of a real city
            return keys, {role: f"{stage.city}/console/welcome/{one}" for role, one in invited(session, now).items()}
    except NotEmpty as reason:
        raise click.ClickException(f"{reason}. The database is {engine.url!r}") from None
    finally:
        engine.dispose()


def _smoke(stage: Stage, keys: dict[Role, str]) -> int:
    """Performs the README's first minute and says what came of it."""
    script = firstminute.script(stage.city, stage.phones, keys)
    begun = time.monotonic()
    done = subprocess.run(  # noqa: S603 - the text of our own README
        [shutil.which("bash") or "/bin/bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        _say(f"The first minute FAILED (code {done.returncode}). Logs: {stage.data / 'logs'}")
        return 1
    shown = _read(f"{stage.phones}/_standin/phones/{firstminute.TOKEN}")
    _say(f"\nThe first minute took {time.monotonic() - begun:.1f} s. The pretend phone shows:")
    _say(json.dumps(shown, ensure_ascii=False, indent=2))
    return 0


def _stage_for_smoke(data: Path) -> Stage:
    shutil.rmtree(data, ignore_errors=True)
    with socket.socket() as one, socket.socket() as other:
        for opened in (one, other):
            opened.bind((HOST, 0))
        ports = one.getsockname()[1], other.getsockname()[1]
    return Stage(*ports, data, f"sqlite:///{data / 'yobikake.db'}")


def _refuse_taken(port: int, what: str, option: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise click.ClickException(f"port {port} needs root; choose one above 1023 with {option} PORT") from None
        except OSError:
            raise click.ClickException(
                f"port {port} for the {what} is taken, perhaps by a run that still goes on."
                f" Choose another: python3 tasks.py run {option} {port + 10}"
            ) from None


def _wait(supervisor: Supervisor, what: str, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    supervisor.watch(lambda: until() or time.monotonic() > deadline)
    if not supervisor.stopping and not until():
        raise click.ClickException(f"{what} did not become ready within {PATIENCE_S:.0f} s; see data/logs")


def _service(stage: Stage, name: str, *words: str) -> Service:
    return Service(name, (sys.executable, "-m", "backend.cli.main", *words), _log(stage, name))


def _log(stage: Stage, name: str) -> Path:
    return stage.data / "logs" / f"{name}.log"


def _answers(url: str) -> bool:
    try:
        _read(url)
    except (urllib.error.URLError, OSError, ValueError):
        return False
    return True


def _read(url: str) -> object:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - http on this machine
        return json.loads(answer.read())


def _say(words: str) -> None:
    click.echo(words)
