"""What an answer of a push service means: RFC 8030, and how the great services say that a key is not theirs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from notifications.channels.promise import Outcome, Result

ACCEPTED = Result(Outcome.ACCEPTED)
THROTTLED_WAIT_S = 60.0
REFUSED_WAIT_S = 60.0
_LONGEST_WAIT_S = 3_600.0
_LONGEST_WORDS = 120
_GONE = frozenset({404, 410})
_PASSING = frozenset({408, 425})
_THROTTLED = frozenset({406, 429})  # 406: Windows
# Subscribed with another key than ours: Google 403, Apple 400, Mozilla 401, each in words of its own.
_OTHER_KEY = re.compile(
    r"do(es)? not correspond to the (credentials|sender)|VapidPkHashMismatch|(public )?key mismatch", re.IGNORECASE
)
# Our signed word itself, or its time or audience. Google's older answer has status 400.
_OUR_WORD = re.compile(r"jwt|vapid|unauthorized|authoriz|expired.*token|token.*expired", re.IGNORECASE)


class Sign(Enum):
    """What an answer says of the service as a whole."""

    WELL = auto()
    THROTTLED = auto()
    REFUSED = auto()  # it does not believe who we are
    SILENT = auto()


@dataclass(frozen=True, slots=True)
class Reading:
    """The result for one browser, and the sign for its service."""

    result: Result
    sign: Sign

    @property
    def refuses_us(self) -> bool:
        """The signed word was refused: another should be tried next."""
        return self.sign is Sign.REFUSED


def classify(status: int, body: bytes, retry_after_s: float | None) -> Reading:
    """One complete answer. No fault ever comes of it: what one service says must not stop the others' browsers."""
    if 200 <= status < 300:
        return Reading(ACCEPTED, Sign.WELL)
    words = _words(body)
    detail = f"{status} {words}".strip()
    wait = None if retry_after_s is None or retry_after_s <= 0 else min(retry_after_s, _LONGEST_WAIT_S)
    if status in _GONE:
        return Reading(Result(Outcome.UNREGISTERED, detail=detail), Sign.WELL)
    if status in _THROTTLED:
        waits = THROTTLED_WAIT_S if wait is None else wait
        return Reading(Result(Outcome.RETRY, waits, detail=detail), Sign.THROTTLED)
    if status in (400, 401, 403) and _OTHER_KEY.search(words):
        return Reading(Result(Outcome.MISMATCH, detail=detail), Sign.WELL)
    if status in (401, 403) or (status == 400 and _OUR_WORD.search(words)):
        return Reading(Result(Outcome.RETRY, wait or REFUSED_WAIT_S, detail=detail), Sign.REFUSED)
    if status == 413:
        # Nobody may refuse 4,096 bytes (RFC 8030 7.2) and we never send more: this service, not this message.
        return Reading(Result(Outcome.FAILED, detail=detail), Sign.WELL)
    if status >= 500 or status in _PASSING or status < 200:
        return Reading(Result(Outcome.RETRY, wait, detail=detail), Sign.WELL)
    # A redirect is never followed (it could lead anywhere), and what else is refused is refused for this address.
    return Reading(Result(Outcome.INVALID, detail=detail), Sign.WELL)


def no_answer(text: str, *, may_have_arrived: bool) -> Reading:
    """The connection failed or the time was over. Libcurl's words may hold the name of the host, never a path."""
    outcome = Outcome.UNKNOWN if may_have_arrived else Outcome.RETRY
    return Reading(Result(outcome, detail=text[:_LONGEST_WORDS]), Sign.SILENT)


def _words(body: bytes) -> str:
    """What a service says, safe to show: printable ASCII, short, and nothing that looks like an address of somebody."""
    text = re.sub(r"[^\x20-\x7e]+", " ", body[:2_000].decode("ascii", "replace"))
    text = re.sub(r"<[^>]*>|https?://\S+|\b[\w-]{32,}\S*", " ", text)
    return " ".join(text.split())[:_LONGEST_WORDS]
