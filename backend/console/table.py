"""Tables as CSV for spreadsheets that take a cell for a formula when it begins like one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response

# OWASP "CSV injection": what makes a cell a formula, or separates it from what stands before; full-width too.
_STARTS = tuple("=+-@\t\r\n＝＋－＠|%")


def harmless(value: object) -> str:
    """A cell that is read as text: what begins like a formula gets an apostrophe before it."""
    text = "" if value is None else str(value)
    return "'" + text if text.lstrip(" \u3000\u00a0\ufeff").startswith(_STARTS) or text.startswith("'") else text


def csv_of(header: Sequence[str], rows: Iterable[Sequence[object]], file_name: str) -> Response:
    """A download: UTF-8 with a mark that Excel looks for, every cell quoted and harmless."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([harmless(cell) for cell in header])
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    response = Response(out.getvalue().encode("utf-8-sig"), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response
