"""The work on an intake: making its report, and taking in exactly what was reported."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content import journal
from content.editors import Editor
from content.opendata import intake_lines, intakes, kinds
from content.opendata.intakes import OPEN, Intake, State
from geo.opendata.faults import OpenDataError
from geo.opendata.report import Report

LEASE = dt.timedelta(minutes=1)
GUESSED_BELOW = 5_000_000  # bytes that are read once more to say which kind a file is


class Moved(Exception):
    """The file would now do something else than was reported; carries the new reports. Roll back what was written."""

    def __init__(self, reports: Mapping[str, Report]) -> None:
        super().__init__("the store moved after the report")
        self.reports = reports


@dataclass(frozen=True, slots=True)
class Claim:
    """An open intake in somebody's hands. Whoever holds an older fence can no longer write."""

    intake_id: int
    fence: int
    state: State


def claim(session: Session, now: dt.datetime) -> Claim | None:
    """Takes up the oldest open intake that nobody works on; None when there is none."""
    free = sa.or_(Intake.held_until.is_(None), Intake.held_until < now)
    oldest = sa.select(Intake.id).where(Intake.state.in_(OPEN), free).order_by(Intake.id).limit(1).scalar_subquery()
    taken = session.execute(
        sa.update(Intake)
        .where(Intake.id == oldest, Intake.state.in_(OPEN), free)
        .values(held_until=now + LEASE, fence=Intake.fence + 1)
        .returning(Intake.id, Intake.fence, Intake.state)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return None if taken is None else Claim(taken.id, taken.fence, State(taken.state))


def renew(session: Session, held: Claim, now: dt.datetime, rows_read: int) -> bool:
    """Says how far it is and holds on to it; False when it is in other hands."""
    return _write(session, held, held_until=now + LEASE, rows_read=rows_read)


def report(session: Session, intake: Intake, now: dt.datetime) -> dict[str, Report]:
    """What the files would do to the store as it is. Raises `OpenDataError` for what cannot be used."""
    files, options = intakes.files_of(session, intake), intakes.options_of(intake)
    return kinds.take(session, intake.kind, files, now, options, dry_run=True)


def fault_of(session: Session, intake: Intake, error: OpenDataError, now: dt.datetime) -> dict[str, Any]:
    """Why the files cannot be used, and which other kind they are."""
    told = {"code": error.code, "line": error.line, "reason": error.message}
    if error.code in ("unknown_format", "not_csv", "not_json", "empty") and intake.size < GUESSED_BELOW:
        told["kind"] = kinds.guess(session, intakes.files_of(session, intake), now, besides=intake.kind)
    return told


def write_report(
    session: Session, held: Claim, now: dt.datetime, found: Mapping[str, Report] | dict[str, Any], *,
    moved: bool = False,
) -> bool:  # fmt: skip
    """Keeps the reports, or the fault; False when the intake is in other hands."""
    common: dict[str, Any] = {"version": Intake.version + 1, "read_at": now, "held_until": None, "moved": moved}
    reports = {name: one for name, one in found.items() if isinstance(one, Report)}
    if not reports:
        return _write(session, held, state=State.UNUSABLE.value, fault=dict(found), **common)
    told = {name: _short(one) for name, one in reports.items()}
    rows = sum(one.read for one in reports.values())
    kind = session.scalar(sa.select(Intake.kind).where(Intake.id == held.intake_id)) or ""
    outcome = outcome_of(kind, reports, now)
    done = _write(
        session, held, state=State.REPORTED.value, reports=told, outcome=outcome, fault=None, rows_read=rows, **common
    )
    if done:
        intake_lines.write(session, held.intake_id, reports)
    return done


@dataclass(frozen=True, slots=True)
class Loaded:
    """An intake and its files, read beforehand: reading a long list must not keep SQLite's writer."""

    intake: Intake
    files: dict[str, bytes]


def load(session: Session, intake_id: int) -> Loaded:
    """What `apply` needs of an intake."""
    intake = session.get_one(Intake, intake_id)
    return Loaded(intake, intakes.files_of(session, intake))


def apply(session: Session, held: Claim, loaded: Loaded, now: dt.datetime) -> bool:
    """Takes in what was reported, with its entry in the journal, in the caller's transaction.

    False when the intake is in other hands. Raises Moved when it would do something else than was reported.
    """
    intake, files, options = loaded.intake, loaded.files, intakes.options_of(loaded.intake)
    reports = kinds.take(session, intake.kind, files, now, options)
    if outcome_of(intake.kind, reports, now) != intake.outcome or not all(one.applied for one in reports.values()):
        raise Moved(reports)
    values = {"state": State.APPLIED.value, "version": Intake.version + 1, "ended_at": now, "held_until": None}
    told = {name: _short(one) for name, one in reports.items()}
    if not _write(session, held, reports=told, **values):
        return False
    intakes.forget_files(session, intake.id)
    counts = {name: sum(getattr(one, name) for one in reports.values()) for name in ("added", "changed", "withdrawn")}
    about = {"kind": intake.kind, "files": intake.names, "sha256": intake.sha256, **counts}
    actor = session.get(Editor, intake.confirmed_by_id)
    subject = f"import {intake.id}"
    journal.append(
        session, now=now, actor=actor, door="console", action="imports.applied", subject=subject, detail=about
    )
    return True


def outcome_of(kind: str, reports: Mapping[str, Report], now: dt.datetime) -> str:
    """One hash over what all reports say. Lists of events are read with the day: days are written without a year."""
    said = [f"{name} {one.outcome()}" for name, one in sorted(reports.items())]
    if kind == "events":
        said.append(now.date().isoformat())
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def _short(one: Report) -> dict[str, Any]:
    said = one.to_json()
    for name in ("refused", "warnings"):  # they are lines
        said.pop(name)
    return {**said, "format_ja": one.format_ja, "told": dict(one.told)}


def _write(session: Session, held: Claim, **values: Any) -> bool:
    result: sa.CursorResult[Any] = session.execute(  # type: ignore[assignment]
        sa.update(Intake)
        .where(Intake.id == held.intake_id, Intake.fence == held.fence, Intake.state == held.state.value)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount == 1
