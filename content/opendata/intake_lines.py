"""The report of an intake, line by line: what was refused, remarked on, added, changed, restored or withdrawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, Json
from geo.opendata.report import Report

ACTS = ("refused", "warning", "changed", "withdrawn", "restored", "added")  # what a person should see first


class IntakeLine(Base):
    """One line. Those of the report that is shown; a new report replaces them."""

    __tablename__ = "intake_lines"

    intake_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("intakes.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    act: Mapped[str] = mapped_column(sa.Text)
    file: Mapped[str] = mapped_column(sa.Text)
    line: Mapped[int | None] = mapped_column(sa.Integer)  # of the file, from 1
    column: Mapped[str] = mapped_column(sa.Text)
    key: Mapped[str] = mapped_column(sa.Text)  # the source's id; of a refusal the value
    name: Mapped[str] = mapped_column(sa.Text)  # of a refusal or remark the reason
    detail: Mapped[dict[str, Any]] = mapped_column(Json)  # before and after, or a code


def write(session: Session, intake_id: int, reports: Mapping[str, Report]) -> None:
    """Puts the lines of new reports in place of those there are."""
    forget(session, intake_id)
    lines: list[dict[str, Any]] = []
    for file, report in reports.items():
        lines += [
            _line("refused", file, one.line, one.column, one.value, one.reason, {"code": one.code})
            for one in report.refused
        ]
        lines += [
            _line("warning", file, one.line, None, None, one.message, {"code": one.code}) for one in report.warnings
        ]
        lines += [
            _line(one.act, file, None, None, one.key, one.name, {"before": one.before, "after": one.after})
            for one in report.differences
        ]
    lines.sort(key=lambda one: ACTS.index(one["act"]))
    rows = [{"intake_id": intake_id, "number": number, **line} for number, line in enumerate(lines, start=1)]
    if rows:
        session.execute(sa.insert(IntakeLine), rows)


def forget(session: Session, intake_id: int) -> None:
    """Deletes the lines."""
    session.execute(sa.delete(IntakeLine).where(IntakeLine.intake_id == intake_id))


def search(
    session: Session, intake_id: int, *, act: str = "", text: str = "", after: int = 0, most: int = 50
) -> Sequence[IntakeLine]:
    """Lines behind the number `after` whose key, name, column or reason holds `text`."""
    wanted = sa.select(IntakeLine).where(IntakeLine.intake_id == intake_id, IntakeLine.number > after)
    if act in ACTS:
        wanted = wanted.where(IntakeLine.act == act)
    if text := text.replace("\0", "").strip():
        columns = (IntakeLine.key, IntakeLine.name, IntakeLine.column)
        wanted = wanted.where(sa.or_(*(one.contains(text, autoescape=True) for one in columns)))
    return session.scalars(wanted.order_by(IntakeLine.number).limit(most)).all()


def _line(
    act: str, file: str, line: int | None, column: str | None, key: str | None, name: str, detail: dict[str, Any]
) -> dict[str, Any]:
    return {
        "act": act, "file": file, "line": line, "column": column or "", "key": _text(key), "name": _text(name),
        "detail": detail,
    }  # fmt: skip


def _text(value: str | None) -> str:
    return (value or "").replace("\0", "�")
