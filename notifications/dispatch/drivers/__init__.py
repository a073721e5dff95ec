"""Drivers: what runs a worker and brings it the word that there is work. One seam, an embedded one and a fleet's."""

from __future__ import annotations

from typing import Protocol

from notifications.dispatch.worker import Worker


class Driver(Protocol):
    """Runs one worker process."""

    name: str

    def run(self, worker: Worker, *, alone: bool = False) -> None:
        """Works until the worker is stopped. `alone`: it is certain that no other worker is at work.

        Raises what went wrong by a mistake of ours; a database that cannot be reached is waited for.
        """
