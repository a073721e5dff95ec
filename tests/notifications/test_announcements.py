"""A published notice reaches the followers of its topic, once, from its time on."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from content import notices
from content.notices import Content
from geo.areas import Area, AreaKind, search_key
from notifications import announcements, audiences, children, dangers, messages, told, topics
from notifications.announcements import NEWS_FOR
from notifications.audiences import Audience
from notifications.children import Family
from notifications.dangers import AreaRefused
from notifications.dispatch import claims, retention
from notifications.topics import UnknownTopics
from tests.notifications.builders import (
    AREA,
    HOUR,
    INSIDE,
    NOW,
    OUTSIDE,
    SECOND,
    TEXTS,
    TOKYO,
    make_device,
    plan,
)


@pytest.fixture
def followers(session):
    topics.put(session, "water", {"ja": "水道"})
    topics.put(session, "fire", {"ja": "火災"})
    made = [make_device(session) for _ in range(3)]
    for device in made[:2]:
        topics.follow(session, device.id, ["water"])
    topics.follow(session, made[2].id, ["fire"])
    return made


def announce(session, notice, now, public_url=""):
    return announcements.announce(session, notice, now, public_url, city_zone=TOKYO)


def _publish(session, people, corrects=None, now=NOW, **change):
    content = Content(**({"texts": {"ja": TEXTS["ja"]}, "topic": "water"} | change))
    notice = notices.create(session, content, actor=people.author, now=now, corrects=corrects)
    seen = notices.submit(session, notice, actor=people.author, version=1, now=now, city_tz=TOKYO)
    notices.approve(session, notice, actor=people.approver, seen_hash=seen, now=now)
    return notice


def test_the_followers_of_its_topic_are_told_once_and_nobody_else(session, people, followers):
    notice = _publish(session, people)
    message = announce(session, notice, NOW, "https://push.example.jp/")
    assert announce(session, notice, NOW + HOUR).id == message.id
    plan(session)
    assert list(told.everybody(session, message.id)) == sorted(device.id for device in followers[:2])
    assert Audience.from_json(message.audience) == Audience(topic="water")
    assert (message.reason, message.kind, message.drill) == ("topic:water", "notice", False)
    assert message.link == f"https://push.example.jp/v1/notices/{notice.public_id}"


def test_a_notice_with_a_link_opens_it(session, people, followers):
    notice = _publish(session, people, link="https://www.city.example.jp/water")
    assert announce(session, notice, NOW).link == "https://www.city.example.jp/water"


def test_a_notice_without_a_topic_rings_nobody(session, people):
    assert announce(session, _publish(session, people, topic=None), NOW) is None


def test_an_unknown_topic_is_refused(session, people):
    with pytest.raises(UnknownTopics, match="nope"):
        announce(session, _publish(session, people, topic="nope"), NOW)


def test_it_waits_for_its_time(session, people, followers):
    notice = _publish(session, people, publish_at=NOW + 2 * HOUR)
    message = announce(session, notice, NOW)
    assert (message.not_before, message.expires_at) == (NOW + 2 * HOUR, NOW + 2 * HOUR + NEWS_FOR)
    assert plan(session, NOW + 2 * HOUR - SECOND) == 0
    late = make_device(session)
    topics.follow(session, late.id, ["water"])
    assert plan(session, NOW + 2 * HOUR) == 3


@pytest.mark.parametrize(("lasts", "news"), [(HOUR, HOUR), (dt.timedelta(days=30), NEWS_FOR)])
def test_it_is_news_for_three_days_at_most(session, people, followers, lasts, news):
    notice = _publish(session, people, expires_at=NOW + lasts)
    assert announce(session, notice, NOW).expires_at == NOW + news


def test_what_is_retracted_before_it_was_planned_is_never_said(session, people, followers):
    notice = _publish(session, people)
    message = announce(session, notice, NOW)
    announcements.retract(session, notice)
    assert plan(session) == 0
    assert told.count(session, message.id) == 0


def test_what_is_retracted_later_stops_where_it_is(session, people, followers):
    notice = _publish(session, people)
    message = announce(session, notice, NOW)
    plan(session)
    announcements.retract(session, notice)
    assert claims.claim(session, "one", NOW, HOUR).withdrawn
    assert messages.by_origin(session, f"notice:{notice.public_id}").id == message.id


def test_retracting_what_was_never_said_changes_nothing(session, people):
    announcements.retract(session, _publish(session, people, topic=None))


def _told(session, message):
    return sorted(told.everybody(session, message.id)) if message is not None else []


def _make_area(session, code, geometry=AREA):
    area = Area(
        code=code, kind=AreaKind.TOWN.value, name=code, name_kana=None, search_name=search_key(code), parent_code=None,
        lat=None, lon=None, geometry=geometry, source="test", licence=None, as_of=None, withdrawn_at=None,
    )  # fmt: skip
    session.add(area)
    session.flush()


def test_followers_of_a_topic_above_are_told_and_those_of_a_topic_below_are_not(session, people):
    for slug in ("water", "water.works", "water.works.kita"):
        topics.put(session, slug, {"ja": slug})
    phones = [make_device(session) for _ in range(4)]
    for device, chosen in zip(phones, (["water"], ["water.works"], ["water.works.kita"], []), strict=True):
        topics.follow(session, device.id, chosen)
    message = announce(session, _publish(session, people, topic="water.works"), NOW)
    plan(session)
    assert _told(session, message) == [phones[0].id, phones[1].id]


def test_a_topic_that_nobody_can_switch_off_reaches_everyone(session, people, followers):
    topics.put(session, "order", {"ja": "重要"}, optional=False)
    topics.put(session, "order.shelters", {"ja": "避難所"})
    for topic in ("order", "order.shelters"):
        message = announce(session, _publish(session, people, topic=topic), NOW)
        plan(session)
        assert _told(session, message) == sorted(device.id for device in followers)


@pytest.mark.parametrize(("push", "many"), [("none", 0), ("concerned", 2), ("everyone", 3)])
def test_the_wish_of_its_author_says_whom_it_rings(session, people, followers, push, many):
    message = announce(session, _publish(session, people, push=push), NOW)
    plan(session)
    assert len(_told(session, message)) == many


def test_a_circular_rings_in_its_area_and_of_these_only_whom_all_else_concerns(session, people):
    topics.put(session, "water", {"ja": "水道"})
    _make_area(session, "04103-荒井")
    family = Family(("2025-05",))
    phones = {}
    for at in (INSIDE, OUTSIDE):
        for follows in (True, False):
            for child in (True, False):
                device = make_device(session, at)
                topics.follow(session, device.id, ["water"] if follows else [])
                children.put(session, device.id, family if child else Family(), NOW.date())
                phones[device.id] = (at, follows, child)

    def rung(**content):
        notice = _publish(session, people, **({"topic": None} | content))
        message = announce(session, notice, NOW)
        plan(session)
        counted = audiences.count(session, announcements.audience_of(session, notice, NOW, TOKYO), NOW)
        found = _told(session, message)
        assert counted.devices == len(found)
        return {phones[one] for one in found}, message.reason

    everybody, area, ages = set(phones.values()), ["04103-荒井"], {"from_months": 12, "to_months": 24}
    inside = {one for one in everybody if one[0] is INSIDE}
    assert rung(areas=area) == (inside, "area:04103-荒井")
    assert rung(areas=area, topic="water") == ({one for one in inside if one[1]}, "topic:water area:04103-荒井")
    assert rung(areas=area, **ages) == ({one for one in inside if one[2]}, "area:04103-荒井 child")
    assert rung(topic="water", **ages) == ({one for one in everybody if one[1] and one[2]}, "topic:water child")
    assert rung(**ages) == ({one for one in everybody if one[2]}, "child")
    assert rung(from_months=36) == (set(), "child")


def test_an_age_is_that_of_the_day_on_which_a_notice_is_shown(session, people):
    device = make_device(session)
    children.put(session, device.id, Family(("2025-10",)), NOW.date())
    in_half_a_year = NOW + dt.timedelta(days=182)
    content = {"topic": None, "from_months": 12, "to_months": 24}
    assert announce(session, _publish(session, people, **content), NOW) is not None
    assert plan(session) == 0
    announce(session, _publish(session, people, publish_at=in_half_a_year, **content), NOW)
    assert plan(session, in_half_a_year) == 1


def test_an_area_without_a_boundary_cannot_be_rung_but_listed(session, people):
    _make_area(session, "04103-霞目", geometry=None)
    with pytest.raises(AreaRefused, match="has no boundary") as refused:
        announce(session, _publish(session, people, topic=None, areas=["04103-霞目"]), NOW)
    assert refused.value.field == "areas"
    assert announce(session, _publish(session, people, topic=None, areas=["04103-霞目"], push="none"), NOW) is None


def test_whom_it_would_ring_is_counted_without_writing_once_the_shape_is_at_hand(session, people, followers):
    _make_area(session, "04103-荒井")
    make_device(session, INSIDE)

    def draft(**change):
        content = Content(**({"texts": {"ja": TEXTS["ja"]}, "topic": None} | change))
        return notices.create(session, content, actor=people.author, now=NOW)

    def reach(notice):
        found = announcements.reach(session, notice, NOW, TOKYO)
        return found.devices if found is not None else None

    there = draft(areas=["04103-荒井"])
    assert reach(there) is None
    assert session.scalars(sa.select(dangers.DangerArea)).all() == []
    announcements.audience_of(session, there, NOW, TOKYO)
    assert reach(there) == 1
    assert reach(draft(topic="water")) == 2
    assert reach(draft(push="everyone")) == 4
    assert reach(draft(topic="water", push="none")) == 0
    assert not announcements.rings(draft())
    assert reach(draft()) == 0
    with pytest.raises(UnknownTopics):
        reach(draft(topic="nothing"))


def test_the_shape_of_a_circular_that_waits_is_kept_until_it_is_said(session, people):
    _make_area(session, "04103-荒井")
    device = make_device(session, INSIDE)
    at = NOW + dt.timedelta(days=30)
    message = announce(session, _publish(session, people, topic=None, areas=["04103-荒井"], publish_at=at), NOW)
    forget = next(chore for chore in retention.CHORES if chore.name == "danger_areas")
    shape = session.scalars(sa.select(dangers.DangerArea.id)).one()
    assert forget.act(session, [shape], NOW) == 0
    plan(session, at)
    assert _told(session, message) == [device.id]
    plan(session, at + dt.timedelta(hours=1))
    assert session.scalars(forget.due(retention.Keeping(), at)).all() == [shape]
    assert forget.act(session, [shape], at) == 1


def test_a_correction_replaces_on_the_phone_and_reaches_also_whoever_was_told_the_error(session, people, followers):
    wrong = _publish(session, people)
    first = announce(session, wrong, NOW)
    plan(session)
    topics.follow(session, followers[0].id, ["fire"])  # no longer a follower, but was told
    right = _publish(session, people, corrects=wrong, correction={"ja": "時刻を直しました"}, now=NOW + HOUR)
    second = announce(session, right, NOW + HOUR)
    assert second.thread == first.thread
    assert claims.claim(session, "one", NOW + HOUR, HOUR).withdrawn  # the error is told to nobody else
    assert Audience.from_json(second.audience) == Audience(topic="water", told_message_ids=(first.id,))


def test_a_correction_that_rings_nobody_still_stops_the_error(session, people, followers):
    wrong = _publish(session, people, publish_at=NOW + HOUR)
    announce(session, wrong, NOW)
    change = {"corrects": wrong, "correction": {"ja": "中止します"}, "push": "none"}
    assert announce(session, _publish(session, people, **change), NOW) is None
    assert plan(session, NOW + 2 * HOUR) == 0


def test_what_should_have_been_said_while_no_worker_was_there_is_said_once_when_one_is_back(session, people, followers):
    message = announce(session, _publish(session, people, publish_at=NOW + HOUR), NOW)
    back = NOW + 20 * HOUR
    assert plan(session, back) == 2
    assert plan(session, back + HOUR) == 0
    assert _told(session, message) == sorted(device.id for device in followers[:2])
    late = announce(session, _publish(session, people, publish_at=NOW + HOUR), NOW)
    assert plan(session, NOW + HOUR + NEWS_FOR) == 0  # no news any more: read, not rung
    assert _told(session, late) == []
