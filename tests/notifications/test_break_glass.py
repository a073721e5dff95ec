"""One person alone: only one's own level 5, with a code that is good once, and another's review that cannot be lost."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pyotp
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from content import editors, workflow
from content.accounts import Account
from content.editors import Editor, Role
from content.workflow import NotAllowed
from notifications import approval, drafting, reviews
from notifications.alerts import Act, Alert, State
from notifications.dispatch import incidents
from notifications.messages import Message
from notifications.reviews import Verdict
from tests.conftest import Store
from tests.notifications.builders import (
    CITY,
    HOUR,
    INSIDE,
    NOW,
    PUBLIC_URL,
    make_device,
    make_draft,
    make_people,
    spec,
    submit,
)

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_at(now: dt.datetime = NOW) -> str:
    return pyotp.TOTP(SECRET).at(now)


def give_factor(session: Session, *people: Editor) -> None:
    for person in people:
        account = Account(editor_id=person.id, login=f"p{person.id}", totp_secret=SECRET, totp_confirmed_at=NOW)
        session.add(account)
    session.flush()


def own(session: Session, people: SimpleNamespace, **changes: object) -> tuple[Alert, str]:
    """A level 5 that the duty officer wrote and submitted."""
    said = spec(NOW, **{"level": 5, **changes})  # type: ignore[arg-type]
    alert = drafting.draft(session, said, actor=people.duty, drill=False, now=NOW, city=CITY)
    return alert, submit(session, alert, people.duty)


def break_glass(session: Session, alert: Alert, actor: Editor, seen: str, **changes: object) -> Message:
    given = {"code": code_at(), "reason": "誰も電話に出ない", "now": NOW, "public_url": PUBLIC_URL, **changes}
    return approval.break_glass(session, alert, actor=actor, seen_hash=seen, **given)  # type: ignore[arg-type]


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """What the stores could do differently is tried in test_break_glass_races and test_alerts_stateful."""
    return sqlite_store


@pytest.fixture
def people(session: Session) -> SimpleNamespace:
    found = make_people(session)
    give_factor(session, found.duty, found.author, found.approver, found.admin)
    make_device(session, INSIDE)
    return found


def refused(session: Session, alert: Alert, actor: Editor, seen: str, **changes: object) -> str:
    with pytest.raises(NotAllowed) as told, session.begin_nested():
        break_glass(session, alert, actor, seen, **changes)
    assert alert.state == State.SUBMITTED
    assert session.scalar(sa.select(sa.func.count()).select_from(Message)) == 0
    assert not reviews.waiting(session)
    return told.value.code


def test_a_lone_duty_officer_releases_level_5_and_a_review_stays_open(
    session: Session, people: SimpleNamespace
) -> None:
    alert, seen = own(session, people)
    message = break_glass(session, alert, people.duty, seen)
    assert (alert.state, message.level) == (State.LIVE, 5)
    step = workflow.steps(session, "alert", alert.id)[-1]
    assert (step.action, step.reason, step.content_hash) == ("break_glass", "誰も電話に出ない", seen)
    (review,) = reviews.waiting(session)
    assert (review.alert.id, review.released_by.name, review.due_at) == (alert.id, "duty", NOW + 24 * HOUR)
    assert reviews.untouched(session, review)
    alert.area_names = {"ja": "書き換えた"}
    assert not reviews.untouched(session, review)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"code": "000000"}, "second_factor"),
        ({"code": ""}, "second_factor"),
        ({"code": code_at(NOW - HOUR)}, "second_factor"),
        ({"reason": " "}, "reason_missing"),
        ({"now": NOW + HOUR, "code": code_at(NOW + HOUR)}, "lapsed"),
    ],
)
def test_without_a_new_code_and_a_reason_in_time_nothing_happens(
    session: Session, people: SimpleNamespace, changes: dict[str, object], code: str
) -> None:
    alert, seen = own(session, people)
    assert refused(session, alert, people.duty, seen, **changes) == code
    assert refused(session, alert, people.duty, "0" * 64) == "content_changed"


def test_nothing_but_ones_own_real_level_5_can_be_released_alone(session: Session, people: SimpleNamespace) -> None:
    four, seen = own(session, people, level=4)
    assert refused(session, four, people.duty, seen) == "unknown_action"
    drill = drafting.draft(session, spec(NOW, level=5), actor=people.duty, drill=True, now=NOW, city=CITY)
    assert refused(session, drill, people.duty, submit(session, drill, people.duty)) == "unknown_action"
    others = make_draft(session, people, level=5)
    theirs = submit(session, others, people.author)
    assert refused(session, others, people.duty, theirs) == "two_people"
    for person in (people.author, people.approver, people.admin, people.robot):
        assert refused(session, others, person, theirs) in ("role", "machine")
    lonely = editors.add(session, "鍵だけの当直", Role.DUTY_OFFICER, NOW)[0]
    keyed = drafting.draft(session, spec(NOW, level=5), actor=lonely, drill=False, now=NOW, city=CITY)
    assert refused(session, keyed, lonely, submit(session, keyed, lonely)) == "second_factor"


def test_a_lifting_still_takes_two_people(session: Session, people: SimpleNamespace) -> None:
    alert, seen = own(session, people)
    break_glass(session, alert, people.duty, seen)
    lift = drafting.draft(
        session, spec(NOW, level=5), actor=people.duty, drill=False, now=NOW, city=CITY, act=Act.CANCEL, follows=alert
    )
    bound = submit(session, lift, people.duty)
    with pytest.raises(NotAllowed) as told:
        break_glass(session, lift, people.duty, bound)
    assert told.value.code == "unknown_action"


def test_a_code_is_good_once(session: Session, people: SimpleNamespace) -> None:
    (first, seen), (second, also) = own(session, people), own(session, people)
    break_glass(session, first, people.duty, seen)
    with pytest.raises(NotAllowed) as told:
        break_glass(session, second, people.duty, also)
    assert told.value.code == "second_factor"
    later = NOW + dt.timedelta(seconds=60)
    break_glass(session, second, people.duty, also, code=code_at(later), now=later)
    assert len(reviews.waiting(session)) == 2


def test_another_person_signs_once_and_nobody_who_had_a_hand_in_it(session: Session, people: SimpleNamespace) -> None:
    alert, _ = own(session, people)
    drafting.edit(
        session, alert, spec(NOW, level=5), actor=people.other, version=alert.version, now=NOW, city=CITY
    )  # fmt: skip
    break_glass(session, alert, people.duty, submit(session, alert, people.duty))
    (review,) = reviews.waiting(session)
    for person, note, code in (
        (people.duty, "よい", "own_work"),
        (people.other, "よい", "own_work"),
        (people.author, "よい", "role"),
        (people.admin, "よい", "role"),
        (people.approver, " ", "reason_missing"),
    ):
        with pytest.raises(NotAllowed) as told:
            reviews.sign(session, review, actor=person, verdict=Verdict.RIGHT, note=note, now=NOW)
        assert told.value.code == code
    reviews.sign(session, review, actor=people.approver, verdict=Verdict.RIGHT, note="妥当", now=NOW)
    assert not reviews.waiting(session)
    assert review.signed_by is not None
    assert (review.signed_by.name, review.verdict, review.note) == ("approver", "right", "妥当")
    with pytest.raises(NotAllowed) as told:
        reviews.sign(session, review, actor=people.approver, verdict=Verdict.WRONG, note="やはり", now=NOW)
    assert told.value.code == "wrong_state"


def test_an_overdue_review_calls_the_operator_until_somebody_signs(session: Session, people: SimpleNamespace) -> None:
    alert, seen = own(session, people)
    break_glass(session, alert, people.duty, seen)
    assert reviews.call(session, NOW + 23 * HOUR) == 0
    assert incidents.to_page(session) is None
    late = NOW + 24 * HOUR
    assert [reviews.call(session, late), reviews.call(session, late)] == [1, 1]
    incident = incidents.to_page(session)
    assert incident is not None
    assert (incident.kind, incident.times) == ("review", 1)
    assert alert.public_id in incident.detail
    assert incidents.resolve(session, incident.id, "duty", late) == 0
    reviews.call(session, late)
    assert incidents.to_page(session) is not None
    (review,) = reviews.waiting(session)
    reviews.sign(session, review, actor=people.other, verdict=Verdict.WRONG, note="誤り", now=late)
    assert not incidents.open_ones(session)
    assert reviews.call(session, late) == 0
