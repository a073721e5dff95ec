"""XML written element by element: only characters that XML can carry, one namespace a document."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

# Beyond what XML 1.0 calls a character (§2.2).
_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Maker:
    """Makes elements of one namespace."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def root(self, name: str) -> Any:
        """The outermost element; its namespace is the default one."""
        return etree.Element(f"{{{self.namespace}}}{name}", nsmap={None: self.namespace})

    def add(self, parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
        """An element below another, with its text."""
        made = etree.SubElement(parent, f"{{{self.namespace}}}{name}", attributes)
        if text is not None:
            made.text = _UNFIT.sub("\ufffd", text)
        return made


def encoded(root: Any) -> bytes:
    """The document in UTF-8, with its declaration."""
    found: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return found
