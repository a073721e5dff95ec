"""The embedded driver: one process, three threads; it looks often, and at once when its own process made work."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import event
from sqlalchemy.orm import Session

from notifications import nudges
from notifications.dispatch.drivers.loops import Crew
from notifications.dispatch.worker import Worker


class Embedded:
    """For SQLite, or PostgreSQL on one machine. Nothing beside the database is needed."""

    name = "embedded"

    def __init__(self, poll: dt.timedelta) -> None:
        self._poll = poll

    def run(self, worker: Worker, *, alone: bool = False) -> None:
        """Works until the worker is stopped."""
        crew = Crew(worker, self._poll.total_seconds, self._poll.total_seconds)

        def nudge(session: Session, _rank: int) -> None:
            event.listen(session, "after_commit", lambda _session: crew.wake(), once=True)

        nudges.carry(worker.engine, nudge)
        worker.begin(alone=alone)
        try:
            crew.work()
        finally:
            nudges.carry(worker.engine, None)
            worker.sign_off()
