"""A notice's way from draft to published and back."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from content import editors, noticeboard, notices, workflow
from content.editors import Role
from content.noticeboard import Place, Wishes
from content.notices import Conflict, Content, Notice, NoticeRefused, content_of
from content.workflow import NotAllowed

NOW = dt.datetime(2026, 11, 21, 6, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
TOKYO = ZoneInfo("Asia/Tokyo")
TEXTS = {"ja": {"title": "断水のお知らせ", "body": "泉区で水道工事のため断水します。"}}


@pytest.fixture
def people(session):
    roles = {
        "author": Role.AUTHOR,
        "approver": Role.APPROVER,
        "duty": Role.DUTY_OFFICER,
        "admin": Role.ADMINISTRATOR,
        "robot": Role.MACHINE,
    }
    return SimpleNamespace(**{name: editors.add(session, name, role, NOW)[0] for name, role in roles.items()})


def _draft(session, people, **change):
    return notices.create(
        session, Content(**({"texts": TEXTS, "topic": "water"} | change)), actor=people.author, now=NOW
    )


def _submit(session, notice, actor, now=NOW, **more):
    return notices.submit(session, notice, actor=actor, version=notice.version, now=now, city_tz=TOKYO, **more)


def _published(session, people, now=NOW, **change):
    notice = _draft(session, people, **change)
    seen = _submit(session, notice, people.author, now)
    return notices.approve(session, notice, actor=people.approver, seen_hash=seen, now=now)


def test_two_people_publish_a_notice(session, people):
    notice = _draft(session, people)
    seen = _submit(session, notice, people.author)
    assert noticeboard.current(session, NOW) == []
    notices.approve(session, notice, actor=people.approver, seen_hash=seen, now=NOW + HOUR)
    assert noticeboard.current(session, NOW + HOUR) == [notice]
    assert (notice.state, notice.published_at, notice.shown_from) == ("published", NOW + HOUR, NOW + HOUR)
    told = [(s.action, s.editor.name, s.content_hash) for s in workflow.steps(session, "notice", notice.id)]
    assert told == [("draft", "author", seen), ("submit", "author", seen), ("approve", "approver", seen)]


def test_ids_come_from_the_given_randomness_and_are_22_characters(session, people):
    notice = notices.create(session, Content(), actor=people.author, now=NOW, random_bytes=lambda n: b"\xfe" * n)
    assert notice.public_id == "_v7-_v7-_v7-_v7-_v7-_g"
    assert len(_draft(session, people).public_id) == 22


def test_the_author_cannot_approve_even_with_the_right(session, people):
    notice = notices.create(session, Content(TEXTS), actor=people.approver, now=NOW)
    seen = _submit(session, notice, people.author)
    with pytest.raises(NotAllowed) as refused:
        notices.approve(session, notice, actor=people.approver, seen_hash=seen, now=NOW)
    assert refused.value.code == "own_work"
    notices.approve(session, notice, actor=people.duty, seen_hash=seen, now=NOW)
    assert notice.state == "published"


def test_an_edit_by_anybody_voids_the_submission_and_makes_him_an_author(session, people):
    notice = _draft(session, people)
    seen = _submit(session, notice, people.author)
    longer = replace(content_of(notice), texts={"ja": {"title": "断水", "body": "明日、断水します。"}})
    notices.edit(session, notice, longer, actor=people.duty, version=notice.version, now=NOW)
    assert notice.state == "draft"
    with pytest.raises(NotAllowed):
        notices.approve(session, notice, actor=people.approver, seen_hash=seen, now=NOW)
    fresh = _submit(session, notice, people.author)
    assert fresh != seen
    for actor, code in ((people.approver, "content_changed"), (people.duty, "own_work")):
        with pytest.raises(NotAllowed) as refused:
            notices.approve(session, notice, actor=actor, seen_hash=seen, now=NOW)
        assert refused.value.code == code
    notices.approve(session, notice, actor=people.approver, seen_hash=fresh, now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"texts": {"ja": {"title": "断水のお知らせ", "body": "泉区で水道工事のため断水します!"}}},
        {"topic": "fire"},
        {"topic": None},
        {"link": "https://www.city.example.jp/"},
        {"publish_at": NOW + HOUR},
        {"expires_at": NOW + HOUR},
    ],
)
def test_the_hash_moves_with_everything_a_resident_reads(session, people, change):
    notice = _draft(session, people)
    before = notices.content_hash(notice)
    notices.edit(session, notice, replace(content_of(notice), **change), actor=people.author, version=1, now=NOW)
    assert notices.content_hash(notice) != before


def test_a_content_changed_behind_the_workflow_is_not_published(session, people):
    notice = _draft(session, people)
    seen = _submit(session, notice, people.author)
    session.execute(sa.update(Notice).values(topic="fire"))
    session.refresh(notice)
    with pytest.raises(NotAllowed) as refused:
        notices.approve(session, notice, actor=people.approver, seen_hash=seen, now=NOW)
    assert refused.value.code == "content_changed"


def test_an_edit_of_an_older_version_is_a_conflict(session, people):
    notice = _draft(session, people)
    notices.edit(session, notice, content_of(notice), actor=people.duty, version=1, now=NOW)
    with pytest.raises(Conflict, match="version 1 was meant, 2 is the newest"):
        notices.edit(session, notice, content_of(notice), actor=people.author, version=1, now=NOW)
    with pytest.raises(Conflict):
        notices.submit(session, notice, actor=people.author, version=1, now=NOW, city_tz=TOKYO)


def test_whoever_read_before_another_moved_it_misses(session, people):
    """Two requests read the same row; the conditional update lets one of them through."""
    notice = _draft(session, people)
    seen = _submit(session, notice, people.author)
    session.execute(sa.update(Notice).values(version=notice.version + 1).execution_options(synchronize_session=False))
    with pytest.raises(Conflict):
        notices.approve(session, notice, actor=people.approver, seen_hash=seen, now=NOW)
    session.refresh(notice)
    assert notice.state == "submitted"
    assert [s.action for s in workflow.steps(session, "notice", notice.id)] == ["draft", "submit"]


def test_a_return_gives_the_reason_and_the_pen_back(session, people):
    notice = _draft(session, people)
    _submit(session, notice, people.author)
    with pytest.raises(NotAllowed) as refused:
        notices.send_back(session, notice, actor=people.approver, reason=" ", now=NOW)
    assert refused.value.code == "reason_missing"
    notices.send_back(session, notice, actor=people.approver, reason="時刻が抜けています", now=NOW)
    assert notice.state == "draft"
    assert workflow.steps(session, "notice", notice.id)[-1].reason == "時刻が抜けています"
    seen = _submit(session, notice, people.author)
    notices.approve(session, notice, actor=people.approver, seen_hash=seen, now=NOW)


def test_a_submission_older_than_a_week_is_submitted_again(session, people):
    notice = _draft(session, people)
    seen = _submit(session, notice, people.author)
    late = NOW + dt.timedelta(days=7, seconds=1)
    with pytest.raises(NotAllowed) as refused:
        notices.approve(session, notice, actor=people.approver, seen_hash=seen, now=late)
    assert refused.value.code == "lapsed"
    seen = _submit(session, notice, people.author, now=late)
    notices.approve(session, notice, actor=people.approver, seen_hash=seen, now=late)


def test_a_machine_drafts_and_can_do_nothing_more(session, people):
    notice = notices.create(session, Content(TEXTS), actor=people.robot, now=NOW)
    with pytest.raises(NotAllowed):
        _submit(session, notice, people.robot)
    seen = _submit(session, notice, people.author)
    for call in (
        lambda: notices.approve(session, notice, actor=people.robot, seen_hash=seen, now=NOW),
        lambda: notices.withdraw(session, notice, actor=people.robot, now=NOW),
    ):
        with pytest.raises(NotAllowed) as refused:
            call()
        assert refused.value.code == "machine"


def test_an_administrator_writes_nothing(session, people):
    with pytest.raises(NotAllowed):
        notices.create(session, Content(TEXTS), actor=people.admin, now=NOW)


def test_a_published_notice_is_withdrawn_with_a_reason_and_never_comes_back(session, people):
    notice = _published(session, people)
    with pytest.raises(NotAllowed, match="reason"):
        notices.withdraw(session, notice, actor=people.author, now=NOW)
    notices.withdraw(session, notice, actor=people.author, now=NOW + HOUR, reason="日付の誤り")
    assert (notice.state, notice.withdrawn_at) == ("withdrawn", NOW + HOUR)
    assert noticeboard.current(session, NOW + HOUR) == []
    for call in (
        lambda: notices.edit(session, notice, Content(TEXTS), actor=people.author, version=notice.version, now=NOW),
        lambda: _submit(session, notice, people.author),
        lambda: notices.withdraw(session, notice, actor=people.author, now=NOW, reason="x"),
    ):
        with pytest.raises(NotAllowed) as refused:
            call()
        assert refused.value.code == "wrong_state"


def test_a_published_notice_is_not_edited(session, people):
    notice = _published(session, people)
    with pytest.raises(NotAllowed):
        notices.edit(session, notice, Content(TEXTS), actor=people.author, version=notice.version, now=NOW)


def test_a_notice_is_shown_from_when_until_when(session, people):
    notice = _published(session, people, publish_at=NOW + HOUR, expires_at=NOW + 2 * HOUR)
    second = dt.timedelta(seconds=1)
    for moment, seen in (
        (NOW, False),
        (NOW + HOUR - second, False),
        (NOW + HOUR, True),
        (NOW + 2 * HOUR - second, True),
        (NOW + 2 * HOUR, False),
    ):
        assert bool(noticeboard.current(session, moment)) is notice.shown(moment) is seen


def test_a_publish_time_that_passed_meanwhile_means_at_once(session, people):
    notice = _draft(session, people, publish_at=NOW + HOUR)
    seen = _submit(session, notice, people.author)
    notices.approve(session, notice, actor=people.approver, seen_hash=seen, now=NOW + 2 * HOUR)
    assert notice.shown_from == NOW + 2 * HOUR


def test_the_newest_come_first_page_by_page_and_by_topic(session, people):
    first = _published(session, people)
    second = _published(session, people, now=NOW + HOUR, topic="fire")
    twins = [_published(session, people, now=NOW + 2 * HOUR) for _ in range(2)]
    later = NOW + 3 * HOUR
    assert noticeboard.current(session, later) == [twins[1], twins[0], second, first]
    assert noticeboard.current(session, later, Wishes(topic="fire")) == [second]
    assert noticeboard.current(session, later, Wishes(topic="none")) == []
    page = noticeboard.current(session, later, limit=1)
    assert page == [twins[1]]
    assert noticeboard.current(session, later, after=Place.of(page[0]), limit=2) == [twins[0], second]


def test_staff_see_every_state(session, people):
    draft, published = _draft(session, people), _published(session, people)
    assert notices.every(session) == [published, draft]
    assert notices.every(session, state="draft") == [draft]
    assert notices.every(session, after_id=published.id) == [draft]
    assert notices.by_public_id(session, draft.public_id) is draft
    assert notices.by_public_id(session, "unknown") is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"texts": {"fr": {"title": "a", "body": "b"}}}, "texts.fr"),
        ({"texts": {"ja": {"title": "a\x00", "body": "b"}}}, "texts.ja.title"),
        ({"link": "http://www.city.example.jp/"}, "link"),
        ({"link": "javascript:alert(1)"}, "link"),
        ({"link": "https://user@www.city.example.jp/"}, "link"),
        ({"link": "https://www.city.example.jp/ a"}, "link"),
        ({"link": "https://[::1"}, "link"),
        ({"link": "https://x/" + "a" * 500}, "link"),
        ({"topic": ""}, "topic"),
        ({"publish_at": NOW + HOUR, "expires_at": NOW + HOUR}, "expires_at"),
    ],
)
def test_what_cannot_be_kept_is_refused_naming_the_field(session, people, change, field):
    with pytest.raises(NoticeRefused) as refused:
        _draft(session, people, **change)
    assert [name for name, _ in refused.value.errors] == [field]
    assert notices.every(session) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"texts": {}}, "texts.ja"),
        ({"texts": {"en": {"title": "Water", "body": "No water"}}}, "texts.ja"),
        ({"texts": {"ja": {"title": "断水", "body": "人数:未入力"}}}, "texts.ja.body"),
        ({"texts": TEXTS | {"en": {"title": "Water", "body": ""}}}, "texts.en.body"),
        ({"expires_at": NOW}, "expires_at"),
    ],
)
def test_an_unfinished_notice_is_kept_as_draft_and_not_submitted(session, people, change, field):
    notice = _draft(session, people, **change)
    with pytest.raises(NoticeRefused) as refused:
        _submit(session, notice, people.author, accept_warnings=True)
    assert field in [name for name, _ in refused.value.errors]
    assert notice.state == "draft"


def test_an_anniversary_is_submitted_when_the_author_says_it_is_meant_so(session, people):
    notice = _draft(session, people, texts={"ja": {"title": "追悼式", "body": "2011年3月11日の震災から。"}})
    with pytest.raises(NoticeRefused, match="2011年3月11日"):
        _submit(session, notice, people.author)
    _submit(session, notice, people.author, accept_warnings=True)
    assert notice.state == "submitted"


def test_a_notice_that_is_over_is_not_approved(session, people):
    notice = _draft(session, people, expires_at=NOW + HOUR)
    seen = _submit(session, notice, people.author)
    with pytest.raises(NoticeRefused, match="already past"):
        notices.approve(session, notice, actor=people.approver, seen_hash=seen, now=NOW + HOUR)
