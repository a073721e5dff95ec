"""Whatever people try in whatever order: four eyes, the hash and the end hold."""

from __future__ import annotations

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

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

from content import editors, notices, workflow
from content.editors import Role
from content.notices import MACHINE, Conflict, Content, NoticeRefused
from content.workflow import NotAllowed

START = dt.datetime(2026, 11, 21, 6, 0, tzinfo=dt.UTC)
TOKYO = ZoneInfo("Asia/Tokyo")
PEOPLE = (Role.APPROVER, Role.DUTY_OFFICER, Role.APPROVER, Role.AUTHOR, Role.MACHINE, Role.ADMINISTRATOR)
who = st.integers(0, len(PEOPLE) - 1)
able = st.integers(0, 2)  # those who may do everything


class Desk(RuleBasedStateMachine):
    """One notice on the desk of six people who do as they please; a plain model keeps the books."""

    session = None  # set by the test

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = self.session.begin_nested()
        self.people = [
            editors.add(self.session, f"{number} {role}", role, START)[0] for number, role in enumerate(PEOPLE)
        ]
        self.now = START
        self.hands: set[int] = set()  # ids of everybody who wrote, edited or submitted
        self.submitted: tuple[str, dt.datetime] | None = None
        self.published_hash: str | None = None
        self.count = 0

    def teardown(self) -> None:
        self.savepoint.rollback()
        self.session.expunge_all()

    def _try(self, call) -> bool:
        self.count += 1
        try:
            call()
        except (NotAllowed, Conflict, NoticeRefused):
            return False
        return True

    @initialize(number=who)
    def draft(self, number):
        """By whoever may; the others are refused, and the first approver writes instead."""
        for actor in (self.people[number], self.people[0]):
            content = Content({"ja": {"title": "題", "body": "文"}})
            try:
                self.notice = notices.create(self.session, content, actor=actor, now=self.now)
            except NotAllowed:
                assert actor.role == Role.ADMINISTRATOR
                continue
            self.first_hash = notices.content_hash(self.notice)
            self.hands.add(actor.id)
            return

    @rule(number=who, text=st.sampled_from("甲乙丙"), stale=st.booleans())
    def edit(self, number, text, stale):
        actor, content = self.people[number], Content({"ja": {"title": "題", "body": text}})
        version = self.notice.version - stale
        before = self.notice.state
        if self._try(
            lambda: notices.edit(self.session, self.notice, content, actor=actor, version=version, now=self.now)
        ):
            assert not stale
            assert before in ("draft", "submitted")
            self.hands.add(actor.id)
            self.submitted = None

    @rule(number=who)
    def submit(self, number):
        actor = self.people[number]
        arguments = {"version": self.notice.version, "now": self.now, "city_tz": TOKYO}
        if self._try(lambda: notices.submit(self.session, self.notice, actor=actor, **arguments)):
            assert actor.role != Role.MACHINE
            self.hands.add(actor.id)
            self.submitted = (notices.content_hash(self.notice), self.now)

    @rule(number=who, seen=st.sampled_from(["now", "first", "never"]))
    def approve(self, number, seen):
        actor = self.people[number]
        seen = {"now": notices.content_hash(self.notice), "first": self.first_hash, "never": "0" * 64}[seen]
        bound, submitted = notices.content_hash(self.notice), self.submitted
        if self._try(lambda: notices.approve(self.session, self.notice, actor=actor, seen_hash=seen, now=self.now)):
            assert actor.id not in self.hands
            assert actor.role in (Role.APPROVER, Role.DUTY_OFFICER)
            assert submitted is not None
            assert seen == bound == submitted[0]
            assert self.now - submitted[1] <= MACHINE.approval_lapse
            self.published_hash = bound

    @rule(number=who)
    def give_back(self, number):
        actor = self.people[number]
        if self._try(lambda: notices.send_back(self.session, self.notice, actor=actor, reason="短く", now=self.now)):
            self.submitted = None

    @precondition(lambda self: self.count >= 5)
    @rule(number=who, reason=st.sampled_from([None, "誤り"]))
    def withdraw(self, number, reason):
        actor = self.people[number]
        self._try(lambda: notices.withdraw(self.session, self.notice, actor=actor, now=self.now, reason=reason))

    @rule(
        one=able,
        other=able,
        text=st.sampled_from("甲乙"),
        seen=st.sampled_from(["now", "now", "first"]),
        days=st.sampled_from([0, 0, 8]),
    )
    def release(self, one, other, text, seen, days):
        """The usual way in one go, so that its end is often reached."""
        self.edit(one, text, False)
        self.submit(one)
        self.wait(days)
        self.approve(other, seen)

    @rule(days=st.sampled_from([1, 8]))
    def wait(self, days):
        self.now += dt.timedelta(days=days)

    @invariant()
    def the_steps_tell_one_unbroken_story(self):
        past = workflow.steps(self.session, "notice", self.notice.id)
        assert past[0].from_state is None
        for earlier, later in itertools.pairwise(past):
            assert later.from_state == earlier.to_state
            assert earlier.to_state != "withdrawn"
        assert past[-1].to_state == self.notice.state
        assert len(past) == self.notice.version
        assert workflow.authors_in(MACHINE, past) == self.hands

    @invariant()
    def what_is_published_is_what_was_approved(self):
        if self.notice.state == "published":
            assert notices.content_hash(self.notice) == self.published_hash


def test_no_path_approves_own_work_revives_the_ended_or_loosens_the_hash(session):
    desk = type("BoundDesk", (Desk,), {"session": session})
    run_state_machine_as_test(desk, settings=settings(max_examples=30, stateful_step_count=15, deadline=None))
