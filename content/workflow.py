"""Draft, review, approved, published, withdrawn: transitions as data, one validator, two people, every step kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, Mapper, Session, mapped_column, relationship

from content.editors import Action, Editor, Role, may
from content.fingerprint import content_hash as content_hash  # the hash that approvals are bound to
from database import Base, BigId, UtcDateTime

APPROVAL_LAPSE = dt.timedelta(minutes=30)

Code = Literal[
    "unknown_action", "wrong_state", "role", "machine", "own_work", "not_submitted", "hash_missing",
    "content_changed", "lapsed", "reason_missing", "system_only", "two_people", "second_factor",
]  # fmt: skip


class NotAllowed(Exception):
    """A step that the table or the four-eyes rule refuses; `reason` is for people, `code` for programs."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of a machine's table.

    `authoring`: whoever does it has a hand in the content and may not approve it (draft, edit, submit).
    `submitting`: binds the content's hash and starts the clock of the approval; implies authoring.
    `approving`: the four-eyes rule, the hash and the clock are checked.
    `alone`: an approval by one of those whose work it is, who gives a reason and a code of the second factor on the
    spot; whoever offers it sees to it that another person looks at it afterwards.
    `permission` None: done by the house itself (expiry, end of sending), never by a person.
    """

    from_state: str | None  # None: birth
    action: str
    to_state: str
    permission: Action | None
    authoring: bool = False
    submitting: bool = False
    approving: bool = False
    needs_reason: bool = False
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """The whole table of one kind of content. Built wrong, it raises ValueError at import."""

    subject_kind: str
    states: tuple[str, ...]
    transitions: tuple[Transition, ...]
    ended: frozenset[str]  # nothing leads out of these
    approval_lapse: dt.timedelta | None = APPROVAL_LAPSE  # None: an approval waits for ever

    def __post_init__(self) -> None:
        seen: set[tuple[str | None, str]] = set()
        for row in self.transitions:
            name = f"{self.subject_kind}: {row.from_state} --{row.action}--> {row.to_state}"
            if row.to_state not in self.states or (row.from_state is not None and row.from_state not in self.states):
                raise ValueError(f"{name} names an unknown state")
            if row.from_state in self.ended:
                raise ValueError(f"{name} leads out of an ended state")
            if (row.from_state, row.action) in seen:
                raise ValueError(f"{name} is there twice")
            if row.approving and (row.authoring or row.submitting or row.permission is None):
                raise ValueError(f"{name} approves and writes at once")
            if row.alone and not (row.approving and row.needs_reason):
                raise ValueError(f"{name} is done alone without an approval's checks or a reason")
            seen.add((row.from_state, row.action))
        if not self.ended <= set(self.states):
            raise ValueError(f"{self.subject_kind}: an ended state is not among the states")

    def transition(self, from_state: str | None, action: str) -> Transition:
        """The row for an action in a state; raises NotAllowed when there is none."""
        for row in self.transitions:
            if row.from_state == from_state and row.action == action:
                return row
        if all(row.action != action for row in self.transitions):
            raise NotAllowed("unknown_action", f"a {self.subject_kind} knows no action {action!r}")
        now = "does not exist yet" if from_state is None else f"is {from_state}"
        raise NotAllowed("wrong_state", f"{action!r} is not possible: the {self.subject_kind} {now}")

    def actions(self, from_state: str | None) -> tuple[str, ...]:
        """What can be done in a state, by somebody."""
        return tuple(row.action for row in self.transitions if row.from_state == from_state)

    @property
    def authoring_actions(self) -> frozenset[str]:
        """Actions whose doer has a hand in the content."""
        return frozenset(row.action for row in self.transitions if row.authoring or row.submitting)


class Step(Base):
    """What was done to a content, by whom, when and why, with the hash of its exact content. Only ever appended."""

    __tablename__ = "steps"
    __table_args__ = (sa.Index(None, "subject_kind", "subject_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    subject_kind: Mapped[str] = mapped_column(sa.Text)
    subject_id: Mapped[int] = mapped_column(BigId)
    from_state: Mapped[str | None] = mapped_column(sa.Text)
    to_state: Mapped[str] = mapped_column(sa.Text)
    action: Mapped[str] = mapped_column(sa.Text)
    editor_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("editors.id"))  # None: the house itself
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str | None] = mapped_column(sa.Text)
    content_hash: Mapped[str | None] = mapped_column(sa.Text)

    editor: Mapped[Editor | None] = relationship(lazy="joined", viewonly=True)


@event.listens_for(Step, "before_update")
@event.listens_for(Step, "before_delete")
def _refuse_rewriting(_mapper: Mapper[Step], _connection: Connection, step: Step) -> None:
    raise RuntimeError(f"step {step.id} is history: steps are appended, never changed or deleted")


def check(
    machine: Machine,
    from_state: str | None,
    action: str,
    *,
    actor: Editor | None,
    authors: Collection[int],
    now: dt.datetime,
    current_hash: str | None = None,
    seen_hash: str | None = None,
    submitted_hash: str | None = None,
    submitted_at: dt.datetime | None = None,
    reason: str | None = None,
    proven: bool = False,
) -> str:
    """The state an action leads to, or NotAllowed.

    `actor` None is the house itself. `authors`: ids of everybody who had a hand in the content.
    For an approval: `current_hash` is the content's hash now, `seen_hash` the one the approver
    looked at, `submitted_hash` and `submitted_at` those of the last submission. `proven`: the actor has given a
    code of the second factor for this very step.
    Source of the four-eyes rule: design §5 "Approval": another person is somebody who edited nothing of it.
    """
    row = machine.transition(from_state, action)
    if actor is None or row.permission is None:
        if actor is not None or row.permission is not None:
            raise NotAllowed(
                "system_only", f"{action!r} is done by {'a person' if actor is None else 'the house'} only"
            )
        return row.to_state
    if not may(actor, row.permission):
        code: Code = "machine" if actor.role == Role.MACHINE else "role"
        raise NotAllowed(code, f"the role {actor.role} does not permit {row.permission.value!r}")
    if row.needs_reason and not (reason or "").strip():
        raise NotAllowed("reason_missing", f"{action!r} needs a reason")
    if row.approving:
        if actor.role == Role.MACHINE:  # whatever the table of permissions says
            raise NotAllowed("machine", "a machine never approves")
        if row.alone and actor.id not in authors:
            raise NotAllowed("two_people", "you had no hand in this: with you there are two people, so approve it")
        if not row.alone and actor.id in authors:
            raise NotAllowed("own_work", "another person must approve: you wrote, edited or submitted this")
        _check_approval(machine, now, current_hash, seen_hash, submitted_hash, submitted_at)
        if row.alone and not proven:
            raise NotAllowed("second_factor", "a code of the second factor is needed for this, unused and right")
    return row.to_state


def _check_approval(
    machine: Machine,
    now: dt.datetime,
    current_hash: str | None,
    seen_hash: str | None,
    submitted_hash: str | None,
    submitted_at: dt.datetime | None,
) -> None:
    if submitted_hash is None or submitted_at is None:
        raise NotAllowed("not_submitted", "nobody has submitted this")
    if not seen_hash or not current_hash:
        raise NotAllowed("hash_missing", "an approval names the content_hash that was looked at")
    if not seen_hash == current_hash == submitted_hash:
        raise NotAllowed("content_changed", "the content is not the one that was submitted and looked at")
    if machine.approval_lapse is not None and now - submitted_at > machine.approval_lapse:
        waited = int(machine.approval_lapse.total_seconds() // 60)
        raise NotAllowed("lapsed", f"the submission is older than {waited} minutes: submit it again")


def permit(
    session: Session,
    machine: Machine,
    subject_id: int,
    from_state: str | None,
    action: str,
    *,
    actor: Editor | None,
    now: dt.datetime,
    current_hash: str | None = None,
    seen_hash: str | None = None,
    authors: Collection[int] = (),
    reason: str | None = None,
    proven: bool = False,
) -> str:
    """`check` with the history read from the steps; `authors` names further people with a hand in it.

    The caller then moves its row by one conditional UPDATE on state and version and, when that hit, calls `record`:
    whoever edits in between moves the version, and the approval misses.
    """
    past = steps(session, machine.subject_kind, subject_id) if from_state is not None else []
    submission = last_submission(machine, past)
    return check(
        machine,
        from_state,
        action,
        actor=actor,
        authors=authors_in(machine, past) | set(authors),
        now=now,
        current_hash=current_hash,
        seen_hash=seen_hash,
        submitted_hash=submission.content_hash if submission else None,
        submitted_at=submission.at if submission else None,
        reason=reason,
        proven=proven,
    )


def record(
    session: Session,
    machine: Machine,
    subject_id: int,
    from_state: str | None,
    action: str,
    *,
    actor: Editor | None,
    now: dt.datetime,
    content_hash: str | None,
    reason: str | None = None,
) -> Step:
    """Appends a permitted step. The state it leads to is read from the table: no step can tell another story."""
    step = Step(
        subject_kind=machine.subject_kind,
        subject_id=subject_id,
        from_state=from_state,
        to_state=machine.transition(from_state, action).to_state,
        action=action,
        editor_id=actor.id if actor else None,
        at=now,
        reason=(reason or "").strip() or None,
        content_hash=content_hash,
    )
    session.add(step)
    session.flush()
    return step


def steps(session: Session, subject_kind: str, subject_id: int) -> Sequence[Step]:
    """Everything that was done to a content, oldest first, each with its `editor`."""
    query = sa.select(Step).where(Step.subject_kind == subject_kind, Step.subject_id == subject_id)
    return session.scalars(query.order_by(Step.id)).all()


def authors_in(machine: Machine, past: Sequence[Step]) -> set[int]:
    """Ids of everybody who wrote, edited or submitted, however long ago."""
    return {s.editor_id for s in past if s.editor_id is not None and s.action in machine.authoring_actions}


def last_submission(machine: Machine, past: Sequence[Step]) -> Step | None:
    """The step that submitted the content last, or None."""
    for step in reversed(past):
        if any(
            t.submitting and t.action == step.action and t.from_state == step.from_state for t in machine.transitions
        ):
            return step
    return None
