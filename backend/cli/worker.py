"""`yobikake worker`: the process that plans and sends."""

from __future__ import annotations

import datetime as dt
import fcntl
import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click
from sqlalchemy.engine import Engine

from backend import channel, clock, importing, keeping, logs
from backend.config import Settings
from database import open_engine
from notifications import reviews
from notifications.dispatch import drivers, reminding
from notifications.dispatch.worker import Worker

# Allocations between two looks for garbage: an answer makes a handful of objects, none of them in circles.
_GARBAGE_AFTER = 10_000


@click.command("worker")
def command() -> None:
    """Plans and sends until it gets SIGTERM or SIGINT; then it hands back what it holds and leaves."""
    # No application: the doors are not needed to send, and a worker that was killed should soon be back.
    settings = Settings.from_environment()
    logs.configure(settings)
    engine = open_engine(settings.database_url, lets_go_after=dt.timedelta(seconds=settings.lease_seconds))
    with only_one(engine) as alone:
        worker = Worker(
            engine,
            channel.outlets(settings),
            clock=clock.utc_now,
            lease=dt.timedelta(seconds=settings.lease_seconds),
            retry_base=dt.timedelta(seconds=settings.retry_seconds),
            operator_webhook=settings.operator_webhook_url,
            more_duties=[
                keeping.duty(settings),
                importing.Starter().duty(),
                *reminding.of_city(settings.zone),
                reviews.DUTY,
            ],
            paces=channel.paces(settings),
            at_once=settings.batches_at_once,
            zone=settings.zone,
        )

        def stop(number: int, _frame: FrameType | None) -> None:
            if worker.stopped.is_set():
                # Asked a second time: at once. What it holds is free again when its leases run out.
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)
            worker.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        # What is there now stays: looking for garbage in it again and again took a thirtieth of a sender's time.
        gc.freeze()
        gc.set_threshold(_GARBAGE_AFTER)
        driver = drivers.opened(
            settings.driving,
            dt.timedelta(seconds=settings.poll_seconds),
            dt.timedelta(seconds=settings.fleet_poll_seconds),
        )
        try:
            driver.run(worker, alone=alone)
        except drivers.NotReady as reason:
            raise click.ClickException(str(reason)) from None


@contextmanager
def only_one(engine: Engine) -> Iterator[bool]:
    """Holds the lock of SQLite's one worker; the kernel lets go of it however the process ends.

    True where it is certain that no other worker is at work, False on PostgreSQL. Exits with a
    clear word when another worker has the lock.
    """
    if engine.dialect.name != "sqlite":
        yield False
        return
    path = f"{engine.url.database}.worker.lock"
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException(
                "another worker is at work on this SQLite file; more workers need PostgreSQL"
            ) from None
        yield True
    finally:
        os.close(descriptor)
