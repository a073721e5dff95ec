"""When phones were last heard of: at most one write a day and phone, many phones in one statement."""

from __future__ import annotations

import datetime as dt
import threading

import sqlalchemy as sa
import structlog
from flask import Flask, Response
from sqlalchemy.engine import Engine

from backend import clock
from database import db, transaction
from notifications.devices import Device

ONCE_IN = dt.timedelta(days=1)
# Gathered until so many are together or the first has waited so long. What a process had gathered when it ended is
# gathered again at the phone's next call.
MOST, LONGEST = 500, dt.timedelta(seconds=10)

log = structlog.get_logger("presence")


class Presence:
    """The phones that this process heard of and has not written down yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: set[int] = set()
        self._since: dt.datetime | None = None

    def note(self, device: Device, now: dt.datetime) -> None:
        """A phone called; nothing is written, and most calls are not even remembered."""
        if now - device.seen_at < ONCE_IN:
            return
        with self._lock:
            self._ids.add(device.id)
            self._since = self._since or now

    def due(self, now: dt.datetime) -> bool:
        """Enough are together, or one has waited long enough."""
        with self._lock:
            return len(self._ids) >= MOST or (self._since is not None and now - self._since >= LONGEST)

    def write(self, engine: Engine, now: dt.datetime) -> None:
        """Writes all of them down in one statement. A phone that somebody else holds is left for another day."""
        with self._lock:
            ids, self._ids, self._since = sorted(self._ids), set(), None
        if not ids:
            return
        unheard = sa.select(Device.id).where(Device.id.in_(ids), Device.seen_at <= now - ONCE_IN)
        free = unheard.order_by(Device.id).with_for_update(skip_locked=True)
        try:
            with transaction(engine) as session:
                session.execute(
                    sa.update(Device)
                    .where(Device.id.in_(free))
                    .values(seen_at=now)
                    .execution_options(synchronize_session=False)
                )
        except sa.exc.SQLAlchemyError as error:
            # Nobody's request fails for it.
            log.warning("presence_not_written", reason=type(error).__name__, devices=len(ids))


def register(app: Flask) -> None:
    """Writes down what is due after an answer has left: reading never waits for it."""
    presence = app.extensions["yobikake.presence"] = Presence()

    @app.after_request
    def after(response: Response) -> Response:
        now = clock.now()
        if presence.due(now):
            engine = db.engine
            response.call_on_close(lambda: presence.write(engine, now))
        return response
