"""Machines made of network namespaces: each with its own loopback and one cable to the database's side."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path


class Machine:
    """One namespace with a provider's view of its own; `hub` is our end of its cable, `address` where it sees us."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.hub, self.address = f"hub{number}", f"10.77.{number}.1"
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "86400"], start_new_session=True)
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self._holder.pid}/ns/net") == own or self._command() != "sleep":
            time.sleep(0.005)
        pid = str(self._holder.pid)
        _ip("link", "add", self.hub, "type", "veth", "peer", "name", "eth0", "netns", pid)
        _ip("addr", "add", f"{self.address}/24", "dev", self.hub)
        _ip("link", "set", self.hub, "up")
        for words in (
            ("link", "set", "lo", "up"),
            ("addr", "add", f"10.77.{number}.2/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
        ):
            subprocess.run([*self.prefix, "ip", *words], check=True)

    @property
    def prefix(self) -> list[str]:
        """What to put before a command that shall run there."""
        return ["nsenter", "--target", str(self._holder.pid), "--net"]

    def cut(self) -> None:
        """Pulls the cable: packets are lost without a word, connections hang."""
        _ip("link", "set", self.hub, "down")

    def mend(self) -> None:
        """Plugs it in again."""
        _ip("link", "set", self.hub, "up")
        # Addresses stay; what was resolved is asked for anew.
        _ip("neigh", "flush", "dev", self.hub)

    def close(self) -> None:
        """Takes the machine away; its cable goes with it."""
        self._holder.kill()
        self._holder.wait()

    def _command(self) -> str:
        return Path(f"/proc/{self._holder.pid}/comm").read_text().strip()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def joined(machines: Sequence[Machine]) -> list[str]:
    """Where the database has to listen for all of them."""
    return [machine.address for machine in machines]
