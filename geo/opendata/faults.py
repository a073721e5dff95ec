"""What can be wrong with a published file: as a whole, or in one cell."""

from __future__ import annotations

import re
from collections.abc import Sequence


class OpenDataError(ValueError):
    """A whole file cannot be used. `code` is stable and for programs, the message for the people of city hall."""

    def __init__(self, code: str, message: str, *, line: int | None = None) -> None:
        super().__init__(message if line is None else f"{line}行目: {message}")
        self.code = code
        self.message = message
        self.line = line


class CellFault(ValueError):
    """One cell cannot be used as what its column promises. `code` is stable, the message is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class EditRefused(ValueError):
    """What a person typed cannot be kept; `errors` are pairs of a place ("changes[2]") and a reason in Japanese."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{place}: {reason}" for place, reason in errors))
        self.errors = list(errors)


def checked_source(source: str | None) -> str | None:
    """A source key as people may choose it. Raises `OpenDataError`."""
    if source is not None and not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", source):
        raise OpenDataError("bad_source", "出典のキーは英小文字・数字・-._ で64文字までにしてください")
    return source


def checked_licence(licence: str | None) -> str | None:
    """A licence as people write it down. Raises `OpenDataError`."""
    if licence is not None and (not licence.isprintable() or not licence.strip()):
        raise OpenDataError("bad_licence", "ライセンスに使えない文字があります")
    return licence
