"""Fixtures for stories: a city whose processes really run, people in it, shelters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.running import RunningCity


@pytest.fixture
def city(database_url: str, tmp_path: Path) -> Iterator[RunningCity]:
    """Web server and stand-in are up, an author and an approver have their keys; the worker is the story's."""
    running = RunningCity(tmp_path, database_url)
    try:
        yield running.start()
    finally:
        running.stop()
