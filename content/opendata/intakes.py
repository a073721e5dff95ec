"""Files that people hand in: reported on before anything is written, then exactly that file is taken in, or dropped."""

from __future__ import annotations

import datetime as dt
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from content.editors import Editor
from content.opendata import intake_lines
from database import Base, BigId, Json, UtcDateTime

KEPT_FOR = dt.timedelta(days=7)  # a report that nobody confirms, and its file
NAME_MAX = 200


class State(StrEnum):
    """How far it is. Reading and applying wait for somebody who does it."""

    READING = "reading"
    REPORTED = "reported"
    APPLYING = "applying"
    APPLIED = "applied"
    UNUSABLE = "unusable"
    DROPPED = "dropped"


OPEN = (State.READING.value, State.APPLYING.value)


class Intake(Base):
    """One file, or the files of one list, that somebody handed in."""

    __tablename__ = "intakes"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(sa.Text)  # of content.opendata.kinds
    state: Mapped[str] = mapped_column(sa.Text, index=True)
    version: Mapped[int] = mapped_column(sa.Integer)  # rises with every step
    options: Mapped[dict[str, Any]] = mapped_column(Json)  # days as ISO text
    names: Mapped[list[str]] = mapped_column(Json)
    size: Mapped[int] = mapped_column(sa.BigInteger)  # bytes
    sha256: Mapped[str] = mapped_column(sa.Text)
    editor_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("editors.id"))
    who: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    confirmed_by_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("editors.id"))
    confirmed_by: Mapped[str] = mapped_column(sa.Text)
    read_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)  # when the report was made
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    reports: Mapped[dict[str, Any] | None] = mapped_column(Json)  # by file name, as `Report.to_json`
    outcome: Mapped[str | None] = mapped_column(sa.Text)  # hash of everything the reports say
    moved: Mapped[bool] = mapped_column(sa.Boolean)  # the store moved after the report before this one
    fault: Mapped[dict[str, Any] | None] = mapped_column(Json)  # why it cannot be used: code, line, reason, kind
    rows_read: Mapped[int] = mapped_column(sa.BigInteger)
    rows_expected: Mapped[int] = mapped_column(sa.BigInteger)  # by the look of the file
    held_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    fence: Mapped[int] = mapped_column(sa.Integer)  # how often somebody took it up


class IntakeFile(Base):
    """The bytes of one file, compressed; gone when the intake ends."""

    __tablename__ = "intake_files"

    intake_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("intakes.id"), primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(sa.Text)
    data: Mapped[bytes] = mapped_column(sa.LargeBinary)


def hand_in(
    session: Session, now: dt.datetime, *, kind: str, files: Mapping[str, bytes], options: Mapping[str, Any], by: Editor
) -> Intake:
    """Keeps files until somebody has decided on them. `options` as for `kinds.take`."""
    intake = Intake(
        kind=kind, state=State.READING.value, version=1, options=_stored(options),
        names=list(files), size=sum(map(len, files.values())), sha256=fingerprint(files), editor_id=by.id, who=by.name,
        at=now, confirmed_by="", moved=False, rows_read=0, rows_expected=sum(map(_rows, files.values())), fence=0,
    )  # fmt: skip
    session.add(intake)
    session.flush()
    for position, (name, data) in enumerate(files.items()):
        packed = zlib.compress(data, 1)
        session.add(IntakeFile(intake_id=intake.id, position=position, name=name, data=packed))
    session.flush()
    return intake


def fingerprint(files: Mapping[str, bytes]) -> str:
    """SHA-256 of one file; of several, of their names and hashes in order."""
    own = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    if len(own) == 1:
        return next(iter(own.values()))
    return hashlib.sha256("".join(f"{value} {name}\n" for name, value in own.items()).encode()).hexdigest()


def files_of(session: Session, intake: Intake) -> dict[str, bytes]:
    """The files as they were handed in. Raises ValueError when they are not what was handed in."""
    wanted = sa.select(IntakeFile).where(IntakeFile.intake_id == intake.id).order_by(IntakeFile.position)
    files = {one.name: zlib.decompress(one.data) for one in session.scalars(wanted)}
    if fingerprint(files) != intake.sha256:
        raise ValueError(f"the files of intake {intake.id} are not those that were handed in")
    return files


def options_of(intake: Intake) -> dict[str, Any]:
    """The options with days as days."""
    days = ("as_of", "effective_from")
    return {key: dt.date.fromisoformat(one) if key in days else one for key, one in intake.options.items()}


def again(session: Session, intake: Intake, version: int, options: Mapping[str, Any]) -> bool:
    """Asks for a new report with other options; False when somebody else was faster."""
    states = (State.REPORTED, State.UNUSABLE)
    return _step(
        session, intake, version, states, State.READING, options=_stored(options), rows_read=0, moved=False,
        fault=None, held_until=None,
    )  # fmt: skip


def confirm(session: Session, intake: Intake, version: int, outcome: str, by: Editor) -> bool:
    """Asks to take in what was reported; False when that is no longer the report."""
    return intake.outcome == outcome and _step(
        session, intake, version, (State.REPORTED,), State.APPLYING, confirmed_by_id=by.id, confirmed_by=by.name,
        rows_read=0, held_until=None,
    )  # fmt: skip


def drop(session: Session, intake: Intake, version: int, now: dt.datetime) -> bool:
    """Throws the files away; False when somebody else was faster."""
    states = (State.REPORTED, State.UNUSABLE, State.READING)
    done = _step(session, intake, version, states, State.DROPPED, ended_at=now, held_until=None)
    if done:
        forget_files(session, intake.id)
    return done


def tidy(session: Session, now: dt.datetime) -> None:
    """Drops what nobody decided on for a week."""
    waiting = (State.REPORTED.value, State.UNUSABLE.value)
    old = sa.select(Intake).where(Intake.state.in_(waiting), Intake.at < now - KEPT_FOR)
    for intake in session.scalars(old):
        drop(session, intake, intake.version, now)


def get(session: Session, intake_id: int) -> Intake | None:
    """One by its number."""
    return session.get(Intake, intake_id) if 0 < intake_id < 2**63 else None


def listed(session: Session, *, before: int | None = None, most: int = 30) -> Sequence[Intake]:
    """Newest first, those before a number."""
    wanted = sa.select(Intake).order_by(Intake.id.desc()).limit(most)
    return session.scalars(wanted if before is None else wanted.where(Intake.id < before)).all()


def forget_files(session: Session, intake_id: int) -> None:
    """Deletes the bytes; the report stays."""
    session.execute(sa.delete(IntakeFile).where(IntakeFile.intake_id == intake_id))


def _step(session: Session, intake: Intake, version: int, states: Sequence[State], to: State, **values: Any) -> bool:
    result: sa.CursorResult[Any] = session.execute(  # type: ignore[assignment]
        sa.update(Intake)
        .where(Intake.id == intake.id, Intake.version == version, Intake.state.in_([one.value for one in states]))
        .values(state=to.value, version=Intake.version + 1, fence=Intake.fence + 1, **values)
        .execution_options(synchronize_session=False)
    )
    if result.rowcount == 1 and to is State.READING:
        intake_lines.forget(session, intake.id)
    session.refresh(intake)
    return result.rowcount == 1


def _stored(options: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in options.items() if value not in (None, "", False)}
    return {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in given.items()}


def _rows(data: bytes) -> int:
    return data.count(b'"Feature"') or max(data.count(b"\n") - 1, 1)
