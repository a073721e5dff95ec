"""The seam "there is work": whoever makes work says so in its own transaction; a driver decides what that does."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

# Called inside the transaction that makes the work, with its rank (smaller is more urgent).
Nudge = Callable[[Session, int], None]

_carriers: WeakKeyDictionary[Engine, Nudge] = WeakKeyDictionary()


def carry(engine: Engine, nudge: Nudge | None) -> None:
    """From now on this is what a nudge on this engine does; None: nothing, workers find the work by looking."""
    if nudge is None:
        _carriers.pop(engine, None)
    else:
        _carriers[engine] = nudge


def there_is_work(session: Session, rank: int) -> None:
    """Says that this transaction makes work of that rank. Only a nudge: lost or doubled it changes nothing."""
    nudge = _carriers.get(session.get_bind().engine)
    if nudge is not None:
        nudge(session, rank)
