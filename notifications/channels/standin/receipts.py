"""The log of everything handed over: one JSON line a request, on disk before the answer leaves."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import threading
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

FILE_NAME = "received.jsonl"
_MOST_LINES = 10_000


class Receipts:
    """An append-only file. Every line is written with one system call, so that a reader never sees half of one."""

    def __init__(self, path: Path, clock: Callable[[], dt.datetime]) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._first = 1  # the sequence number of the first line in the file
        self._starts = array("Q")  # where each line starts, in bytes
        self._end = 0
        self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._scan()
            os.ftruncate(self._descriptor, self._end)  # half a line from a machine that lost power
        except BlockingIOError:
            os.close(self._descriptor)
            raise ValueError(f"another stand-in writes {path}: give each a state folder of its own") from None
        except BaseException:
            os.close(self._descriptor)
            raise

    @property
    def last(self) -> int:
        """The highest sequence number given."""
        return self._first + len(self._starts) - 1

    def append(
        self,
        *,
        token: str | None,
        outcome: str,
        http: int | None,
        validate_only: bool,
        message: dict[str, Any] | None,
        fault: str | None = None,
    ) -> tuple[int, dt.datetime]:
        """Writes one line; its number and time. `message` in full only for what was accepted."""
        data = (message or {}).get("data") or {}
        entry: dict[str, Any] = {
            "seq": 0,
            "time": None,
            "token": token,
            "message_id": data.get("message_id"),
            "thread": data.get("thread"),
            "outcome": outcome,
            "http": http,
            "validate_only": validate_only,
            "fault": fault,
        }
        if outcome == "accepted":
            entry["payload"] = message
        with self._lock:
            if self._descriptor < 0:
                raise ConnectionAbortedError("the stand-in is closed")
            entry["seq"] = self.last + 1
            now = self._clock()
            entry["time"] = now
            line = orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
            os.write(self._descriptor, line)
            self._starts.append(self._end)
            self._end += len(line)
            return entry["seq"], now

    def after(self, seq: int, limit: int = 1_000) -> bytes:
        """The lines with a higher number than `seq`, at most `limit`, as the text of the file."""
        with self._lock:
            start = min(max(seq + 1 - self._first, 0), len(self._starts))
            stop = min(start + max(1, min(limit, _MOST_LINES)), len(self._starts))
            if start == stop:
                return b""
            begin = self._starts[start]
            end = self._starts[stop] if stop < len(self._starts) else self._end
        return os.pread(self._descriptor, end - begin, begin)

    def entries(self) -> Iterator[dict[str, Any]]:
        """Every line, from the first."""
        with self.path.open("rb") as file:
            for line in file:
                yield orjson.loads(line)

    def reset(self) -> None:
        """Empties the file. Numbers go on, so that a reader's `after` stays right."""
        with self._lock:
            self._first = self.last + 1
            self._starts = array("Q")
            self._end = 0
            os.ftruncate(self._descriptor, 0)

    def close(self) -> None:
        """Lets go of the file. What still comes in is refused, as by a server that is gone."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
            self._descriptor = -1

    def _scan(self) -> None:
        """Finds the lines of an earlier run. Raises ValueError when the file is something else."""
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                if not self._starts:
                    try:
                        self._first = int(orjson.loads(line)["seq"])
                    except (ValueError, TypeError, KeyError):
                        raise ValueError(f"{self.path} is not a log of the stand-in; it is left alone") from None
                self._starts.append(self._end)
                self._end += len(line)
