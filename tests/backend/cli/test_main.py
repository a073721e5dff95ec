"""`yobikake` has every command, says what is wrong with a setting, and doctor finds what is wrong with the rest."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from backend import health
from backend.cli import database, doctor, main
from backend.config import Settings

ROOT = Path(__file__).parents[3]


def yobikake(*words: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("YOBIKAKE_")}
    return subprocess.run(
        [sys.executable, "-m", "backend.cli.main", *words],
        cwd=folder,
        env=clean | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"} | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_command_file_is_registered() -> None:
    files = {
        path.stem
        for path in (ROOT / "backend" / "cli").glob("*.py")
        if re.search(
            r"^(def command\(|command = |from .* import .* as command$)", path.read_text("utf-8"), re.MULTILINE
        )
    }
    registered = {module.rpartition(".")[2] for module in main.COMMANDS.values()}
    # A group's own command in a file of its own.
    nested = {command.callback.__module__.rpartition(".")[2] for command in database.command.commands.values()}
    assert registered | (nested & files) == files
    for name, module in main.COMMANDS.items():
        command = importlib.import_module(module).command
        assert command.name == name
        assert command.help, f"yobikake {name} does not say what it does"


def test_help_lists_our_commands(tmp_path: Path) -> None:
    told = yobikake("--help", folder=tmp_path).stdout
    assert [name for name in main.COMMANDS if f"\n  {name} " not in told] == []


def test_a_bad_setting_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    ended = yobikake("doctor", folder=tmp_path, YOBIKAKE_FCM_SENDER="pigeon")
    assert ended.returncode == 2
    assert ended.stderr.strip() == "yobikake: YOBIKAKE_FCM_SENDER='pigeon': must be one of auto, curl, library"


def test_doctor_names_what_is_missing_and_our_db_command_mends_it(tmp_path: Path) -> None:
    before = yobikake("doctor", folder=tmp_path)
    after = yobikake("db", "upgrade", folder=tmp_path), yobikake("doctor", folder=tmp_path)
    assert [ended.returncode for ended in after] == [0, 0], after
    if health._heads():
        assert before.returncode == 1
        assert "FAIL  migrations:" in before.stdout
        assert "yobikake db upgrade" in before.stdout
    assert "ok    migrations:" in after[1].stdout
    assert "no push by Firebase: YOBIKAKE_FCM_CREDENTIALS is not set" in after[1].stdout
    assert (tmp_path / "data" / "yobikake.db").is_file()


def test_doctor_finds_credentials_that_do_not_fit(tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text("{}")
    ended = yobikake("doctor", folder=tmp_path, YOBIKAKE_FCM_CREDENTIALS="key.json")
    assert ended.returncode == 1
    assert "FAIL  credentials:" in ended.stdout
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("name", ["database_url", "limits_url"])
def test_doctor_shows_what_differs_without_passwords(name: str) -> None:
    settings = Settings(**{name: "postgresql+psycopg://city:pa55word@db/house", "city_name": "青葉市"})
    lines = doctor.changed(settings)
    assert "YOBIKAKE_CITY_NAME=青葉市" in lines
    assert any(line.startswith(f"YOBIKAKE_{name.upper()}=postgresql") for line in lines)
    assert "pa55word" not in "\n".join(lines)
