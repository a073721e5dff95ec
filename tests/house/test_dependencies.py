"""What is imported is declared, what is declared is used, and the lists that are installed are of today."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest

from tests.house.source import STOREYS, imports
from tests.tables import ROOT

# Declared and never imported: data, assets of the documentation page.
USED_OTHERWISE = {"tzdata", "flask-swagger-ui", "xstatic-leaflet"}

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def names(requirements: list[str]) -> set[str]:
    return {normal(re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0]) for line in requirements}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(kind: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{kind}.txt").read_text(encoding="utf-8")
    return {normal(name): version for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE)}


def test_every_import_is_a_declared_dependency_and_every_dependency_is_used() -> None:
    tops = {target.partition(".")[0] for targets in imports().values() for target in targets}
    foreign = tops - set(STOREYS) - set(sys.stdlib_module_names)
    providers = packages_distributions()
    declared = names(PROJECT["dependencies"])
    undeclared = {top for top in foreign if declared.isdisjoint(normal(one) for one in providers.get(top, [top]))}
    assert undeclared == set()
    used = {normal(one) for top in foreign for one in providers.get(top, [top])}
    assert declared - used == USED_OTHERWISE


@pytest.mark.parametrize(("kind", "extra"), [("run", []), ("test", PROJECT["optional-dependencies"]["test"])])
def test_the_list_that_is_installed_has_every_dependency(kind: str, extra: list[str]) -> None:
    assert names([*PROJECT["dependencies"], *extra]) <= set(locked(kind))


def test_what_runs_is_what_was_tested() -> None:
    run, test = locked("run"), locked("test")
    assert {name: version for name, version in run.items() if test.get(name) != version} == {}


@pytest.mark.parametrize("kind", ["run", "test"])
def test_every_package_has_its_hashes(kind: str) -> None:
    text = (ROOT / "requirements" / f"{kind}.txt").read_text(encoding="utf-8")
    entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)
    assert len(entries) > 50
