"""Finds the modules that declare tables by reading the source."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import Engine

from database import Base

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("geo", "content", "notifications", "backend")


def table_modules() -> list[str]:
    """Names of all modules with a class that subclasses `database.Base` directly."""
    return sorted(_found())


def create_tables(engine: Engine) -> None:
    """Creates every table straight from its class, without migrations."""
    for name in table_modules():
        importlib.import_module(name)
    Base.metadata.create_all(engine)


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
