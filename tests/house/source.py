"""The house's own source, read for the tests that guard it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.tables import ROOT

# From the roof to the ground: a storey imports only from those after it.
STOREYS = ("backend", "notifications", "content", "geo", "database")


@dataclass(frozen=True)
class Module:
    """One file of source."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def storey(self) -> str:
        """The floor it stands on."""
        return self.name.partition(".")[0]

    @property
    def is_package(self) -> bool:
        """Whether it is a package's own file."""
        return self.path.name == "__init__.py"


@cache
def modules() -> dict[str, Module]:
    """Every module of the house by name."""
    paths = [path for storey in STOREYS for path in (ROOT / storey).rglob("*.py")] + [ROOT / "database.py"]
    found = {}
    for path in sorted(paths):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        text = path.read_text(encoding="utf-8")
        found[name] = Module(name, path, text, ast.parse(text))
    return found


@cache
def imports() -> dict[str, frozenset[str]]:
    """For each module the modules it imports, wherever in the file: those of the house, and others by full name."""
    return {module.name: frozenset(_imports(module)) for module in modules().values()}


def _imports(module: Module) -> set[str]:
    found = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = _base(module, node)
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                found.add(submodule if submodule in modules() else base)
    return found - {module.name}


def _base(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    parts = parts[: len(parts) - node.level + module.is_package]
    return ".".join([*parts, *([node.module] if node.module else [])])
