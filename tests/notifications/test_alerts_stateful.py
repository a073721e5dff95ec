"""Whatever editors try with a lineage of alerts in whatever order: four eyes, the hash, one in force, the end."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace

import pyotp
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from content import editors, workflow
from content.accounts import Account
from content.editors import Role
from content.workflow import NotAllowed
from notifications import alerts, approval, drafting, reviews
from notifications.alerts import Act, Alert, State
from notifications.dangers import DangerArea
from notifications.drafting import Conflict, DraftRefused
from notifications.messages import Lane, Message
from tests.notifications.builders import CITY, HOUR, MINUTE, NOW, TOKYO, make_device, spec

PEOPLE = (Role.APPROVER, Role.DUTY_OFFICER, Role.APPROVER, Role.AUTHOR, Role.MACHINE, Role.ADMINISTRATOR)
who = st.integers(0, len(PEOPLE) - 1)
which = st.integers(0, 30)
ENDED = {"done", "superseded", "cancelled", "lifted", "expired", "discarded"}
REFUSALS = (NotAllowed, Conflict, DraftRefused)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class Room(RuleBasedStateMachine):
    """Two lineages, one real and one drill, and six people who do as they please; plain dicts keep the books."""

    session = None  # set by the test

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = self.session.begin_nested()
        self.people = [
            editors.add(self.session, f"{number} {role}", role, NOW)[0] for number, role in enumerate(PEOPLE)
        ]
        for person in self.people:
            factor = {"login": f"p{person.id}", "totp_secret": SECRET, "totp_confirmed_at": NOW}
            self.session.add(Account(editor_id=person.id, **factor))
        make_device(self.session)
        self.now = NOW
        self.drafted: list[Alert] = []
        self.hands: dict[int, set[int]] = {}
        self.submitted: dict[int, tuple[str, dt.datetime] | None] = {}
        self.approved: dict[int, str] = {}
        self.alone: set[int] = set()
        self.spent: dict[int, int] = {}  # the last step of each person's second factor
        self.born: dict[int, bool] = {}
        self.ended: dict[int, str] = {}

    def teardown(self) -> None:
        self.savepoint.rollback()
        self.session.expunge_all()

    def _try(self, call) -> bool:
        """As a request does it: what is refused is rolled back."""
        savepoint = self.session.begin_nested()
        try:
            call()
        except REFUSALS:
            savepoint.rollback()
            return False
        savepoint.commit()
        return True

    def _hash(self, alert) -> str:
        return alerts.content_hash(alert, self.session.get_one(DangerArea, alert.danger_area_id))

    def _pick(self, number) -> Alert:
        return self.drafted[number % len(self.drafted)]

    def _add(self, actor, drill, act=Act.ORDER, follows=None) -> Alert | None:
        made = []
        if self._try(
            lambda: made.append(
                drafting.draft(
                    self.session, spec(self.now), actor=actor, drill=drill, now=self.now, city=CITY, act=act,
                    follows=follows,
                )
            )
        ):  # fmt: skip
            (alert,) = made
            self.drafted.append(alert)
            self.hands[alert.id], self.submitted[alert.id] = {actor.id}, None
            self.born[alert.id] = drill if follows is None else follows.drill
            return alert
        return None

    @initialize()
    def begin(self):
        """A real one and a drill."""
        for drill in (False, True):
            assert self._add(self.people[3], drill) is not None

    @rule(number=who, source=which, act=st.sampled_from([Act.UPDATE, Act.CANCEL, Act.ALL_CLEAR]), drill=st.booleans())
    def follow_up(self, number, source, act, drill):
        followed = self._pick(source)
        if self._add(self.people[number], drill, act, followed):
            assert followed.state_at(self.now) is State.LIVE

    @rule(number=who, one=which, level=st.sampled_from([3, 4, 5]), stale=st.booleans())
    def edit(self, number, one, level, stale):
        actor, alert = self.people[number], self._pick(one)
        before = alert.state
        changed = replace(drafting.spec_of(alert), level=level, expires_at=self.now + 2 * HOUR)
        if self._try(
            lambda: drafting.edit(
                self.session, alert, changed, actor=actor, version=alert.version - stale, now=self.now, city=CITY
            )
        ):
            assert not stale
            assert before in ("draft", "submitted")
            self.hands[alert.id].add(actor.id)
            self.submitted[alert.id] = None

    @rule(number=who, one=which)
    def submit(self, number, one):
        actor, alert = self.people[number], self._pick(one)
        if self._try(
            lambda: approval.submit(
                self.session, alert, actor=actor, version=alert.version, now=self.now, city_zone=TOKYO
            )
        ):
            assert actor.role not in (Role.MACHINE, Role.ADMINISTRATOR)
            self.hands[alert.id].add(actor.id)
            self.submitted[alert.id] = (self._hash(alert), self.now)

    @rule(number=who, one=which, seen=st.sampled_from(["now", "now", "never"]))
    def approve(self, number, one, seen):
        actor, alert = self.people[number], self._pick(one)
        bound, submitted = self._hash(alert), self.submitted[alert.id]
        shown = bound if seen == "now" else "0" * 64
        if self._try(
            lambda: approval.approve(
                self.session, alert, actor=actor, seen_hash=shown, now=self.now, public_url="https://x"
            )
        ):
            assert actor.id not in self.hands[alert.id]
            assert actor.role in (Role.APPROVER, Role.DUTY_OFFICER)
            assert submitted is not None
            assert shown == bound == submitted[0]
            assert self.now - submitted[1] <= workflow.APPROVAL_LAPSE
            self.approved[alert.id] = bound

    @rule(number=who, one=which, right=st.sampled_from([True, True, False]))
    def break_glass(self, number, one, right):
        actor, alert = self.people[number], self._pick(one)
        bound, submitted = self._hash(alert), self.submitted[alert.id]
        code = pyotp.TOTP(SECRET).at(self.now) if right else "000000"
        if self._try(
            lambda: approval.break_glass(
                self.session, alert, actor=actor, seen_hash=bound, code=code, reason="誰もいない", now=self.now,
                public_url="https://x",
            )
        ):  # fmt: skip
            assert right
            step = int(self.now.timestamp()) // 30
            assert step > self.spent.get(actor.id, 0), "a code is good once"
            assert actor.id in self.hands[alert.id]
            assert actor.role == Role.DUTY_OFFICER
            assert (alert.level, alert.drill) == (5, False)
            assert alert.act in (Act.ORDER, Act.UPDATE)
            assert submitted is not None
            assert bound == submitted[0]
            assert self.now - submitted[1] <= workflow.APPROVAL_LAPSE
            self.spent[actor.id] = step
            self.approved[alert.id] = bound
            self.alone.add(alert.id)

    @rule(one=which, wait=st.sampled_from([0, 1]), number=st.sampled_from([1, 1, 0]))
    def alone_at_night(self, one, wait, number):
        """The whole way of one person, so that its end is often reached."""
        self.edit(number, one, 5, False)
        self.submit(number, one)
        self.now += wait * MINUTE
        self.break_glass(number, one, True)

    @rule(number=who, one=which)
    def give_back(self, number, one):
        actor, alert = self.people[number], self._pick(one)
        if self._try(lambda: approval.send_back(self.session, alert, actor=actor, reason="短く", now=self.now)):
            self.submitted[alert.id] = None

    @precondition(lambda self: len(self.drafted) > 3)
    @rule(number=who, one=which)
    def discard(self, number, one):
        actor, alert = self.people[number], self._pick(one)
        if self._try(lambda: drafting.discard(self.session, alert, actor=actor, now=self.now)):
            assert alert.id not in self.approved

    @rule(author=who, approver=who, one=which, wait=st.sampled_from([0, 0, 31]))
    def release(self, author, approver, one, wait):
        """The usual way in one go, so that its end is often reached."""
        self.submit(author, one)
        self.now += wait * MINUTE
        self.approve(approver, one, "now")

    @rule(author=who, approver=who, one=which, act=st.sampled_from([Act.UPDATE, Act.CANCEL, Act.ALL_CLEAR]))
    def go_on(self, author, approver, one, act):
        """A follow-up released in one go."""
        before = len(self.drafted)
        self.follow_up(author, one, act, True)
        if len(self.drafted) > before:
            self.release(author, approver, before, 0)

    @rule(minutes=st.sampled_from([5, 31, 400]))
    def wait(self, minutes):
        self.now += minutes * MINUTE
        alerts.expire(self.session, self.now)

    @invariant()
    def nobody_released_his_own_work_and_nothing_else_was_released(self):
        for alert in self.drafted:
            if alert.issued_at is not None:
                assert self._hash(alert) == self.approved[alert.id], "what is in force is what was approved"
            else:
                assert alert.state in ("draft", "submitted", "discarded")
                assert alert.message_id is None

    @invariant()
    def what_one_person_released_is_to_be_reviewed_and_nothing_else(self):
        assert {review.alert_id for review in reviews.waiting(self.session, 100)} == self.alone

    @invariant()
    def one_of_a_lineage_is_in_force_at_most(self):
        live = [alert.thread for alert in self.drafted if alert.state == "live"]
        assert len(live) == len(set(live))

    @invariant()
    def what_ended_stays_ended(self):
        for alert in self.drafted:
            assert self.ended.get(alert.id, alert.state) == alert.state
            if alert.state in ENDED:
                self.ended[alert.id] = alert.state

    @invariant()
    def a_drill_stays_a_drill(self):
        for alert in self.drafted:
            assert alert.drill == self.born[alert.id]
            if alert.message_id is not None:
                message = self.session.get_one(Message, alert.message_id)
                assert message.drill == alert.drill
                assert (message.rank // 10 == Lane.DRILL) == alert.drill
        assert not any(alert.drill for alert in alerts.live(self.session, self.now))

    @invariant()
    def the_steps_tell_one_unbroken_story(self):
        for alert in self.drafted:
            past = workflow.steps(self.session, "alert", alert.id)
            assert past[0].from_state is None
            assert all(later.from_state == earlier.to_state for earlier, later in itertools.pairwise(past))
            assert past[-1].to_state == alert.state
            assert len(past) == alert.version
            assert workflow.authors_in(alert.machine, past) == self.hands[alert.id]


def test_no_path_releases_own_work_doubles_a_lineage_or_revives_the_ended(session):
    room = type("BoundRoom", (Room,), {"session": session})
    run_state_machine_as_test(room, settings=settings(max_examples=25, stateful_step_count=20, deadline=None))
