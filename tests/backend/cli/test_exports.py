"""`yobikake export`: everything public into a folder, and from the folder into an empty database again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from backend.cli import exports, imports, seed
from backend.config import Settings
from database import db, transaction
from tests.backend.conftest import Clock, opened
from tests.content.opendata.round_trip import rows
from tests.tables import create_tables

NOW = dt.datetime(2026, 11, 21, 3, tzinfo=dt.UTC)


@pytest.fixture
def city(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    yield from empty(tmp_path / "city.db", clock)


@pytest.fixture
def other(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    yield from empty(tmp_path / "other.db", clock)


def empty(path: Path, clock: Clock) -> Iterator[Flask]:
    clock.moment = NOW
    for app in opened(Settings(database_url=f"sqlite:///{path}"), clock):
        with app.app_context():
            create_tables(db.engine)
        yield app


def run(app: Flask, *words: str | Path) -> Result:
    group = exports.command if words[0] == "export" else imports.command
    return app.test_cli_runner().invoke(group, [str(word) for word in words[1:]], catch_exceptions=False)


def test_a_city_moves_by_its_open_data_alone(city: Flask, other: Flask, tmp_path: Path) -> None:
    with city.app_context(), transaction(db.engine) as session:
        seed.plant(session, NOW)
        before = rows(session)
    folder = tmp_path / "out"
    ended = run(city, "export", "all", folder)
    assert ended.exit_code == 0
    assert sorted(ended.output.split()) == sorted(path.name for path in folder.iterdir())
    places = [folder / f"{name}.csv" for name in ("evacuation_sites", "shelters", "aeds", "childcare_facilities")]
    steps: tuple[tuple[str | Path, ...], ...] = (
        ("areas", "--as-exported", folder / "areas.geojson"),
        ("sites", "--as-exported", *places),
        ("events", "--as-exported", folder / "events.geojson"),
        ("childcare", folder / "childcare.sample.json"),
        ("garbage", folder / "garbage.sample.json"),
    )
    for words in steps:
        ended = run(other, "import", *words)
        assert ended.exit_code == 0, ended.output
    with other.app_context(), transaction(db.engine) as session:
        assert rows(session) == before


def test_one_set_goes_to_a_file_or_the_screen(city: Flask, tmp_path: Path) -> None:
    with city.app_context(), transaction(db.engine) as session:
        seed.plant(session, NOW)
    shown = run(city, "export", "garbage_exceptions").output
    run(city, "export", "garbage_exceptions", "-o", tmp_path / "out.csv")
    assert "new-year-2027-paper" in shown
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == shown
    refused = run(city, "export", "aeds", "--source", "elsewhere")
    assert (refused.exit_code, refused.output) == (
        1,
        "Error: nothing of it comes from 'elsewhere'; its sources: sample\n",
    )


def test_a_file_of_one_source_cannot_be_asked_of_a_city_without_any(city: Flask) -> None:
    refused = run(city, "export", "garbage")
    assert (refused.exit_code, refused.output) == (
        1,
        "Error: a file holds one source: say --source; its sources: none\n",
    )
