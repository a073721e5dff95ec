"""A published notice reaches the followers of its topic, once, from its time on."""

from __future__ import annotations

import datetime as dt

import pytest

from content import notices
from content.notices import Content
from notifications import announcements, messages, told, topics
from notifications.announcements import NEWS_FOR
from notifications.audiences import Audience
from notifications.dispatch import claims
from notifications.topics import UnknownTopics
from tests.notifications.builders import HOUR, NOW, SECOND, TEXTS, TOKYO, make_device, plan


@pytest.fixture
def followers(session):
    topics.put(session, "water", {"ja": "水道"})
    topics.put(session, "fire", {"ja": "火災"})
    made = [make_device(session) for _ in range(3)]
    for device in made[:2]:
        topics.follow(session, device.id, ["water"])
    topics.follow(session, made[2].id, ["fire"])
    return made


def _publish(session, people, **change):
    content = Content(**({"texts": {"ja": TEXTS["ja"]}, "topic": "water"} | change))
    notice = notices.create(session, content, actor=people.author, now=NOW)
    seen = notices.submit(session, notice, actor=people.author, version=1, now=NOW, city_tz=TOKYO)
    notices.approve(session, notice, actor=people.approver, seen_hash=seen, now=NOW)
    return notice


def test_the_followers_of_its_topic_are_told_once_and_nobody_else(session, people, followers):
    notice = _publish(session, people)
    message = announcements.announce(session, notice, NOW, "https://push.example.jp/")
    assert announcements.announce(session, notice, NOW + HOUR).id == message.id
    plan(session)
    assert list(told.everybody(session, message.id)) == sorted(device.id for device in followers[:2])
    assert Audience.from_json(message.audience) == Audience(topic="water")
    assert (message.reason, message.kind, message.drill) == ("topic:water", "notice", False)
    assert message.link == f"https://push.example.jp/v1/notices/{notice.public_id}"


def test_a_notice_with_a_link_opens_it(session, people, followers):
    notice = _publish(session, people, link="https://www.city.example.jp/water")
    assert announcements.announce(session, notice, NOW).link == "https://www.city.example.jp/water"


def test_a_notice_without_a_topic_rings_nobody(session, people):
    assert announcements.announce(session, _publish(session, people, topic=None), NOW) is None


def test_an_unknown_topic_is_refused(session, people):
    with pytest.raises(UnknownTopics, match="nope"):
        announcements.announce(session, _publish(session, people, topic="nope"), NOW)


def test_it_waits_for_its_time(session, people, followers):
    notice = _publish(session, people, publish_at=NOW + 2 * HOUR)
    message = announcements.announce(session, notice, NOW)
    assert (message.not_before, message.expires_at) == (NOW + 2 * HOUR, NOW + 2 * HOUR + NEWS_FOR)
    assert plan(session, NOW + 2 * HOUR - SECOND) == 0
    late = make_device(session)
    topics.follow(session, late.id, ["water"])
    assert plan(session, NOW + 2 * HOUR) == 3


@pytest.mark.parametrize(("lasts", "news"), [(HOUR, HOUR), (dt.timedelta(days=30), NEWS_FOR)])
def test_it_is_news_for_three_days_at_most(session, people, followers, lasts, news):
    notice = _publish(session, people, expires_at=NOW + lasts)
    assert announcements.announce(session, notice, NOW).expires_at == NOW + news


def test_what_is_retracted_before_it_was_planned_is_never_said(session, people, followers):
    notice = _publish(session, people)
    message = announcements.announce(session, notice, NOW)
    announcements.retract(session, notice)
    assert plan(session) == 0
    assert told.count(session, message.id) == 0


def test_what_is_retracted_later_stops_where_it_is(session, people, followers):
    notice = _publish(session, people)
    message = announcements.announce(session, notice, NOW)
    plan(session)
    announcements.retract(session, notice)
    assert claims.claim(session, "one", NOW, HOUR).withdrawn
    assert messages.by_origin(session, f"notice:{notice.public_id}").id == message.id


def test_retracting_what_was_never_said_changes_nothing(session, people):
    announcements.retract(session, _publish(session, people, topic=None))
