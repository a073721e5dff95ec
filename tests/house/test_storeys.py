"""Imports run down only, in no circle; each module is one short noun with a caption; the doors are at the top."""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.house.source import STOREYS, Module, imports, modules

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "models", "services", "managers", "misc", "base"}
LONGEST_LINES = 300
# Where work is taken and recorded outside a request, transactions are opened; nowhere else below the doors.
OPENS_TRANSACTIONS = "notifications.dispatch."


def test_there_is_a_house_to_look_at() -> None:
    assert len(modules()) > 60
    assert {module.storey for module in modules().values()} == set(STOREYS)


def test_no_import_climbs() -> None:
    height = {storey: -floor for floor, storey in enumerate(STOREYS)}
    climbing = [
        f"{name} imports {target}"
        for name, targets in imports().items()
        for target in targets
        if (above := target.partition(".")[0]) in height and height[above] > height[name.partition(".")[0]]
    ]
    assert climbing == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name: {target for target in targets if target in modules()} for name, targets in imports().items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_only_the_doors_know_flask() -> None:
    allowed = {"database": {"flask_sqlalchemy"}}
    strangers = [
        f"{name} imports {target}"
        for name, targets in imports().items()
        if not name.startswith("backend")
        for target in targets
        if target.startswith("flask") and target.partition(".")[0] not in allowed.get(name, ())
    ]
    assert strangers == []


def test_only_the_settings_read_the_environment() -> None:
    readers = {module.name for module in modules().values() if reads_environment(module)}
    assert readers == {"backend.config"}


def test_nobody_below_the_doors_ends_a_transaction() -> None:
    enders = [
        f"{module.name}:{node.lineno}"
        for module in modules().values()
        if module.storey in ("geo", "content", "notifications") and not module.name.startswith(OPENS_TRANSACTIONS)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Attribute) and node.func.attr in ("commit", "rollback"))
            or (isinstance(node.func, ast.Name) and node.func.id in ("transaction", "open_engine"))
        )
    ]
    assert enders == []


def test_nobody_catches_what_a_unique_key_refuses() -> None:
    catchers = [
        f"{module.name}:{node.lineno}"
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and node.type is not None and "IntegrityError" in ast.unparse(node.type)
    ]
    assert catchers == []


def test_every_module_begins_with_a_caption() -> None:
    bare = [module.name for module in modules().values() if not (ast.get_docstring(module.tree) or "").strip()]
    assert bare == []
    ragged = [
        module.name
        for module in modules().values()
        if not re.search(r"[.:!?。]$", (ast.get_docstring(module.tree) or "").splitlines()[0])
    ]
    assert ragged == []


def test_no_module_is_long() -> None:
    long = {module.name: lines for module in modules().values() if (lines := module.text.count("\n")) > LONGEST_LINES}
    assert long == {}


def test_no_module_is_a_drawer_for_everything() -> None:
    assert [name for name in modules() if set(name.split(".")) & FORBIDDEN_NAMES] == []


def reads_environment(module: Module) -> bool:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.environb", "os.getenv"):
            return True
        if (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and {"environ", "getenv"} & {alias.name for alias in node.names}
        ):
            return True
    return False
