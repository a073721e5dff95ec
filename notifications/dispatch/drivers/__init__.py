"""Drivers: what runs a worker and brings it the word that there is work. One seam, an embedded one and a fleet's."""

from __future__ import annotations

import datetime as dt
from typing import Literal, Protocol

from sqlalchemy.engine import Engine

from notifications import nudges
from notifications.dispatch.drivers.embedded import Embedded
from notifications.dispatch.drivers.loops import NotReady
from notifications.dispatch.worker import Worker

__all__ = ["Driver", "Driving", "NotReady", "carry_nudges", "opened"]


Driving = Literal["embedded", "fleet"]


class Driver(Protocol):
    """Runs one worker process."""

    name: str

    def run(self, worker: Worker, *, alone: bool = False) -> None:
        """Works until the worker is stopped. `alone`: it is certain that no other worker is at work.

        Raises NotReady when it cannot begin, and what went wrong by a mistake of ours. A database that
        cannot be reached is waited for.
        """


def opened(driving: Driving, poll: dt.timedelta, look_again: dt.timedelta) -> Driver:
    """The driver. `poll`: how soon it looks again for what it could not have. `look_again`: see Fleet."""
    if driving == "embedded":
        return Embedded(poll)
    from notifications.dispatch.drivers.fleet import Fleet  # only who needs procrastinate loads it

    return Fleet(poll, look_again)


def carry_nudges(engine: Engine, driving: Driving) -> None:
    """In a process that makes work and does none: from now on its nudges reach the workers of this driver."""
    if driving == "fleet":
        from notifications.dispatch.drivers.fleet import nudge

        nudges.carry(engine, nudge)
