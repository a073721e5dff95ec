"""The suite finds a Chromium wherever it is, takes none that does not run, and says so where there is none."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser import chromium


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any browser."""
    monkeypatch.delenv(chromium.VARIABLE, raising=False)
    monkeypatch.setattr(chromium, "UNPACKED", tmp_path / "unpacked")
    monkeypatch.setattr(chromium, "FETCHED", tmp_path / "fetched")
    monkeypatch.setattr(chromium, "PLACES", ())
    monkeypatch.setattr(shutil, "which", lambda name: None)
    return tmp_path


def test_the_one_that_is_named_is_taken_or_nothing(nothing_here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(chromium.VARIABLE, str(nothing_here / "mine"))
    with pytest.raises(chromium.NoBrowser, match="does not run"):
        chromium.find()
    mine = program(nothing_here / "mine", "echo Chromium 150.0.7871.100")
    assert chromium.find() == mine


def test_a_place_holder_is_passed_over(nothing_here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snap = program(nothing_here / "bin/chromium-browser", "echo 'install the snap'; exit 1")
    real = program(nothing_here / "bin/google-chrome", "echo Google Chrome 151.0")
    monkeypatch.setattr(shutil, "which", lambda name: {snap.name: str(snap), real.name: str(real)}.get(name))
    assert chromium.find() == real


def test_without_any_it_says_what_was_tried_and_fails_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = subprocess.CompletedProcess([], 1, "no way out of here")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    assert chromium.main() == 0
    said = capsys.readouterr().out
    assert "will be skipped: apt is not here; Playwright could not fetch one: no way out of here" in said


def test_an_unpacked_one_starts_with_its_own_libraries_and_fonts(nothing_here: Path) -> None:
    real = program(nothing_here / "unpacked/root/usr/lib/chromium/chromium", 'echo 150.0 "$LD_LIBRARY_PATH" "$@"')
    libraries = nothing_here / "unpacked/root/usr/lib/x86_64-linux-gnu"
    chromium.write(real, [libraries])
    assert chromium.find() == nothing_here / "unpacked/run"
    said = subprocess.run([chromium.find(), "--headless"], capture_output=True, text=True, check=True).stdout
    assert said == f"150.0 {libraries} --headless\n"
    assert str(nothing_here / "unpacked/root/usr/share/fonts") in (nothing_here / "unpacked/fonts.conf").read_text()
