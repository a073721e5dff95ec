"""Releasing an alert: by another person, of exactly this, within its time; and what then happens."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from content import workflow
from content.texts import LANGUAGES
from content.workflow import NotAllowed
from geo import mesh
from geo.hazards import Hazard
from notifications import alerts, approval, dangers, drafting, messages, told
from notifications.alerts import Act, Alert, State
from notifications.audiences import Audience
from notifications.dispatch.batches import Batch
from notifications.drafting import DraftRefused
from notifications.messages import Lane, Message
from tests.notifications.builders import (
    AREA,
    HOUR,
    INSIDE,
    MINUTE,
    NEXT_AREA,
    NOW,
    PUBLIC_URL,
    SECOND,
    approve,
    make_alert,
    make_device,
    make_draft,
    make_phones,
    plan,
    submit,
)


def _refused(kind, call):
    with pytest.raises(kind) as refused:
        call()
    return refused.value


def _code(session, alert, actor, seen, now=NOW):
    return _refused(NotAllowed, lambda: approve(session, alert, actor, seen, now)).code


def test_two_people_release_an_alert(session, people):
    device = make_device(session, INSIDE)
    alert = make_draft(session, people)
    seen = submit(session, alert, people.author)
    assert (alert.state, alert.submitted_at, alert.submitted_count) == ("submitted", NOW, 1)
    assert alerts.live(session, NOW) == []
    message = approve(session, alert, people.approver, seen, NOW + MINUTE)
    assert (alert.state, alert.issued_at, alert.message_id) == ("live", NOW + MINUTE, message.id)
    assert alerts.live(session, NOW + MINUTE) == [alert]
    assert Audience.from_json(message.audience) == Audience(danger_area_id=alert.danger_area_id)
    assert (message.thread, message.texts, message.expires_at) == (alert.thread, alert.texts, alert.expires_at)
    assert message.link == f"{PUBLIC_URL}/v1/alerts/{alert.public_id}"
    assert message.reason == f"alert:{alert.public_id}"
    done = [(step.action, step.editor.name, step.content_hash) for step in workflow.steps(session, "alert", alert.id)]
    assert done == [("draft", "author", seen), ("submit", "author", seen), ("approve", "approver", seen)]
    assert plan(session, NOW + MINUTE) == 1
    assert told.was_told(session, message.id, device.id)


@pytest.mark.parametrize("role", ["author", "robot", "admin"])
def test_whoever_may_not_approve_does_not(session, people, role):
    alert = make_draft(session, people)
    seen = submit(session, alert, people.author)
    assert _code(session, alert, getattr(people, role), seen) in ("role", "machine")
    assert alert.state == "submitted"


def test_whoever_wrote_edited_or_submitted_never_approves(session, people):
    alert = make_draft(session, people)
    drafting.edit(
        session, alert, drafting.spec_of(alert), actor=people.approver, version=1, now=NOW, city={"ja": "見本市"}
    )
    seen = submit(session, alert, people.duty)
    assert _code(session, alert, people.approver, seen) == "own_work"
    assert _code(session, alert, people.duty, seen) == "own_work"
    approve(session, alert, people.other, seen)
    assert alert.state == "live"


def test_whoever_renewed_a_submission_has_a_hand_in_it(session, people):
    alert = make_draft(session, people)
    submit(session, alert, people.author)
    seen = submit(session, alert, people.approver)
    assert _code(session, alert, people.approver, seen) == "own_work"
    approve(session, alert, people.other, seen)


def test_an_approval_lapses_after_thirty_minutes_and_is_renewed_by_submitting_again(session, people):
    alert = make_draft(session, people)
    seen = submit(session, alert, people.author)
    late = NOW + 30 * MINUTE + SECOND
    assert _code(session, alert, people.approver, seen, late) == "lapsed"
    seen = submit(session, alert, people.author, late)
    approve(session, alert, people.approver, seen, late + 30 * MINUTE)
    assert alert.state == "live"


def test_the_city_sets_how_long_an_approval_waits(session, people):
    alert = make_draft(session, people)
    seen = submit(session, alert, people.author)

    def late(minutes):
        return approval.approve(
            session, alert, actor=people.approver, seen_hash=seen, now=NOW + 6 * MINUTE, public_url="",
            lapse=dt.timedelta(minutes=minutes),
        )  # fmt: skip

    assert _refused(NotAllowed, lambda: late(5)).code == "lapsed"
    assert late(7).origin == f"alert:{alert.public_id}"


@pytest.mark.parametrize(
    ("before", "after", "lapses"),
    [(0, 50, False), (0, 51, True), (300, 360, False), (300, 361, True), (300, 239, True)],
)
def test_an_approval_lapses_when_it_reaches_another_number_of_people(session, people, before, after, lapses):
    cell = mesh.cell_of(INSIDE)
    make_phones(session, before, [cell])
    alert = make_draft(session, people)
    seen = submit(session, alert, people.author)
    if after > before:
        make_phones(session, after - before, [cell])
    else:
        session.execute(sa.text("DELETE FROM places WHERE device_id > :most"), {"most": after})
    if lapses:
        assert _code(session, alert, people.approver, seen) == "lapsed"
        seen = submit(session, alert, people.author)
    approve(session, alert, people.approver, seen)
    assert alert.state == "live"


def test_a_lifting_reaches_whoever_was_told_however_many_that_became(session, people):
    live, _ = make_alert(session, people)
    cancel = make_draft(session, people, act=Act.CANCEL, follows=live)
    seen = submit(session, cancel, people.author)
    for _ in range(60):
        make_device(session, INSIDE)
    plan(session)
    approve(session, cancel, people.approver, seen)
    assert (cancel.state, live.state) == ("done", "cancelled")


def test_a_hash_that_is_not_the_contents_is_not_approved(session, people):
    alert = make_draft(session, people)
    seen = submit(session, alert, people.author)
    assert _code(session, alert, people.approver, "0" * 64) == "content_changed"
    assert _code(session, alert, people.approver, "") == "hash_missing"
    session.execute(sa.update(Alert).values(level=5))
    session.refresh(alert)
    assert _code(session, alert, people.approver, seen) == "content_changed"


@pytest.mark.parametrize("what", ["nothing submitted", "returned"])
def test_a_draft_is_not_approved(session, people, what):
    alert = make_draft(session, people)
    seen = submit(session, alert, people.author) if what == "returned" else "0" * 64
    if what == "returned":
        approval.send_back(session, alert, actor=people.approver, reason="区域が違います", now=NOW)
        assert workflow.steps(session, "alert", alert.id)[-1].reason == "区域が違います"
    assert _code(session, alert, people.approver, seen) == "wrong_state"


def test_a_return_needs_a_reason(session, people):
    alert = make_draft(session, people)
    submit(session, alert, people.author)
    refused = _refused(
        NotAllowed, lambda: approval.send_back(session, alert, actor=people.approver, reason=" ", now=NOW)
    )
    assert refused.code == "reason_missing"


# What bars a submission ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_that_is_missing_bars_submission(session, people, language):
    alert = make_draft(session, people)
    texts = {name: text for name, text in alert.texts.items() if name != language}
    session.execute(sa.update(Alert).values(texts=texts))
    session.refresh(alert)
    refused = _refused(DraftRefused, lambda: submit(session, alert, people.author))
    assert (f"texts.{language}", "is missing") in refused.errors


@pytest.mark.parametrize(
    ("language", "body"),
    [("ja", "人数：未入力"), ("ja", "○○地区"), ("en", "Go to {shelter}."), ("ko", "TODO"), ("zh-Hans", " ")],
)
def test_what_a_form_left_behind_bars_submission_whatever_is_accepted(session, people, language, body):
    texts = {language: {"title": "題", "body": body}}
    alert = make_draft(session, people, texts=texts)
    for accept in (False, True):
        refused = _refused(DraftRefused, lambda: submit(session, alert, people.author, accept_warnings=accept))  # noqa: B023
        assert any(field.startswith(f"texts.{language}") for field, _ in refused.errors)
    assert alert.state == "draft"


def test_a_doubt_bars_submission_until_it_is_accepted(session, people):
    body = "危険な場所から全員避難。8月1日(金)から降り続く雨です。"
    alert = make_draft(session, people, texts={"ja": {"title": "【警戒レベル4 避難指示】川沿い", "body": body}})
    refused = _refused(DraftRefused, lambda: submit(session, alert, people.author))
    assert {field for field, _ in refused.errors} == {"texts.ja.body"}
    submit(session, alert, people.author, accept_warnings=True)
    assert alert.state == "submitted"


def test_words_by_hand_that_name_another_level_bar_submission_until_accepted(session, people):
    own = {"ja": {"title": "【警戒レベル3 高齢者等避難】川沿い", "body": "危険な場所から高齢者等は避難"}}
    alert = make_draft(session, people, texts=own)
    refused = _refused(DraftRefused, lambda: submit(session, alert, people.author))
    assert {field for field, _ in refused.errors} == {"texts.ja"}
    assert any("別" in reason or "another level" in reason for _, reason in refused.errors)
    submit(session, alert, people.author, accept_warnings=True)
    assert alert.state == "submitted"


def test_what_is_about_to_end_is_neither_submitted_nor_approved(session, people):
    alert = make_draft(session, people, expires_at=NOW + HOUR)
    late = NOW + HOUR - drafting.SHORTEST + SECOND
    assert _refused(DraftRefused, lambda: submit(session, alert, people.author, late)).errors[0][0] == "expires_at"
    seen = submit(session, alert, people.author, late - 2 * SECOND)
    refused = _refused(DraftRefused, lambda: approve(session, alert, people.approver, seen, late))
    assert refused.errors[0][0] == "expires_at"
    assert alert.state == "submitted"


# Follow-ups ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "state", "ended"),
    [(Act.UPDATE, "live", "superseded"), (Act.CANCEL, "done", "cancelled"), (Act.ALL_CLEAR, "done", "lifted")],
)
@pytest.mark.parametrize("drill", [False, True])
def test_a_follow_up_ends_what_it_follows(session, people, act, state, ended, drill):
    live, first = make_alert(session, people, drill=drill)
    follow, second = make_alert(session, people, NOW + MINUTE, act=act, follows=live)
    assert (follow.state, live.state, live.ended_at) == (state, ended, NOW + MINUTE)
    assert session.get_one(Message, first.id).planning == "withdrawn"
    assert (second.thread, second.drill) == (first.thread, drill)
    audience = Audience.from_json(second.audience)
    assert audience.told_message_ids == (first.id,)
    assert audience.danger_area_id == (live.danger_area_id if act is Act.UPDATE else None)
    last = workflow.steps(session, "alert", live.id)[-1]
    assert (last.to_state, last.editor_id) == (ended, None)


def test_the_last_word_goes_to_everybody_who_was_told_anything_of_it(session, people):
    live, first = make_alert(session, people)
    update, second = make_alert(session, people, act=Act.UPDATE, follows=live)
    _, third = make_alert(session, people, act=Act.ALL_CLEAR, follows=update)
    assert Audience.from_json(third.audience).told_message_ids == (first.id, second.id)


def test_of_two_follow_ups_one_wins(session, people):
    live, _ = make_alert(session, people)
    drafts = [make_draft(session, people, act=act, follows=live) for act in (Act.UPDATE, Act.ALL_CLEAR)]
    seen = [submit(session, alert, people.author) for alert in drafts]
    approve(session, drafts[0], people.approver, seen[0])
    savepoint = session.begin_nested()
    refused = _refused(DraftRefused, lambda: approve(session, drafts[1], people.approver, seen[1]))
    savepoint.rollback()
    assert [field for field, _ in refused.errors] == ["follows"]
    assert "superseded" in refused.errors[0][1]
    assert [alert.id for alert in alerts.live(session, NOW)] == [drafts[0].id]


def test_what_expired_meanwhile_is_not_followed(session, people):
    live, _ = make_alert(session, people, expires_at=NOW + HOUR)
    cancel = make_draft(session, people, act=Act.CANCEL, follows=live)
    seen = submit(session, cancel, people.author, NOW + 50 * MINUTE)
    savepoint = session.begin_nested()
    refused = _refused(DraftRefused, lambda: approve(session, cancel, people.approver, seen, NOW + HOUR))
    savepoint.rollback()
    assert "expired" in refused.errors[0][1]


# Live, over, public -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", [Act.ORDER, Act.UPDATE, Act.CANCEL, Act.ALL_CLEAR])
def test_a_drill_never_gets_a_lane_of_the_living_nor_an_address(session, people, act):
    follows = None if act is Act.ORDER else make_alert(session, people, drill=True)[0]
    _, message = make_alert(session, people, drill=True, act=act, follows=follows, level=5)
    assert message.rank // 10 == Lane.DRILL
    assert message.drill
    assert "/v1/drills/" in message.link
    assert message.reason.startswith("drill:")
    assert all(text["title"].startswith("【訓練】") for text in message.texts.values())


@pytest.mark.parametrize(
    ("hazard", "level", "act", "rank"),
    [
        (Hazard.TSUNAMI, None, Act.ORDER, 0), (Hazard.FLOOD, 5, Act.ORDER, 0), (Hazard.FLOOD, 4, Act.ORDER, 1),
        (Hazard.FLOOD, 3, Act.ORDER, 2), (Hazard.FLOOD, 3, Act.UPDATE, 2), (Hazard.FLOOD, 4, Act.CANCEL, 11),
    ],
)  # fmt: skip
def test_the_graver_goes_first(session, people, hazard, level, act, rank):
    follows = None if act is Act.ORDER else make_alert(session, people)[0]
    _, message = make_alert(session, people, hazard=hazard, level=level, act=act, follows=follows)
    assert message.rank == rank


def test_what_is_over_is_over_to_the_second_ticked_or_not(session, people):
    alert, _ = make_alert(session, people)
    end = alert.expires_at
    assert (alert.state_at(end - SECOND), alert.state_at(end)) == (State.LIVE, State.EXPIRED)
    assert alerts.live(session, end - SECOND) == [alert]
    assert alerts.live(session, end) == []
    assert alerts.overdue(session, end - SECOND) is False
    assert alerts.overdue(session, end) is True
    assert alerts.expire(session, end) == 1
    assert alerts.expire(session, end) == 0
    assert (alert.state, alert.ended_at) == ("expired", end)
    assert workflow.steps(session, "alert", alert.id)[-1].action == "expire"


def test_the_danger_area_is_everything_in_force_and_no_drill(session, people):
    assert alerts.danger_area(session, NOW) is None
    make_alert(session, people, drill=True, polygon=NEXT_AREA)
    make_draft(session, people, polygon=NEXT_AREA)
    assert alerts.danger_area(session, NOW) is None
    first, _ = make_alert(session, people)
    second, _ = make_alert(session, people, polygon=NEXT_AREA, expires_at=NOW + HOUR)
    shapes = [dangers.shape(session.get_one(dangers.DangerArea, one.danger_area_id)) for one in (first, second)]
    assert alerts.danger_area(session, NOW).area == pytest.approx(sum(shape.area for shape in shapes))
    assert alerts.danger_area(session, NOW + HOUR).equals(shapes[0])
    make_alert(session, people, act=Act.ALL_CLEAR, follows=first)
    assert alerts.danger_area(session, NOW).equals(shapes[1])
    assert first.area["polygon"] == AREA


def test_residents_see_what_is_in_force_first_then_what_ended_lately(session, people):
    lifted, _ = make_alert(session, people)
    clear, _ = make_alert(session, people, NOW + HOUR, act=Act.ALL_CLEAR, follows=lifted)
    live, _ = make_alert(session, people, NOW - HOUR, expires_at=NOW + 10 * HOUR)
    over, _ = make_alert(session, people, expires_at=NOW + HOUR)
    make_draft(session, people)
    make_alert(session, people, drill=True)
    updated, _ = make_alert(session, people)
    update, _ = make_alert(session, people, act=Act.UPDATE, follows=updated)

    def seen(now):
        return [one.id for one in alerts.public(session, now, lifted_within=24 * HOUR)]

    assert seen(NOW + 2 * HOUR) == [update.id, live.id, over.id, clear.id, lifted.id]
    assert seen(NOW + 25 * HOUR + SECOND) == [update.id, live.id]
    assert seen(NOW + 40 * HOUR) == []


def test_an_issued_alert_says_its_thing_once(session, people):
    alert, message = make_alert(session, people)
    again = messages.post(session, approval.saying_of(session, alert, Audience(), "x"), NOW)
    assert again.id == message.id
    assert again.audience == message.audience
    assert len(session.scalars(sa.select(Message)).all()) == 1
    assert session.scalars(sa.select(Batch)).all() == []
