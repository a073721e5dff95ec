"""The board page by page, whatever was published when and in which phase; a chain of corrections."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from content import corrections, editors, noticeboard, notices
from content.editors import Role
from content.noticeboard import Place, Wishes
from content.notices import Content, NoticeRefused, Phase

NOW = dt.datetime(2026, 11, 21, 6, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
TOKYO = ZoneInfo("Asia/Tokyo")
TEXTS = {"ja": {"title": "断水", "body": "断水します。"}}


class Desk:
    """Two people who publish."""

    def __init__(self, session):
        self.session = session
        self.author, self.second = (
            editors.add(session, name, role, NOW)[0] for name, role in (("a", Role.AUTHOR), ("b", Role.APPROVER))
        )

    def publish(self, now=NOW, corrects=None, **said):
        if corrects is not None:
            said = {"correction": {"ja": "直しました"}} | said
        notice = notices.create(
            self.session, Content(**({"texts": TEXTS} | said)), actor=self.author, now=now, corrects=corrects
        )
        seen = notices.submit(self.session, notice, actor=self.author, version=1, now=now, city_tz=TOKYO)
        return notices.approve(self.session, notice, actor=self.second, seen_hash=seen, now=now)

    def withdraw(self, notice, now):
        return notices.withdraw(self.session, notice, actor=self.author, now=now, reason="誤り")


@pytest.fixture
def desk(session):
    return Desk(session)


put = st.tuples(
    st.sampled_from([None, *Phase]), st.integers(0, 3), st.sampled_from([None, 1, 2]), st.sampled_from([None, 2, 4])
)


def test_pages_show_everything_that_is_shown_once_and_in_order(session, desk):
    @settings(max_examples=25, deadline=None)
    @given(put=st.lists(put, max_size=7), size=st.integers(1, 4), by_phase=st.booleans())
    def check(put, size, by_phase):
        savepoint = session.begin_nested()
        made = [
            desk.publish(
                NOW + at * HOUR,
                phase=phase,
                publish_at=NOW + (at + starts) * HOUR if starts else None,
                expires_at=NOW + (at + ends + 1) * HOUR if ends else None,
            )
            for phase, at, starts, ends in put
        ]
        later = NOW + 4 * HOUR
        shown = [one for one in made if one.shown(later)]
        rank = {phase: number for number, phase in enumerate([*Phase, None])}
        expected = sorted(
            shown,
            key=lambda one: (rank[one.phase] if by_phase else 0, -one.shown_from.timestamp(), -one.id),
        )
        found, after = [], None
        while page := noticeboard.current(session, later, Wishes(by_phase=by_phase), after, size):
            found += page
            after = Place.of(page[-1])
        assert found == expected
        savepoint.rollback()
        session.expunge_all()

    check()


def test_a_chain_of_corrections_shows_its_newest_and_tells_all_of_it(session, desk):
    first = desk.publish()
    second = desk.publish(NOW + HOUR, first)
    third = desk.publish(NOW + 2 * HOUR, second, publish_at=NOW + 5 * HOUR)
    for moment, shown in ((0, first), (1, second), (4, second), (5, third)):
        # What was approved later did not change what was shown before.
        assert noticeboard.current(session, NOW + moment * HOUR) == [shown]
    assert corrections.history(session, third) == [first, second]
    assert corrections.first(session, third) is first
    assert corrections.correction_of(session, second, NOW + 4 * HOUR) is None
    assert corrections.correction_of(session, second, NOW + 5 * HOUR) is third


def test_what_is_withdrawn_with_its_correction_seen_does_not_come_back(session, desk):
    wrong = desk.publish()
    right = desk.publish(NOW, wrong, publish_at=NOW + HOUR)
    desk.withdraw(right, NOW + 2 * HOUR)
    assert noticeboard.current(session, NOW + 2 * HOUR) == []
    assert corrections.correction_of(session, wrong, NOW + 2 * HOUR) is right
    with pytest.raises(NoticeRefused, match="corrected already"):
        desk.publish(NOW + 2 * HOUR, wrong)


def test_a_correction_taken_back_before_its_time_gives_the_place_back_and_the_step_is_kept(session, desk):
    wrong = desk.publish()
    desk.withdraw(desk.publish(NOW, wrong, publish_at=NOW + HOUR), NOW)
    assert noticeboard.current(session, NOW + 2 * HOUR) == [wrong]
    actions = [step.action for step in notices.workflow.steps(session, "notice", wrong.id)]
    assert actions[-2:] == ["correct", "restore"]
    assert noticeboard.current(session, NOW + 2 * HOUR + HOUR) == [wrong]
    again = desk.publish(NOW + HOUR, wrong)
    assert noticeboard.current(session, NOW + 2 * HOUR) == [again]


@pytest.mark.parametrize("state", ["draft", "withdrawn"])
def test_only_what_is_published_is_corrected(session, desk, state):
    if state == "draft":
        notice = notices.create(session, Content(TEXTS), actor=desk.author, now=NOW)
    else:
        notice = desk.withdraw(desk.publish(), NOW)
    with pytest.raises(NoticeRefused, match=state):
        notices.create(session, Content(TEXTS), actor=desk.author, now=NOW, corrects=notice)


def test_a_correction_without_a_word_on_what_it_corrects_is_not_submitted(session, desk):
    wrong = desk.publish()
    with pytest.raises(NoticeRefused, match=r"correction\.ja"):
        desk.publish(NOW, wrong, correction={"en": "Corrected"})
