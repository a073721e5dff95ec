"""The table of transitions, its validator and the four-eyes rule."""

from __future__ import annotations

import datetime as dt

import pytest

from content import editors, workflow
from content.editors import Action, Editor, Role
from content.workflow import Machine, NotAllowed, Transition, check

NOW = dt.datetime(2026, 11, 21, 6, 0, tzinfo=dt.UTC)
MACHINE = Machine(
    "thing",
    states=("draft", "submitted", "live", "over"),
    transitions=(
        Transition(None, "draft", "draft", Action.DRAFT, authoring=True),
        Transition("draft", "edit", "draft", Action.DRAFT, authoring=True),
        Transition("draft", "submit", "submitted", Action.SUBMIT, submitting=True),
        Transition("submitted", "return", "draft", Action.RETURN, needs_reason=True),
        Transition("submitted", "approve", "live", Action.APPROVE, approving=True),
        Transition("submitted", "break", "live", Action.BREAK_GLASS, approving=True, alone=True, needs_reason=True),
        Transition("live", "expire", "over", None),
    ),
    ended=frozenset({"over"}),
)
WHOLE = {"current_hash": "h", "seen_hash": "h", "submitted_hash": "h", "submitted_at": NOW}


def _person(role: Role, number: int = 1) -> Editor:
    return Editor(id=number, name=f"{role}{number}", role=str(role), created_at=NOW, disabled_at=None)


def _approve(actor: Editor, authors=(), now=NOW, **change) -> str:
    return check(MACHINE, "submitted", "approve", actor=actor, authors=authors, now=now, **(WHOLE | change))


def _refusal(call, *args, **kwargs) -> str:
    with pytest.raises(NotAllowed) as refused:
        call(*args, **kwargs)
    assert str(refused.value) == refused.value.reason
    return refused.value.code


@pytest.mark.parametrize("role", [Role.APPROVER, Role.DUTY_OFFICER])
def test_another_person_approves_what_was_submitted_and_seen(role):
    assert _approve(_person(role, 2), authors={1}) == "live"


@pytest.mark.parametrize("role", [Role.APPROVER, Role.DUTY_OFFICER])
def test_nobody_approves_what_he_had_a_hand_in(role):
    assert _refusal(_approve, _person(role, 2), authors={1, 2}) == "own_work"


@pytest.mark.parametrize("role", [Role.AUTHOR, Role.ADMINISTRATOR])
def test_a_role_without_the_permission_approves_nothing(role):
    assert _refusal(_approve, _person(role, 2), authors={1}) == "role"


def test_a_machine_never_approves_even_if_a_table_permitted_it(monkeypatch):
    machine = _person(Role.MACHINE, 2)
    assert _refusal(_approve, machine) == "machine"
    monkeypatch.setitem(editors.PERMISSIONS, Role.MACHINE, frozenset(Action))
    assert _refusal(_approve, machine) == "machine"


def test_a_disabled_person_approves_nothing():
    person = _person(Role.APPROVER, 2)
    person.disabled_at = NOW
    assert _refusal(_approve, person) == "role"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"seen_hash": "other"}, "content_changed"),
        ({"current_hash": "edited"}, "content_changed"),
        ({"current_hash": "edited", "seen_hash": "edited"}, "content_changed"),
        ({"submitted_hash": "older"}, "content_changed"),
        ({"seen_hash": None}, "hash_missing"),
        ({"seen_hash": ""}, "hash_missing"),
        ({"current_hash": None}, "hash_missing"),
        ({"submitted_at": None}, "not_submitted"),
        ({"submitted_hash": None}, "not_submitted"),
    ],
)
def test_an_approval_is_bound_to_the_hash_that_was_submitted_and_seen(change, code):
    assert _refusal(_approve, _person(Role.APPROVER, 2), **change) == code


def test_an_approval_lapses_half_an_hour_after_submission():
    person = _person(Role.APPROVER, 2)
    assert _approve(person, now=NOW + dt.timedelta(minutes=30)) == "live"
    assert _refusal(_approve, person, now=NOW + dt.timedelta(minutes=30, seconds=1)) == "lapsed"


@pytest.mark.parametrize(
    ("state", "action", "code"),
    [
        ("draft", "approve", "wrong_state"),
        ("live", "edit", "wrong_state"),
        ("over", "edit", "wrong_state"),
        (None, "submit", "wrong_state"),
        ("submitted", "draft", "wrong_state"),
        ("draft", "send", "unknown_action"),
        ("nowhere", "edit", "wrong_state"),
    ],
)
def test_what_the_table_does_not_have_is_refused(state, action, code):
    actor = _person(Role.DUTY_OFFICER)
    assert _refusal(check, MACHINE, state, action, actor=actor, authors=(), now=NOW, **WHOLE) == code


@pytest.mark.parametrize("reason", [None, "", "  \n"])
def test_a_return_needs_a_reason(reason):
    person = _person(Role.APPROVER)
    arguments = {"actor": person, "authors": (), "now": NOW}
    assert _refusal(check, MACHINE, "submitted", "return", reason=reason, **arguments) == "reason_missing"
    assert check(MACHINE, "submitted", "return", reason="時刻が違います", **arguments) == "draft"


def test_the_house_does_its_own_steps_and_no_others():
    assert check(MACHINE, "live", "expire", actor=None, authors=(), now=NOW) == "over"
    assert _refusal(check, MACHINE, "live", "expire", actor=_person(Role.DUTY_OFFICER), authors=(), now=NOW) == (
        "system_only"
    )
    assert _refusal(check, MACHINE, "submitted", "approve", actor=None, authors=(), now=NOW, **WHOLE) == "system_only"


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (Transition("draft", "jump", "moon", Action.DRAFT), "unknown state"),
        (Transition("moon", "jump", "draft", Action.DRAFT), "unknown state"),
        (Transition("over", "reopen", "draft", Action.DRAFT), "ended state"),
        (Transition("draft", "edit", "draft", Action.DRAFT), "twice"),
        (Transition("draft", "skip", "live", Action.APPROVE, approving=True, authoring=True), "approves and writes"),
        (Transition("draft", "skip", "live", None, approving=True), "approves and writes"),
    ],
)
def test_a_table_with_a_mistake_is_refused_when_it_is_made(row, complaint):
    with pytest.raises(ValueError, match=complaint):
        Machine("thing", MACHINE.states, (*MACHINE.transitions, row), MACHINE.ended)


def test_an_ended_state_that_does_not_exist_is_a_mistake():
    with pytest.raises(ValueError, match="not among the states"):
        Machine("thing", MACHINE.states, MACHINE.transitions, frozenset({"gone"}))


def test_a_machine_says_what_can_be_done():
    assert MACHINE.actions("submitted") == ("return", "approve", "break")
    assert MACHINE.actions("over") == ()
    assert MACHINE.authoring_actions == {"draft", "edit", "submit"}


def _people(session):
    return [editors.add(session, name, Role.APPROVER, NOW)[0] for name in ("A", "B", "C")]


def _record(session, state, action, actor, content="h", at=NOW, reason=None):
    return workflow.record(session, MACHINE, 7, state, action, actor=actor, now=at, content_hash=content, reason=reason)


def test_whoever_edited_any_earlier_version_is_no_second_person(session):
    first, second, third = _people(session)
    _record(session, None, "draft", first)
    _record(session, "draft", "edit", second)
    _record(session, "draft", "submit", first)
    approval = {"now": NOW, "current_hash": "h", "seen_hash": "h"}
    for author in (first, second):
        code = _refusal(workflow.permit, session, MACHINE, 7, "submitted", "approve", actor=author, **approval)
        assert code == "own_work"
    assert workflow.permit(session, MACHINE, 7, "submitted", "approve", actor=third, **approval) == "live"
    assert (
        _refusal(
            workflow.permit, session, MACHINE, 7, "submitted", "approve", actor=third, authors=[third.id], **approval
        )
        == "own_work"
    )


def test_who_only_returned_it_may_approve_it_later(session):
    first, second, _ = _people(session)
    _record(session, None, "draft", first)
    _record(session, "draft", "submit", first)
    _record(session, "submitted", "return", second, reason="短く")
    _record(session, "draft", "submit", first)
    approval = {"now": NOW, "current_hash": "h", "seen_hash": "h"}
    assert workflow.permit(session, MACHINE, 7, "submitted", "approve", actor=second, **approval) == "live"


def test_a_new_submission_starts_the_clock_and_binds_its_own_hash(session):
    first, second, _ = _people(session)
    _record(session, None, "draft", first)
    _record(session, "draft", "submit", first, content="old")
    _record(session, "submitted", "return", second, reason="短く")
    later = NOW + dt.timedelta(hours=2)
    _record(session, "draft", "submit", first, content="new", at=later)
    submission = workflow.last_submission(MACHINE, workflow.steps(session, "thing", 7))
    assert (submission.content_hash, submission.at) == ("new", later)
    call = (session, MACHINE, 7, "submitted", "approve")
    assert _refusal(workflow.permit, *call, actor=second, now=later, current_hash="new", seen_hash="old") == (
        "content_changed"
    )
    assert workflow.permit(*call, actor=second, now=later, current_hash="new", seen_hash="new") == "live"


def test_steps_keep_who_when_from_to_why_and_what(session):
    first, second, _ = _people(session)
    _record(session, None, "draft", first)
    _record(session, "draft", "submit", first)
    _record(session, "submitted", "return", second, reason="  時刻が違います ")
    workflow.record(session, MACHINE, 8, "live", "expire", actor=None, now=NOW, content_hash=None)
    told = [
        (s.from_state, s.to_state, s.action, s.editor.name, s.at, s.reason, s.content_hash)
        for s in workflow.steps(session, "thing", 7)
    ]
    assert told == [
        (None, "draft", "draft", "A", NOW, None, "h"),
        ("draft", "submitted", "submit", "A", NOW, None, "h"),
        ("submitted", "draft", "return", "B", NOW, "時刻が違います", "h"),
    ]
    assert workflow.steps(session, "thing", 8)[0].editor is None


def test_a_step_that_the_table_does_not_have_is_not_recorded(session):
    person = _people(session)[0]
    with pytest.raises(NotAllowed):
        _record(session, "over", "edit", person)
    assert workflow.steps(session, "thing", 7) == []


def test_a_step_is_never_changed(session):
    step = _record(session, None, "draft", _people(session)[0])
    step.reason = "nicer"
    with pytest.raises(RuntimeError, match="never changed"):
        session.flush()


def test_a_step_is_never_deleted(session):
    step = _record(session, None, "draft", _people(session)[0])
    session.delete(step)
    with pytest.raises(RuntimeError, match="never changed"):
        session.flush()


def _alone(actor: Editor, authors=(2,), **change) -> str:
    given = WHOLE | {"reason": "誰もいない", "proven": True} | change
    return check(MACHINE, "submitted", "break", actor=actor, authors=authors, now=NOW, **given)


def test_alone_one_releases_ones_own_work_with_a_reason_and_a_code():
    duty = _person(Role.DUTY_OFFICER, 2)
    assert _alone(duty) == "live"
    assert _refusal(_alone, duty, proven=False) == "second_factor"
    assert _refusal(_alone, duty, reason="") == "reason_missing"
    assert _refusal(_alone, duty, authors=(1,)) == "two_people"
    assert _refusal(_alone, duty, seen_hash="other") == "content_changed"
    assert _refusal(_alone, duty, submitted_at=NOW - dt.timedelta(minutes=31)) == "lapsed"
    for role in set(Role) - {Role.DUTY_OFFICER}:
        assert _refusal(_alone, _person(role, 2)) in ("role", "machine")


@pytest.mark.parametrize("wrong", [{"approving": False}, {"needs_reason": False}])
def test_a_table_cannot_leave_out_what_one_person_alone_must_give(wrong):
    row = {"approving": True, "needs_reason": True, "alone": True, "permission": Action.BREAK_GLASS} | wrong
    with pytest.raises(ValueError, match="alone"):
        Machine("thing", ("a", "b"), (Transition("a", "break", "b", **row),), frozenset())
