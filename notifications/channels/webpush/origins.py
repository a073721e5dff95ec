"""How each push service fares: one that is slow, throttles or refuses us rests, and holds nobody else up."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import structlog

from notifications.channels.promise import Fault, Outcome, Result
from notifications.channels.webpush.answer import Reading, Sign
from notifications.channels.webpush.endpoint import Endpoint

# One browser's refusal is its own; so many in a row, with nothing taken in between, are the service's.
IN_A_ROW = 5
SILENCES_IN_A_ROW = 20
SILENCE_RESTS_S = 30.0
# Nobody believes our key: refusals for so long and so many, at known services only, and not one push taken anywhere.
HOPELESS_AFTER_S = 90.0
HOPELESS_REFUSALS = 20
FORGOTTEN_AFTER_S = 600.0
# Strangers' services (`*`): so many requests at once to each, beyond which its browsers wait.
STRANGERS_SHARE = 4
STRANGERS_WAIT_S = 5.0
_MOST_ORIGINS = 5_000

log = structlog.get_logger("webpush")


@dataclass(slots=True)
class _Origin:
    under_way: int = 0
    in_a_row: dict[Sign, int] = field(default_factory=dict)
    rests_until: float = 0.0
    why: str = ""


class Origins:
    """What one line knows of the services it sends to. Bounded: strangers can make up any number of them."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._known: OrderedDict[str, _Origin] = OrderedDict()
        # When our word was refused first and last, and how often, with nothing taken by anybody in between.
        self._refused: tuple[float, float, int] | None = None

    def held_up(self, endpoint: Endpoint) -> Result | None:
        """What a browser gets whose service rests or is busy; None when it can be tried."""
        origin = self._of(endpoint.origin)
        left = origin.rests_until - self._monotonic()
        if left > 0:
            return Result(Outcome.RETRY, left, detail=f"not sent, its service rests: {origin.why}")
        if not endpoint.trusted and origin.under_way >= STRANGERS_SHARE:
            return Result(Outcome.RETRY, STRANGERS_WAIT_S, detail="not sent: its service is busy with others")
        return None

    def begun(self, endpoint: Endpoint) -> None:
        """A request is under way."""
        self._of(endpoint.origin).under_way += 1

    def ended(self, endpoint: Endpoint, reading: Reading) -> Result:
        """Learns from an answer; the result, with a fault once it is certain that no service takes our word."""
        origin = self._of(endpoint.origin)
        origin.under_way = max(0, origin.under_way - 1)
        result, sign = reading.result, reading.sign
        if result.outcome is Outcome.ACCEPTED:
            self._refused = None
        if sign is Sign.WELL:
            origin.in_a_row.clear()
            return result
        origin.in_a_row[sign] = origin.in_a_row.get(sign, 0) + 1
        if origin.in_a_row[sign] >= (SILENCES_IN_A_ROW if sign is Sign.SILENT else IN_A_ROW):
            self._rest(endpoint, origin, sign, result)
        if sign is Sign.REFUSED and endpoint.trusted and self._hopeless():
            return replace(result, fault=Fault.CREDENTIALS)
        return result

    def _rest(self, endpoint: Endpoint, origin: _Origin, sign: Sign, result: Result) -> None:
        rest_s = SILENCE_RESTS_S if sign is Sign.SILENT else result.retry_after_s or SILENCE_RESTS_S
        origin.in_a_row.clear()
        origin.rests_until, origin.why = self._monotonic() + rest_s, result.detail
        # What a stranger calls himself, and says, is not logged: anybody could write into the log by it.
        named = (
            {"service": endpoint.origin, "detail": result.detail} if endpoint.trusted else {"service": "a stranger's"}
        )
        log.warning("push_service_rests", sign=sign.name.lower(), seconds=rest_s, **named)

    def _hopeless(self) -> bool:
        """Counts a refusal of our word at a known service; whether it is time to call an operator."""
        now = self._monotonic()
        first, last, count = self._refused or (now, now, 0)
        if now - last > FORGOTTEN_AFTER_S:
            first, count = now, 0
        self._refused = (first, now, count + 1)
        return now - first >= HOPELESS_AFTER_S and count + 1 >= HOPELESS_REFUSALS

    def _of(self, name: str) -> _Origin:
        origin = self._known.get(name)
        if origin is None:
            origin = self._known[name] = _Origin()
            if len(self._known) > _MOST_ORIGINS:
                self._forget_one()
        else:
            self._known.move_to_end(name)
        return origin

    def _forget_one(self) -> None:
        idle = next((name for name, origin in self._known.items() if not origin.under_way), None)
        if idle is not None:
            del self._known[idle]
