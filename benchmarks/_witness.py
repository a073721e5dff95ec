"""The independent witness: reads the provider's log and what was written down beforehand; imports nothing of ours.

Called as a program it takes a folder with `expected.json` (message id → tokens that must be told), the logs
`*.log`, and the dump `outcomes.json` of the ledger, and exits with 1 when anybody was missed or told by mistake.
"""

from __future__ import annotations

import json
import sys
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# The ledger's bytes, as docs/ and the table say them; written here again on purpose.
PENDING, ACCEPTED, UNKNOWN, RETRY, UNREGISTERED = 0, 1, 2, 3, 4
OPEN_OUTCOMES = (PENDING, RETRY)


@dataclass(frozen=True, slots=True)
class Hit:
    """One request that reached the provider."""

    arrived: float  # seconds since 1970
    answered: float
    status: int  # 499: the sender was gone before the answer
    project: str
    token: str
    message: str
    fault: str
    size: int  # bytes of the body


def hits(lines: Iterable[str]) -> Iterator[Hit]:
    """Reads a log. Raises ValueError naming the line that is not one of ours; the last may be cut short."""
    for number, line in enumerate(lines, start=1):
        if not line.endswith("\n"):
            return
        parts = line.split()
        if len(parts) != 8:
            raise ValueError(f"line {number} of the log has {len(parts)} fields, not 8: {line[:120]!r}")
        msec, took, status, project, token, message, fault, size = parts
        answered = float(msec)
        yield Hit(
            answered - float(took), answered, int(status), project, token, message, fault,
            int(size) if size.isdigit() else 0,
        )  # fmt: skip


def read(path: Path, mark: int = 0) -> Iterator[Hit]:
    """The hits of a log file, from this byte on (the beginning of a line)."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        lines.seek(mark)
        yield from hits(lines)


@dataclass(slots=True)
class Verdict:
    """What became of one message."""

    expected: int = 0
    missed: set[str] = field(default_factory=set)
    strangers: set[str] = field(default_factory=set)
    again: int = 0  # answered 200 more than once
    cut_off: int = 0  # requests whose sender died before the answer, or before all was said
    unrecorded: int = 0  # recipients without a final outcome in the ledger
    contradicted: int = 0  # told by the log, and the ledger says that they were not

    @property
    def holds(self) -> bool:
        """The promise was kept."""
        return not (self.missed or self.strangers or self.unrecorded or self.contradicted)


def judge(
    expected: Mapping[str, Iterable[str]], log: Iterable[Hit], ledger: Mapping[str, Mapping[str, int]]
) -> dict[str, Verdict]:
    """Each message's verdict: told exactly its audience, each at least once, outcome recorded.

    `ledger`: message id → token → outcome byte. Tokens that the provider answered 404 count as told: they are dead.
    """
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    reached: dict[str, set[str]] = defaultdict(set)
    cut: Counter[str] = Counter()
    for hit in log:
        if hit.token == "-" and hit.status not in (200, 404):
            cut[hit.message] += 1  # its sender died while it wrote: it was for nobody yet
            continue
        reached[hit.message].add(hit.token)
        if hit.status in (200, 404):
            answers[hit.message][hit.token] += 1
        elif hit.status == 499:
            cut[hit.message] += 1
    found = {}
    for message, tokens in expected.items():
        wanted, told, written = set(tokens), answers[message], ledger.get(message, {})
        found[message] = Verdict(
            expected=len(wanted),
            missed=wanted - told.keys(),
            strangers=reached[message] - wanted,
            again=sum(times - 1 for times in told.values()),
            cut_off=cut[message],
            unrecorded=sum(written.get(token, PENDING) in OPEN_OUTCOMES for token in wanted),
            contradicted=sum(
                written.get(token, ACCEPTED) not in (ACCEPTED, UNKNOWN, UNREGISTERED, *OPEN_OUTCOMES) for token in told
            ),
        )
    for message in reached.keys() - expected.keys() - {"-"}:
        found[message] = Verdict(strangers=set(reached[message]))
    return found


@dataclass(frozen=True, slots=True)
class Window:
    """The busiest stretch of time."""

    most: int
    began: float


def busiest(arrivals: Sequence[float], seconds: float = 60.0) -> Window:
    """The most arrivals in any stretch of this length, wherever it begins; `arrivals` in any order."""
    times = sorted(arrivals)
    most, began = 0, times[0] if times else 0.0
    for first, moment in enumerate(times):
        # Half open: what arrives exactly `seconds` later belongs to the next stretch.
        count = bisect_right(times, moment + seconds - 1e-9, lo=first) - first
        if count > most:
            most, began = count, moment
    return Window(most, began)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share (0–1) of all does not exceed (nearest rank); 0 of none."""
    ranked = sorted(values)
    return ranked[max(0, -(-int(share * 1_000_000) * len(ranked) // 1_000_000) - 1)] if ranked else 0.0


def main(folder: Path) -> int:
    """Judges a folder and prints a table."""
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    ledger = json.loads((folder / "outcomes.json").read_text(encoding="utf-8"))
    log = (hit for path in sorted(folder.glob("**/*provider*.log")) for hit in read(path))
    verdicts = judge(expected, log, ledger)
    total = Verdict(
        expected=sum(v.expected for v in verdicts.values()),
        again=sum(v.again for v in verdicts.values()),
        cut_off=sum(v.cut_off for v in verdicts.values()),
        unrecorded=sum(v.unrecorded for v in verdicts.values()),
        contradicted=sum(v.contradicted for v in verdicts.values()),
    )
    missed = sum(len(v.missed) for v in verdicts.values())
    strangers = sum(len(v.strangers) for v in verdicts.values())
    print("| messages | recipients | missed | told by mistake | answered again | cut off | unrecorded | contradicted |")
    print("|---|---|---|---|---|---|---|---|")
    print(
        f"| {len(verdicts)} | {total.expected:,} | {missed} | {strangers} | {total.again:,} | {total.cut_off:,} "
        f"| {total.unrecorded} | {total.contradicted} |"
    )
    broken = [message for message, verdict in verdicts.items() if not verdict.holds]
    for message in broken[:5]:
        verdict = verdicts[message]
        print(
            f"\n{message}: missed {sorted(verdict.missed)[:3]}, by mistake {sorted(verdict.strangers)[:3]}, "
            f"unrecorded {verdict.unrecorded}, contradicted {verdict.contradicted}"
        )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
