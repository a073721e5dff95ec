"""Finds the modules that declare tables by reading the source, and builds an empty schema from them."""

from __future__ import annotations

import ast
import importlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from database import Base

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("geo", "content", "notifications", "backend")


def table_modules() -> list[str]:
    """Names of all modules with a class that subclasses `database.Base` directly."""
    return sorted(_found())


def create_tables(engine: Engine) -> None:
    """Creates every table of the house.

    A module that cannot be imported is left out aloud, so that one storey can be tested while
    another is being built; `tests/house` fails for it.
    """
    for name in table_modules():
        try:
            importlib.import_module(name)
        except ImportError as error:
            warnings.warn(f"the tables of {name} are missing in this run: {error}", stacklevel=2)
    Base.metadata.create_all(engine, tables=_complete(dict(Base.metadata.tables)))


def _complete(tables: dict[str, sa.Table]) -> list[sa.Table]:
    """The tables that lead to no missing one."""
    while True:
        broken = [
            name
            for name, table in tables.items()
            if any(key.target_fullname.rpartition(".")[0] not in tables for key in table.foreign_keys)
        ]
        if not broken:
            return list(tables.values())
        for name in broken:
            warnings.warn(f"the table {name} is missing in this run: it refers to one that is missing", stacklevel=3)
            del tables[name]


def _found() -> Iterator[str]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            source = path.read_text(encoding="utf-8")
            if "Base" in source and any(_is_table(node) for node in ast.parse(source).body):
                yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _is_table(node: ast.stmt) -> bool:
    if not isinstance(node, ast.ClassDef):
        return False
    return any(ast.unparse(base) in {"Base", "database.Base"} for base in node.bases)
