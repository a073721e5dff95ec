"""Topics and who follows them."""

from __future__ import annotations

import pytest

from database import transaction
from notifications import topics
from notifications.topics import TopicRefused, UnknownTopics
from tests.notifications.builders import make_device, overlapping


@pytest.fixture
def kept(session):
    for slug, parent, position in (("garbage", None, 2), ("garbage.kita", "garbage", 0), ("child", None, 1)):
        topics.put(session, slug, {"ja": slug}, parent=parent, position=position)


def test_an_unknown_topic_is_refused_by_name_and_nothing_changes(session, kept):
    device = make_device(session)
    topics.follow(session, device.id, ["child"])
    with pytest.raises(UnknownTopics, match="unknown topics: a, b") as refused:
        topics.follow(session, device.id, ["garbage", "b", "a"])
    assert refused.value.slugs == ["a", "b"]
    assert topics.followed(session, device.id) == ["child"]


def test_following_replaces_the_whole_set(session, kept):
    device, neighbour = make_device(session), make_device(session)
    topics.follow(session, neighbour.id, ["garbage"])
    topics.follow(session, device.id, ["child", "garbage", "child"])
    assert topics.followed(session, device.id) == ["child", "garbage"]
    topics.follow(session, device.id, ["garbage.kita"])
    assert topics.followed(session, device.id) == ["garbage.kita"]
    topics.follow(session, device.id, [])
    assert topics.followed(session, device.id) == []
    assert topics.followed(session, neighbour.id) == ["garbage"]


def test_a_retired_topic_is_not_followed_any_more_but_keeps_its_followers(session, kept):
    device = make_device(session)
    topics.follow(session, device.id, ["garbage"])
    topic = topics.put(session, "garbage", {"ja": "ごみ"})
    topic.retired = True
    session.flush()
    assert not topics.exists(session, "garbage")
    with pytest.raises(UnknownTopics):
        topics.follow(session, make_device(session).id, ["garbage"])
    topics.follow(session, device.id, ["child", "garbage"])  # the whole set, as an app sends it
    assert topics.followed(session, device.id) == ["child", "garbage"]
    topics.follow(session, device.id, ["child"])
    with pytest.raises(UnknownTopics):
        topics.follow(session, device.id, ["garbage"])
    assert not topics.exists(session, "none")


def test_a_topic_is_retired_after_those_below_it_and_stays_readable(session, kept):
    garbage = topics.get(session, "garbage")
    with pytest.raises(TopicRefused, match=r"garbage\.kita below it is still offered"):
        topics.retire(session, garbage)
    for slug in ("garbage.kita", "garbage"):
        topics.retire(session, topics.get(session, slug))
    assert [one.slug for one in topics.tree(session)] == ["child"]
    assert [one.slug for one in topics.tree(session, retired=True)] == ["child", "garbage", "garbage.kita"]
    assert topics.get(session, "garbage").names == {"ja": "garbage"}


@pytest.mark.parametrize(
    ("slug", "more", "field"),
    [
        ("Garbage", {}, "slug"),
        ("ごみ", {}, "slug"),
        ("born:2026-03", {}, "slug"),
        ("garbage.", {}, "slug"),
        ("a" * 101, {}, "slug"),
        ("nowhere.kita", {}, "slug"),
        ("garbage.minami", {"parent": "child"}, "slug"),
        ("garbage.a.b.c.d", {}, "slug"),
        ("new", {"names": {"en": "New"}}, "names.ja"),
        ("new", {"names": {"ja": "新", "fr": "nouveau"}}, "names.fr"),
        ("new", {"names": {"ja": "新" * 61}}, "names.ja"),
        ("new", {"descriptions": {"ja": " "}}, "descriptions.ja"),
    ],
)
def test_a_topic_that_cannot_be_kept_is_refused_naming_the_field(session, kept, slug, more, field):
    with pytest.raises(TopicRefused) as refused:
        topics.put(session, slug, **({"names": {"ja": "題"}} | more))
    assert refused.value.field == field
    assert len(topics.tree(session, retired=True)) == 3


def test_whoever_follows_a_topic_follows_what_lies_below_it_and_is_listed_once(session, kept):
    phones = [make_device(session) for _ in range(6)]
    choices = (["garbage"], ["garbage.kita"], ["garbage", "garbage.kita"], ["child"], [], ["garbage.kita"])
    for device, chosen in zip(phones, choices, strict=True):
        topics.follow(session, device.id, chosen)

    def listed(slug, most=2):
        found, after = [], 0
        while page := session.scalars(topics.followers(slug, after, most)).all():
            assert len(page) <= most
            found += page
            after = page[-1]
        return [[device.id for device in phones].index(one) for one in found]

    assert listed("garbage.kita") == listed("garbage.kita", 100) == [0, 1, 2, 5]
    assert listed("garbage") == [0, 2]
    assert topics.lineage("a.b.c") == ("a.b.c", "a.b", "a")


def test_a_renamed_topic_keeps_its_followers_and_comes_back_from_retirement(session, kept):
    device = make_device(session)
    topics.follow(session, device.id, ["child"])
    topics.put(session, "child", {"ja": "こども"}).retired = True
    session.flush()
    assert topics.put(session, "child", {"ja": "子ども"}, position=1).names == {"ja": "子ども"}
    assert topics.exists(session, "child")
    assert topics.followed(session, device.id) == ["child"]


def test_the_tree_lists_parents_before_children(session, kept):
    assert [topic.slug for topic in topics.tree(session)] == ["child", "garbage", "garbage.kita"]


def test_a_choice_sent_twice_at_once_is_kept_once(engine):
    with transaction(engine) as session:
        for slug in ("child", "garbage"):
            topics.put(session, slug, {"ja": slug})
        device = make_device(session)

    def follow(session):
        topics.follow(session, device.id, ["child", "garbage"])

    overlapping(engine, follow, follow)
    with transaction(engine, "read") as session:
        assert topics.followed(session, device.id) == ["child", "garbage"]
