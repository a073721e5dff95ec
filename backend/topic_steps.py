"""City hall's steps with the topics: the staff API and the console both call these, nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import g

from backend import clock
from backend.errors import of_status
from backend.transaction import session
from content import revisions
from geo.opendata.turn import take_turn
from notifications import topics
from notifications.topics import Topic, TopicRefused

KIND = "topic"  # in the history of what people edit
SAID = ("names", "descriptions", "position", "by_default", "optional")


class SlugTaken(TopicRefused):
    """A slug is, or was, another topic's."""


def one(slug: str) -> Topic:
    """The topic of a slug, retired or not; raises Problem 404."""
    topic = topics.get(session(), slug)
    if topic is None:
        raise of_status(404, "There has never been a topic of this slug.")
    return topic


def turn() -> None:
    """Waits for whoever is changing topics; call it before anything is read that will be changed."""
    take_turn(session())


def add(slug: str, facts: Mapping[str, Any]) -> Topic:
    """Adds a topic; without a position it comes last among its siblings. Raises SlugTaken, TopicRefused."""
    turn()
    if topics.get(session(), slug) is not None:
        raise SlugTaken("slug", "This slug is, or was, a topic's: a slug never changes its meaning.")
    said = dict(facts)
    if "position" not in said:
        beside = siblings(slug)
        said["position"] = beside[-1].position + 1 if beside else 0
    with _kept(slug):
        return topics.put(session(), slug, said.pop("names"), **said)


def change(topic: Topic, facts: Mapping[str, Any], *, retired: bool | None = None) -> None:
    """Changes what `facts` names; retires or revives it where `retired` says so. Raises TopicRefused."""
    with _kept(topic.slug):
        ends = topic.retired if retired is None else retired
        if facts or not ends:
            said = {name: getattr(topic, name) for name in SAID} | dict(facts)
            topics.put(session(), topic.slug, said.pop("names"), **said)
        if ends:
            topics.retire(session(), topic)


def move(topic: Topic, *, up: bool) -> bool:
    """Changes places with the neighbour above or below among its siblings; False at the end of the row."""
    row = siblings(topic.slug)
    at = row.index(topic)
    to = at - 1 if up else at + 1
    if not 0 <= to < len(row):
        return False
    row[at], row[to] = row[to], row[at]
    for position, sibling in enumerate(row):
        if sibling.position != position:
            with _kept(sibling.slug):
                sibling.position = position
    session().flush()
    return True


def siblings(slug: str) -> list[Topic]:
    """The topics below the same one that are offered, in order, this one included where it is there."""
    above = slug.rpartition(".")[0] or None
    return [one for one in topics.tree(session(), retired=True) if one.parent_slug == above and _shown(one, slug)]


def body_of(topic: Topic) -> dict[str, Any]:
    """A topic as the history keeps it."""
    return {name: getattr(topic, name) for name in SAID} | {"retired": topic.retired}


def restore(topic: Topic, body: Mapping[str, Any]) -> None:
    """Makes an earlier state the present one, but for its place among the others. Raises TopicRefused."""
    change(topic, {name: body[name] for name in SAID if name != "position"}, retired=body["retired"])


def _shown(topic: Topic, slug: str) -> bool:
    return not topic.retired or topic.slug == slug


@contextmanager
def _kept(slug: str) -> Iterator[None]:
    """Writes what happens inside into the topic's history."""
    known = topics.get(session(), slug)
    before = body_of(known) if known is not None else None
    yield
    topic = one(slug)
    args: dict[str, Any] = {"kind": KIND, "subject": slug, "name": topic.names["ja"], "who": g.editor.name}
    revisions.record(session(), clock.now(), body=body_of(topic), before=before, **args)
