"""Writing an alert: what is refused, what an edit does, what the hash is bound to."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa

from content import workflow
from content.texts import LANGUAGES
from content.workflow import NotAllowed
from geo import areas
from geo.hazards import Hazard
from notifications import alerts, approval, drafting
from notifications.alerts import Act, Alert
from notifications.dangers import AreaRefused, DangerArea
from notifications.drafting import Conflict, DraftRefused
from tests.notifications.builders import (
    AREA,
    CITY,
    HOUR,
    MINUTE,
    NEXT_AREA,
    NOW,
    SECOND,
    TOKYO,
    make_alert,
    make_draft,
    spec,
    submit,
)
from tests.notifications.test_dangers import BOW_TIE, add_area


def _hash(session, alert):
    return alerts.content_hash(alert, session.get_one(DangerArea, alert.danger_area_id))


def _edit(session, alert, people, version=None, actor=None, now=NOW, **change):
    changed = replace(drafting.spec_of(alert), **change)
    version = alert.version if version is None else version
    drafting.edit(session, alert, changed, actor=actor or people.author, version=version, now=now, city=CITY)


def test_a_draft_has_reviewed_texts_in_every_language(session, people):
    alert = make_draft(session, people)
    assert set(alert.texts) == set(LANGUAGES)
    assert (alert.state, alert.version, alert.texts_edited, alert.drill) == ("draft", 1, [], False)
    assert "川沿い" in alert.texts["ja"]["title"]
    assert "避難指示" in alert.texts["ja"]["title"]
    assert "Mihon" in alert.texts["en"]["body"]
    assert drafting.findings(alert, NOW, TOKYO) == []
    assert [step.action for step in workflow.steps(session, "alert", alert.id)] == ["draft"]


def test_what_was_changed_by_hand_is_kept_and_named(session, people):
    own = {"en": {"title": "Leave now", "body": "Go up."}}
    alert = make_draft(session, people, texts=own)
    assert alert.texts["en"] == own["en"]
    assert alert.texts_edited == ["en"]
    assert set(alert.texts) == set(LANGUAGES)
    _edit(session, alert, people, level=5)
    assert alert.texts["en"] == own["en"]
    assert "緊急安全確保" in alert.texts["ja"]["title"]
    _edit(session, alert, people, texts={})
    assert alert.texts_edited == []
    assert alert.texts["en"] != own["en"]


def test_a_drill_says_so_in_every_language_and_in_words_written_by_hand(session, people):
    own = {"ja": {"title": "避難指示", "body": "高台へ。"}, "ko": {"title": "대피", "body": "대피"}}
    alert = make_draft(session, people, drill=True, texts=own)
    assert all(text["title"].startswith("【訓練】") for text in alert.texts.values())
    assert alert.texts["ja"]["body"] != own["ja"]["body"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"level": 2}, "level"),
        ({"level": None}, "level"),
        ({"hazard": Hazard.TSUNAMI, "level": 4}, "level"),
        ({"expires_at": NOW + drafting.SHORTEST - SECOND}, "expires_at"),
        ({"expires_at": NOW + drafting.LONGEST + SECOND}, "expires_at"),
        ({"area_names": {}}, "area_names.ja"),
        ({"area_names": {"ja": "一行目\n二行目"}}, "texts"),
        ({"texts": {"ja": {"title": "題"}}}, "texts"),
        ({"texts": {"tlh": {"title": "題", "body": "文"}}}, "texts"),
    ],
)
def test_a_draft_that_cannot_be_is_refused_naming_the_field(session, people, change, field):
    with pytest.raises(DraftRefused) as refused:
        make_draft(session, people, **change)
    assert [name for name, _ in refused.value.errors] == [field]
    assert session.scalars(sa.select(Alert)).all() == []


def test_a_shape_that_cannot_be_used_keeps_the_draft_as_it_was(session, people):
    alert = make_draft(session, people)
    with pytest.raises(AreaRefused):
        make_draft(session, people, polygon=BOW_TIE)
    with pytest.raises(AreaRefused, match="nowhere"):
        _edit(session, alert, people, areas=["nowhere"])
    assert (alert.version, alert.area["polygon"], alert.area["areas"]) == (1, AREA, [])


def test_named_areas_give_their_name_and_what_is_left_out(session, people):
    add_area(session, "z1", "青葉区", AREA)
    add_area(session, "z2", "宮城総合支所管内", NEXT_AREA)
    alert = make_draft(session, people, polygon=None, areas=["z1"], minus_areas=["z2"], area_names={})
    assert alert.area_names == {"ja": "青葉区〔宮城総合支所管内除く〕"}


def test_languages_that_all_named_areas_have_a_name_in_are_filled_in(session, people):
    add_area(session, "z1", "荒井", AREA)
    add_area(session, "z2", "七郷", NEXT_AREA)
    areas.get(session, "z1").names = {"en": "Arai", "ko": "아라이"}
    areas.get(session, "z2").names = {"en": "Shichigo"}
    both = {"polygon": None, "areas": ["z1", "z2"]}
    alert = make_draft(session, people, **both, area_names={})
    assert alert.area_names == {"ja": "荒井、七郷", "en": "Arai, Shichigo"}
    assert "Arai, Shichigo" in alert.texts["en"]["title"]
    assert make_draft(session, people, **both, area_names={"en": "The east"}).area_names["en"] == "The east"
    less = make_draft(session, people, polygon=None, areas=["z1"], minus_areas=["z2"], area_names={})
    assert set(less.area_names) == {"ja"}, "what is left out is said in Japanese alone"


def test_a_change_of_named_areas_changes_their_name(session, people):
    """Otherwise people of one place would read the name of another."""
    add_area(session, "z1", "荒井", AREA)
    add_area(session, "z2", "七郷", NEXT_AREA)
    alert = make_draft(session, people, polygon=None, areas=["z1"], area_names={})
    changed = drafting.changed(drafting.spec_of(alert), areas=["z1", "z2"])
    drafting.edit(session, alert, changed, actor=people.author, version=1, now=NOW, city=CITY)
    assert alert.area_names == {"ja": "荒井、七郷"}
    assert "荒井、七郷" in alert.texts["ja"]["title"]


def test_a_corner_moved_of_a_drawn_area_keeps_the_name_it_was_given(session, people):
    alert = make_draft(session, people, area_names={"ja": "川沿い", "en": "Riverside"})
    changed = drafting.changed(drafting.spec_of(alert), polygon=NEXT_AREA)
    assert changed.area_names == {"ja": "川沿い", "en": "Riverside"}
    changed = drafting.changed(drafting.spec_of(alert), polygon=NEXT_AREA, area_names={"ja": "北"})
    assert changed.area_names == {"ja": "北"}
    assert drafting.changed(drafting.spec_of(alert), level=5).area_names == alert.area_names


# The hash -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"hazard": Hazard.LANDSLIDE},
        {"level": 5},
        {"expires_at": NOW + 7 * HOUR},
        {"polygon": NEXT_AREA},
        {
            "minus_polygon": {
                "type": "Polygon",
                "coordinates": [[[140.94, 38.231], [140.945, 38.231], [140.945, 38.235]]],
            }
        },
        {"area_names": {"ja": "川沿い", "en": "Riverside"}},
        {"texts": {"ko": {"title": "제목", "body": "본문"}}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_hash_moves_with_everything_an_approval_is_bound_to(session, people, change):
    alert = make_draft(session, people)
    before = _hash(session, alert)
    _edit(session, alert, people, **change)
    assert _hash(session, alert) != before


def test_the_hash_moves_with_drill_act_and_what_is_followed(session, people):
    live, _ = make_alert(session, people)
    drafts = [
        make_draft(session, people),
        make_draft(session, people, drill=True),
        make_draft(session, people, act=Act.UPDATE, follows=live),
        make_draft(session, people, act=Act.CANCEL, follows=live),
    ]
    assert len({_hash(session, alert) for alert in drafts}) == len(drafts)


@pytest.mark.parametrize(
    "column",
    ["thread", "supersedes_id", "drill", "act", "hazard", "level", "area", "area_names", "texts", "expires_at"],
)
def test_a_bound_column_changed_behind_the_workflow_moves_the_hash(session, people, column):
    live, _ = make_alert(session, people)
    alert = make_draft(session, people)
    before = _hash(session, alert)
    value = {
        "thread": "other", "supersedes_id": live.id, "drill": True, "act": "update", "hazard": "fire", "level": 3,
        "area": {"polygon": None}, "area_names": {"ja": "x"}, "texts": {}, "expires_at": NOW,
    }[column]  # fmt: skip
    session.execute(sa.update(Alert).where(Alert.id == alert.id).values({column: value}))
    session.refresh(alert)
    assert _hash(session, alert) != before


def test_the_hash_moves_with_nothing_else(session, people):
    alert = make_draft(session, people)
    before = _hash(session, alert)
    unbound = {
        "state": "submitted", "version": 9, "submitted_at": NOW, "submitted_count": 5, "issued_at": NOW,
        "ended_at": NOW, "created_at": NOW - HOUR, "texts_edited": ["ja"],
    }  # fmt: skip
    bound = {"id", "public_id", "message_id", "thread", "act", "supersedes_id", "drill", "hazard", "level", "area",
             "area_names", "danger_area_id", "texts", "expires_at"}  # fmt: skip
    assert set(unbound) | bound == {column.name for column in Alert.__table__.columns}
    session.execute(sa.update(Alert).where(Alert.id == alert.id).values(unbound))
    session.refresh(alert)
    assert _hash(session, alert) == before


def test_the_hash_is_the_same_however_it_is_read(session, people):
    """Written in Japanese time, kept in UTC, read by another process."""
    tokyo = (NOW + 6 * HOUR).astimezone(TOKYO)
    alert = make_draft(session, people, expires_at=tokyo)
    before = _hash(session, alert)
    session.expire_all()
    assert _hash(session, alert) == before
    _edit(session, alert, people)
    assert _hash(session, alert) == before


# Editing and following ----------------------------------------------------------------------------------------------


def test_an_edit_of_an_older_version_is_a_conflict(session, people):
    alert = make_draft(session, people)
    _edit(session, alert, people, level=5)
    with pytest.raises(Conflict):
        _edit(session, alert, people, version=1, level=3)
    assert (alert.version, alert.level) == (2, 5)


def test_whoever_read_before_another_moved_it_misses(session, people):
    alert = make_draft(session, people)
    seen = submit(session, alert, people.author)
    session.execute(sa.update(Alert).values(version=alert.version + 1).execution_options(synchronize_session=False))
    with pytest.raises(Conflict):
        approval.approve(session, alert, actor=people.approver, seen_hash=seen, now=NOW, public_url="")
    with pytest.raises(Conflict):
        drafting.discard(session, alert, actor=people.author, now=NOW)


def test_an_edit_after_submission_voids_it(session, people):
    alert = make_draft(session, people)
    seen = submit(session, alert, people.author)
    _edit(session, alert, people, level=5, actor=people.duty)
    assert (alert.state, alert.submitted_at, alert.submitted_count) == ("draft", None, None)
    with pytest.raises(NotAllowed) as refused:
        approval.approve(session, alert, actor=people.approver, seen_hash=seen, now=NOW, public_url="")
    assert refused.value.code == "wrong_state"
    again = submit(session, alert, people.author)
    for actor, shown, code in ((people.approver, seen, "content_changed"), (people.duty, again, "own_work")):
        with pytest.raises(NotAllowed) as refused:
            approval.approve(session, alert, actor=actor, seen_hash=shown, now=NOW, public_url="")
        assert refused.value.code == code


@pytest.mark.parametrize("act", [Act.UPDATE, Act.CANCEL, Act.ALL_CLEAR])
@pytest.mark.parametrize("drill", [False, True])
def test_a_follow_up_stays_in_its_lineage_and_of_its_kind(session, people, act, drill):
    live, _ = make_alert(session, people, drill=drill)
    follow = make_draft(session, people, act=act, follows=live, drill=not drill)
    assert (follow.thread, follow.supersedes_id, follow.drill) == (live.thread, live.id, drill)
    assert follow.texts["ja"] != live.texts["ja"]


def test_only_what_is_in_force_is_followed_up(session, people):
    draft = make_draft(session, people)
    live, _ = make_alert(session, people)
    for alert, now in ((draft, NOW), (live, NOW + 6 * HOUR)):
        with pytest.raises(DraftRefused) as refused:
            make_draft(session, people, now, act=Act.CANCEL, follows=alert)
        assert [name for name, _ in refused.value.errors] == ["follows"]


def test_a_follow_up_has_words_of_its_own(session, people):
    own = {"ja": {"title": "【警戒レベル4 避難指示】手書き", "body": "危険な場所から全員避難。手書きの文"}}
    live, _ = make_alert(session, people, texts=own)
    fresh = drafting.fresh_spec(live)
    assert fresh.texts == {}
    assert (fresh.polygon, fresh.hazard, fresh.level, fresh.area_names) == (AREA, Hazard.FLOOD, 4, {"ja": "川沿い"})
    assert drafting.spec_of(live).texts == own


def test_what_was_discarded_stays_so(session, people):
    alert = make_draft(session, people)
    submit(session, alert, people.author)
    drafting.discard(session, alert, actor=people.author, now=NOW)
    assert (alert.state, alert.ended_at) == ("discarded", NOW)
    for call in (
        lambda: _edit(session, alert, people, level=5),
        lambda: submit(session, alert, people.author),
        lambda: drafting.discard(session, alert, actor=people.author, now=NOW),
    ):
        with pytest.raises(NotAllowed) as refused:
            call()
        assert refused.value.code == "wrong_state"


def test_a_machine_drafts_and_nothing_more_and_an_administrator_nothing(session, people):
    alert = drafting.draft(session, spec(), actor=people.robot, drill=False, now=NOW, city=CITY)
    _edit(session, alert, people, actor=people.robot, level=5)
    for call in (
        lambda: submit(session, alert, people.robot),
        lambda: drafting.discard(session, alert, actor=people.robot, now=NOW),
        lambda: drafting.draft(session, spec(), actor=people.admin, drill=False, now=NOW, city=CITY),
    ):
        with pytest.raises(NotAllowed):
            call()
    assert alert.created_at == NOW
    assert alert.expires_at - NOW == dt.timedelta(hours=6) > MINUTE
