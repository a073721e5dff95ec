"""Those of some devices to whom something more applies: they follow a topic, they have a child of certain months."""

from __future__ import annotations

import numpy as np
from sqlalchemy.orm import Session

from notifications import columns
from notifications.columns import Whole
from notifications.recipients import Flags
from notifications.topics import lineage


def kept(session: Session, ids: Whole, followers_of: str | None, parents_of: tuple[str, str] | None) -> Flags:
    """Which of these devices meet both conditions, where they are given."""
    which: Flags = np.ones(len(ids), np.bool_)
    if followers_of is not None and len(ids):
        which &= np.isin(ids, following(session, followers_of, ids))
    if parents_of is not None and len(ids):
        which &= np.isin(ids, parents(session, parents_of, ids))
    return which


def following(session: Session, slug: str, ids: Whole) -> Whole:
    """Those that follow a topic or one above it."""
    named = {f"slug{at}": one for at, one in enumerate(lineage(slug))}
    return columns.meeting(session, ids, "follows", f"r.slug IN ({', '.join(f':{name}' for name in named)})", **named)


def parents(session: Session, born: tuple[str, str], ids: Whole) -> Whole:
    """Those with a child born from one month to another, both included."""
    first, last = born
    return columns.meeting(session, ids, "children", "r.born BETWEEN :first AND :last", first=first, last=last)
