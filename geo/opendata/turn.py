"""One import at a time, so that two of the same file do not trip over each other's new rows."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

_LOCK = 0x596F6269  # any constant of our own


def take_turn(session: Session) -> None:
    """Waits until no other import is under way, and holds the turn to the end of the transaction.

    SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
