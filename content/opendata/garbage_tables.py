"""CSV files of garbage data opened: by header where there is one, in the encoding that makes sense."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from geo.opendata.encoding import decodings
from geo.opendata.faults import OpenDataError
from geo.opendata.report import Report
from geo.opendata.sheet import MAX_ROWS, csv_rows, header_key

Row = tuple[int, list[str]]  # the physical line on which it starts, its cells


class Table:
    """The records of one CSV file after its header; blank ones are counted and left out."""

    def __init__(self, encoding: str, header: Sequence[str], header_line: int, text: str) -> None:
        self.encoding = encoding
        self.header = [cell.strip() for cell in header]
        self.keys = [header_key(cell) for cell in header]
        self._first, self._text = header_line, text

    def rows(self, report: Report) -> Iterator[Row]:
        """Every record; raises `OpenDataError` for a file that breaks off or is too long."""
        for line, cells in csv_rows(self._text):
            if line <= self._first:
                continue
            report.read += 1
            if report.read > MAX_ROWS:
                raise OpenDataError("too_many_rows", f"行が多すぎます（上限{MAX_ROWS:,}行）", line=line)
            if not any(cell.strip() for cell in cells):
                report.blank += 1
                continue
            yield line, [cell.replace("\0", "").strip() for cell in cells]

    def at(self, *names: str) -> int | None:
        """The column of the first of these names that there is."""
        return next((self.keys.index(name) for name in map(header_key, names) if name in self.keys), None)


def open_table(data: bytes, known: Callable[[Sequence[str]], bool], *, headless: bool = False) -> Table:
    """The table in the first encoding whose first record `known` accepts as a header (its normalised names).

    `headless`: without such a header all records are rows, in the first encoding that decodes.
    Raises `OpenDataError` when there is no text, or no known header where one is needed.
    """
    fallback: Table | None = None
    seen: list[str] = []
    for encoding, text in decodings(data):
        for line, cells in csv_rows(text):
            if not any(cell.strip() for cell in cells):
                continue
            keys = [header_key(cell) for cell in cells]
            if known(keys):
                return Table(encoding, cells, line, text)
            seen = seen or [cell.strip() for cell in cells]
            fallback = fallback or Table(encoding, [], 0, text)
            break
    if headless and fallback is not None:
        return fallback
    if not seen:
        raise OpenDataError("empty", "ファイルに見出しの行がありません")
    raise OpenDataError("unknown_format", f"見出しが知られている形式ではありません: {'、'.join(seen)[:200]}")
