"""Two people at once: what is sent is what the approver saw, one of two wins, and the other is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from content import workflow
from content.editors import Editor
from content.workflow import NotAllowed
from database import transaction
from notifications import drafting
from notifications.alerts import Alert, State
from notifications.drafting import Conflict
from notifications.messages import Message
from tests.notifications.builders import (
    CITY,
    INSIDE,
    NOW,
    approve,
    make_device,
    make_draft,
    make_people,
    overlapping,
    spec,
    submit,
)

LATER = {"en": {"title": "Alert Level 4 Evacuation Instruction, changed", "body": "Nobody has read this."}}


@pytest.fixture
def submitted(engine: Engine) -> str:
    """The hash of a submission that waits."""
    with transaction(engine) as session:
        people = make_people(session)
        make_device(session, INSIDE)
        return submit(session, make_draft(session, people), people.author)


def _alert(session: Session) -> Alert:
    return session.scalars(sa.select(Alert)).one()


def _person(session: Session, name: str) -> Editor:
    return session.scalars(sa.select(Editor).where(Editor.name == name)).one()


def _edit(session: Session, version: int, by: str = "author") -> None:
    actor = _person(session, by)
    drafting.edit(session, _alert(session), spec(texts=LATER), actor=actor, version=version, now=NOW, city=CITY)


def _approve(session: Session, seen: str, by: str = "approver") -> Message:
    return approve(session, _alert(session), _person(session, by), seen)


def _both(engine: Engine, first: Callable[[Session], object], second: Callable[[Session], object]) -> BaseException:
    """What the one who came second was told."""
    with pytest.raises((Conflict, NotAllowed)) as told:
        overlapping(engine, first, second)
    return told.value


def _sent(engine: Engine) -> tuple[str, list[Message], Alert]:
    with transaction(engine, "read") as session:
        alert = _alert(session)
        return alert.state, list(session.scalars(sa.select(Message))), alert


def test_an_edit_that_comes_before_an_approval_makes_it_fail(engine: Engine, submitted: str) -> None:
    with transaction(engine, "read") as session:
        version = _alert(session).version
    assert _both(engine, lambda s: _edit(s, version), lambda s: _approve(s, submitted))
    state, sent, alert = _sent(engine)
    assert (state, sent) == (State.DRAFT, [])
    assert alert.texts["en"] == LATER["en"]


def test_an_approval_that_comes_before_an_edit_sends_what_was_seen(engine: Engine, submitted: str) -> None:
    with transaction(engine, "read") as session:
        version, texts = _alert(session).version, _alert(session).texts
    assert _both(engine, lambda s: _approve(s, submitted), lambda s: _edit(s, version))
    state, sent, alert = _sent(engine)
    assert state == State.LIVE
    assert [message.texts for message in sent] == [texts]
    assert alert.texts == texts
    with transaction(engine, "read") as session:
        last = workflow.steps(session, "alert", alert.id)[-1]
        assert (last.action, last.content_hash) == ("approve", submitted)


def test_of_two_approvals_one_sends(engine: Engine, submitted: str) -> None:
    assert _both(engine, lambda s: _approve(s, submitted), lambda s: _approve(s, submitted, "other"))
    assert len(_sent(engine)[1]) == 1


def test_of_two_editors_the_second_is_told(engine: Engine, submitted: str) -> None:
    with transaction(engine, "read") as session:
        version = _alert(session).version
    told = _both(engine, lambda s: _edit(s, version), lambda s: _edit(s, version, "other"))
    assert isinstance(told, Conflict)
    assert _sent(engine)[2].version == version + 1
    assert submitted
