"""tasks.py finds a way on machines that lack this or that, and says clearly what is missing when there is none."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.tables import ROOT


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The file itself, working in a folder of this test's own."""
    spec = importlib.util.spec_from_file_location("tasks_of_test", ROOT / "tasks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    home = tmp_path / "a folder with spaces"
    (home / "requirements").mkdir(parents=True)
    for name, value in {
        "ROOT": home,
        "VENV": home / ".venv",
        "BIN": home / ".venv/bin",
        "PYTHON": home / ".venv/bin/python",
        "LOCKS": {kind: home / "requirements" / f"{kind}.txt" for kind in ("run", "test")},
    }.items():
        monkeypatch.setattr(module, name, value)
    for path in module.LOCKS.values():
        path.write_text("")
    return module


def only(*found: str) -> Callable[[list[str]], bool]:
    """Stands for a machine on which only commands with one of these words can be called."""
    return lambda command: any(word in command for word in found)


def test_the_pip_of_the_environment_comes_first(tasks: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "answers", lambda command: True)
    assert tasks.pip("install", "x")[:3] == [str(tasks.PYTHON), "-m", "pip"]


def test_uv_steps_in_where_the_environment_has_no_pip(tasks: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "answers", lambda command: False)
    monkeypatch.setattr(shutil, "which", lambda name: f"/opt/{name}")
    assert tasks.pip("install", "x") == ["/opt/uv", "pip", "install", "--python", str(tasks.PYTHON), "x"]


def test_the_pip_of_the_calling_python_steps_in_last(tasks: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "answers", only("--python"))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert tasks.pip("check")[:5] == [sys.executable, "-m", "pip", "--python", str(tasks.PYTHON)]


def test_without_any_of_them_it_says_what_to_install(tasks: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "answers", lambda command: False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="apt install python3-venv"):
        tasks.pip("install")


def test_a_python_without_ensurepip_still_gets_its_environment(
    tasks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = venv.EnvBuilder

    def builder(*, with_pip: bool, **options: Any) -> venv.EnvBuilder:
        if with_pip:
            raise subprocess.CalledProcessError(1, "ensurepip")
        return real(with_pip=False, **options)

    monkeypatch.setattr(venv, "EnvBuilder", builder)
    tasks.create()
    assert tasks.works()
    tasks.launch()
    script = (tasks.BIN / "yobikake").read_text()
    assert script.startswith("#!/bin/sh")
    (path_file,) = tasks.VENV.rglob("yobikake.pth")
    assert path_file.read_text() == f"{tasks.ROOT}\n"


def test_what_was_installed_is_not_installed_again_until_the_list_changes(
    tasks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []

    def call(command: list[str]) -> int:
        calls.append(command)
        return 0

    monkeypatch.setattr(tasks, "call", call)
    monkeypatch.setattr(tasks, "answers", lambda command: True)
    monkeypatch.setattr(tasks, "create", lambda: venv.EnvBuilder(symlinks=True).create(tasks.VENV))

    tasks.ensure("test")
    tasks.ensure("test")
    tasks.ensure("run")  # the list of the suite contains that of the server
    assert len(calls) == 1
    assert {"--require-hashes", "--only-binary"} < set(calls[0])

    tasks.LOCKS["test"].write_text("changed")
    tasks.ensure("test")
    assert len(calls) == 2


def test_a_failed_installation_is_said_and_tried_again(tasks: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "call", lambda command: 1)
    monkeypatch.setattr(tasks, "answers", lambda command: True)
    monkeypatch.setattr(tasks, "create", lambda: venv.EnvBuilder(symlinks=True).create(tasks.VENV))
    for _ in range(2):
        with pytest.raises(SystemExit, match="Without a connection"):
            tasks.ensure("run")


def test_everything_that_is_cached_stays_in_the_folder(tasks: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_CACHE_DIR", "UV_CACHE_DIR", "PYTEST_DEBUG_TEMPROOT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", "/somewhere/else")
    made = tasks.environment()
    assert all(made[name].startswith(str(tasks.ROOT)) for name in ("PIP_CACHE_DIR", "UV_CACHE_DIR"))
    assert "PYTHONPATH" not in made


def test_windows_is_told_of_wsl(tasks: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.os, "name", "nt")
    try:
        with pytest.raises(SystemExit, match="WSL"):
            tasks.refuse_what_cannot_work()
    finally:
        monkeypatch.undo()
