"""The commands that the README promises: on an old Python, the first minute, under a Procfile runner."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from tests.tables import ROOT

TASKS = ROOT / "tasks.py"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """That of a user who has set nothing, with the programs of this environment first."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("YOBIKAKE_")}
    launcher = tmp_path / "bin" / "yobikake"
    launcher.parent.mkdir()
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m backend.cli.main "$@"\n')
    launcher.chmod(0o755)
    path = os.pathsep.join((str(launcher.parent), str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return {**kept, "PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def yobikake(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "backend.cli.main", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.story
def test_the_first_minute_of_the_readme_works(environment: dict[str, str], tmp_path: Path) -> None:
    done = yobikake(environment, "demo", "--smoke", "--data", str(tmp_path / "data"))
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout.split("The pretend phone shows:")[1]
    assert "【警戒レベル4 避難指示】" in told
    assert "盛土公園（見本）" in told
    assert '"rings": 1' in told


def test_a_taken_port_is_said_with_a_way_out(environment: dict[str, str], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = yobikake(environment, "demo", "--port", port, "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert f"port {port} for the web server is taken" in done.stderr
    assert "--port" in done.stderr
    assert not (tmp_path / "data").exists()


def test_the_demonstration_refuses_real_credentials(environment: dict[str, str], tmp_path: Path) -> None:
    environment["YOBIKAKE_FCM_CREDENTIALS"] = str(tmp_path / "firebase.json")
    done = yobikake(environment, "demo", "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert "will not run beside a real key" in " ".join(done.stderr.split())


@pytest.mark.story
def test_the_procfile_starts_under_a_procfile_runner(environment: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    environment |= {
        "PORT": str(port),
        "YOBIKAKE_DATABASE_URL": f"sqlite:///{tmp_path / 'city.db'}",
        "YOBIKAKE_WEB_PROCESSES": "1",
    }
    honcho = [sys.executable, "-m", "honcho", "--procfile", str(ROOT / "Procfile"), "--app-root", str(ROOT)]
    release = [*honcho, "run", "--", *process_of("release").split()]
    subprocess.run(release, cwd=ROOT, env=environment, check=True, timeout=600, capture_output=True)
    output = tmp_path / "honcho.log"
    with output.open("wb") as log:
        running = subprocess.Popen(
            # honcho hands out PORTs from this one on, and web is the first.
            [*honcho, "start", "--port", str(port), "web", "worker"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        while not ready(port):
            with suppress(subprocess.TimeoutExpired):
                running.wait(0.2)
            assert running.poll() is None, output.read_text()
        while "worker_started" not in output.read_text():
            with suppress(subprocess.TimeoutExpired):
                running.wait(0.2)
            assert running.poll() is None, output.read_text()
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(60)
    assert "Traceback" not in output.read_text()


def process_of(name: str) -> str:
    found = re.search(rf"^{name}: (.+)$", (ROOT / "Procfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return found[1]


def ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.mark.parametrize("name", ["python3.6", "python3.8", "python3.9", "python3.10"])
def test_an_old_python_is_told_what_is_needed(name: str) -> None:
    old = next((str(path) for path in old_pythons(name)), None)
    if old is None:
        version = (*map(int, name[6:].split(".")), 0, "final", 0)
        pretend = f"import runpy, sys; sys.version_info = {version}; sys.argv = ['tasks.py', 'run']"
        command = [sys.executable, "-c", f"{pretend}; runpy.run_path({str(TASKS)!r}, run_name='__main__')"]
    else:
        command = [old, str(TASKS), "run"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr
    assert "Traceback" not in done.stderr


def old_pythons(name: str) -> list[Path]:
    found = [shutil.which(name), *Path.home().glob(f".pyenv/versions/{name[6:]}.*/bin/python")]
    return [Path(path) for path in found if path and "shims" not in str(path)]


def test_tasks_need_nothing_but_the_standard_library() -> None:
    done = subprocess.run([sys.executable, "-S", "-I", str(TASKS), "help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "python3 tasks.py test" in done.stdout
