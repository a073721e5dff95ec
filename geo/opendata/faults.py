"""What can be wrong with a published file: as a whole, or in one cell."""

from __future__ import annotations


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
