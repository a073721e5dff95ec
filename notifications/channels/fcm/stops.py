"""When to leave the rest of a hand-over unsent: more of the same would only be refused too."""

from __future__ import annotations

import dataclasses

from notifications.channels.promise import Fault, Outcome, Result


class Stops:
    """What has been refused for everybody, or for one body."""

    def __init__(self) -> None:
        self._all: Result | None = None
        self._bodies: dict[int, Result] = {}

    def note(self, body: bytes, result: Result) -> None:
        """Looks at a result. Bodies are told apart by identity: a hand-over holds them all the while."""
        if result.project_wide or result.fault is Fault.CREDENTIALS:
            self._all = self._all or _unsent(result)
        elif result.fault is not None:
            # A refused payload, or a platform whose key is wrong: others may still go.
            self._bodies.setdefault(id(body), _unsent(result))

    def result(self, body: bytes) -> Result | None:
        """What a recipient gets who is not tried any more; None while there is no reason to stop."""
        return self._all or self._bodies.get(id(body))


def _unsent(result: Result) -> Result:
    return dataclasses.replace(result, outcome=Outcome.RETRY, detail=f"not sent after: {result.detail}")
