"""The documents name what exists: commands, files, settings and targets."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import click
import pytest

from tests.tables import ROOT

DOCUMENTS = sorted(
    [ROOT / "README.md", ROOT / "CHANGES.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("[a-z]*/README.md")]
)


@cache
def tasks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tasks", ROOT / "tasks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(params=DOCUMENTS, ids=named)
def document(request: pytest.FixtureRequest) -> str:
    path: Path = request.param
    return path.read_text(encoding="utf-8")


def test_every_task_that_is_named_exists(document: str) -> None:
    known = {*tasks().commands(), "help"}
    assert set(re.findall(r"tasks\.py ([a-z]+)", document)) <= known
    assert all(hasattr(tasks(), name) for name in known - {"help"})


def test_every_command_that_is_named_exists(document: str) -> None:
    from backend.cli.main import cli

    lines = re.findall(r"(?:^ {4}|`|\$ |^)(?:\S*/)?yobikake ([a-z][^`\n|]*)", document, re.MULTILINE)
    assert [line for line in lines if not all(understood(cli, line))] == []


def understood(command: click.Command, line: str) -> Iterator[bool]:
    """Whether each word of a command line is a command or option that there is; "db upgrade/check" names two."""
    for word in line.split():
        if isinstance(command, click.Group) and not word.startswith("-"):
            found = [command.get_command(click.Context(command), name) for name in word.split("/")]
            yield None not in found
            command = found[-1] or command
        elif word.startswith("--"):
            yield any(word in parameter.opts for parameter in command.params)


def test_every_setting_that_is_named_exists(document: str) -> None:
    from backend.config import variables

    assert set(re.findall(r"YOBIKAKE_[A-Z_]*[A-Z]", document)) <= set(variables())


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_link_leads_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|mailto:|#)([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_every_decision_and_guide_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    decisions = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    for path in (ROOT / "docs").rglob("*.md"):
        if path.name == "README.md":
            continue
        own = decisions if path.parent.name == "decisions" else index
        assert path.name in own, named(path)


def test_make_has_the_targets_of_the_tasks_and_nothing_of_its_own() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z ]+):", makefile, re.MULTILINE))
    assert {name for group in targets for name in group.split()} == {"help", *tasks().commands()}


def test_changes_are_told() -> None:
    changes = (ROOT / "CHANGES.md").read_text(encoding="utf-8")
    assert "## Unreleased" in changes
    assert changes.count("\n- ") >= 5


def test_the_readme_says_what_push_is_not() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "What push is, and what it is not" in readme
    assert "life" in readme.split("What push is, and what it is not")[1]
