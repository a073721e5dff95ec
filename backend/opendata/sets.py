"""All public data sets by their names."""

from __future__ import annotations

from collections.abc import Sequence

from backend.opendata import everyday, places, spoken
from backend.opendata.dataset import DataSet

SETS: dict[str, DataSet] = {one.name: one for one in (*places.SETS, *everyday.SETS, *spoken.SETS)}


def with_form(form: str) -> Sequence[str]:
    """The names of the sets that are written in this form."""
    return [name for name, one in SETS.items() if form in one.forms]
