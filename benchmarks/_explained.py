"""The ledger in plain words for the storm: what the provider answered each recipient, beside what was written down."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmarks._witness import ACCEPTED, UNKNOWN, UNREGISTERED, Hit

NAMES = (
    "pending", "accepted", "unknown", "retry", "unregistered", "invalid", "mismatch", "expired", "gone", "failed",
    "no token", "withdrawn",
)  # fmt: skip
# The last answer that decides: a 200 tells for good, a dead token is dead for good, all else may be tried again.
_DECISIVE = ("taken (200)", "dead token (404)", "cut off without an answer")


@dataclass(frozen=True, slots=True)
class Line:
    """Recipients with one outcome in the ledger and one history at the provider."""

    outcome: str
    answer: str
    recipients: int
    detours: int  # of these, how many met something else first
    explained: bool


def answer_of(statuses: Iterable[int]) -> tuple[str, bool]:
    """What the provider's answers to one recipient come to, and whether there were several kinds."""
    seen = list(statuses)
    kinds = set(seen)
    if 200 in kinds:
        return _DECISIVE[0], len(kinds) > 1
    if 404 in kinds:
        return _DECISIVE[1], len(kinds) > 1
    if kinds & {444, 499}:
        return _DECISIVE[2], len(kinds) > 1
    return ("refused each time: " + ", ".join(map(str, sorted(kinds)))) if kinds else "never reached", len(kinds) > 1


def explained(outcome: int, answer: str) -> bool:
    """The ledger says what the provider saw. An unknown outcome may hide a 200 that the sender never heard."""
    if outcome == ACCEPTED:
        return answer == _DECISIVE[0]
    if outcome == UNREGISTERED:
        return answer == _DECISIVE[1]
    return outcome == UNKNOWN and answer in (_DECISIVE[0], _DECISIVE[2], "never reached")


def explain(ledger: Mapping[str, int], log: Iterable[Hit]) -> list[Line]:
    """Every recipient of one message by outcome and answer, the most frequent first."""
    answers: dict[str, list[int]] = defaultdict(list)
    for hit in log:
        answers[hit.token].append(hit.status)
    counted: Counter[tuple[int, str]] = Counter()
    detours: Counter[tuple[int, str]] = Counter()
    for token, outcome in ledger.items():
        answer, several = answer_of(answers.get(token, ()))
        counted[outcome, answer] += 1
        detours[outcome, answer] += several
    return [
        Line(NAMES[outcome], answer, number, detours[outcome, answer], explained(outcome, answer))
        for (outcome, answer), number in counted.most_common()
    ]


def sent_while_paused(log: Iterable[Hit], *, pause_s: float = 5.0, grace_s: float = 1.0) -> int:
    """Requests that arrived after everybody had been told to wait, later than what was under way can explain."""
    told = sorted(hit.answered for hit in log if hit.fault == "quota_project")
    starts = [at for number, at in enumerate(told) if number == 0 or at - told[number - 1] > pause_s]
    arrivals = [hit.arrived for hit in log]
    return sum(start + grace_s < arrived < start + pause_s for start in starts for arrived in arrivals)
