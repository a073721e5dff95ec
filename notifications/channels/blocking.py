"""A line made of a call that waits: for senders that cannot have many hand-overs under way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from notifications.channels.promise import Result


class BlockingLine:
    """Gathers what is put and hands it over together when answers are asked for."""

    def __init__(self, hand_over_each: Callable[[Sequence[bytes], Sequence[str]], list[Result]], most: int) -> None:
        """`most`: how many are handed over in one call."""
        self._hand_over_each, self._most = hand_over_each, most
        self._put: list[tuple[int, bytes, str]] = []

    @property
    def under_way(self) -> int:
        """Put and not handed over yet: between two calls nothing else is."""
        return len(self._put)

    @property
    def room(self) -> int:
        """How many more the next call takes."""
        return max(0, self._most - len(self._put))

    def put(self, tag: int, body: bytes, token: str) -> None:
        """Keeps one for the next call."""
        self._put.append((tag, body, token))

    def answers(self, wait_s: float) -> list[tuple[int, Result]]:
        """Hands over what was put and returns its results; takes as long as that takes, whatever `wait_s`."""
        if not self._put:
            return []
        now, self._put = self._put[: self._most], self._put[self._most :]
        results = self._hand_over_each([body for _, body, _ in now], [token for *_, token in now])
        return [(tag, result) for (tag, _, _), result in zip(now, results, strict=True)]

    def close(self) -> None:
        """Forgets what was not handed over."""
        self._put.clear()
