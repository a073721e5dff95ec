"""The tree of subjects residents follow, and who follows which.

A slug says where its topic stands: `childcare.checkups` lies under `childcare`. It never changes and is never given to
another subject, so that a phone that chose it years ago still gets what it chose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from content import texts as text
from database import Base, BigId, Json
from notifications import devices

MOST_TOPICS_A_DEVICE = 200
SLUG_MAX = 100
DEEPEST = 4
NAME_MAX, DESCRIPTION_MAX = 60, 300
_SLUG = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)*")


class UnknownTopics(ValueError):
    """These topics do not exist or are no longer kept."""

    def __init__(self, slugs: Iterable[str]) -> None:
        self.slugs = sorted(slugs)
        super().__init__(f"unknown topics: {', '.join(self.slugs)}")


class TopicRefused(ValueError):
    """A topic cannot be kept like this; `field` says where, `reason` why."""

    def __init__(self, field: str, reason: str) -> None:
        self.field, self.reason = field, reason
        super().__init__(f"{field}: {reason}")


class Topic(Base):
    """A subject with a slug that never changes. Never deleted: a retired one is readable, and its followers keep it."""

    __tablename__ = "topics"

    slug: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    parent_slug: Mapped[str | None] = mapped_column(sa.ForeignKey("topics.slug"))
    names: Mapped[dict[str, str]] = mapped_column(Json)
    position: Mapped[int] = mapped_column(sa.Integer, default=0)
    retired: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    descriptions: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    by_default: Mapped[bool] = mapped_column(sa.Boolean, default=False)  # an app ticks it at its first start
    optional: Mapped[bool] = mapped_column(sa.Boolean, default=True)  # False: every phone gets it


class Follow(Base):
    """A device follows a topic, and with it everything below."""

    __tablename__ = "follows"
    __table_args__ = (sa.Index(None, "device_id"), {"sqlite_with_rowid": False})

    slug: Mapped[str] = mapped_column(sa.ForeignKey("topics.slug"), primary_key=True)
    device_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)


def lineage(slug: str) -> tuple[str, ...]:
    """A topic and those above it, the nearest first: whoever follows one of them follows it."""
    parts = slug.split(".")
    return tuple(".".join(parts[:length]) for length in range(len(parts), 0, -1))


def put(
    session: Session,
    slug: str,
    names: Mapping[str, str],
    *,
    parent: str | None = None,
    position: int = 0,
    descriptions: Mapping[str, str] | None = None,
    by_default: bool = False,
    optional: bool = True,
) -> Topic:
    """Adds a topic, or changes it and brings it back from retirement; its slug and its followers stay.

    Raises TopicRefused: a slug that is none, that does not lie under `parent`, or whose parent there is not.
    """
    above = _checked_slug(session, slug)
    if parent is not None and parent != above:
        raise TopicRefused("slug", f"lies under {above}, not under {parent}")
    kept, more = _phrases(names, "names", NAME_MAX), _phrases(descriptions or {}, "descriptions", DESCRIPTION_MAX)
    if "ja" not in kept:
        raise TopicRefused("names.ja", "is required")
    topic = session.get(Topic, slug)
    if topic is None:
        topic = Topic(slug=slug, parent_slug=above)
        session.add(topic)
    topic.names, topic.descriptions = kept, more
    topic.position, topic.by_default, topic.optional, topic.retired = position, by_default, optional, False
    session.flush()
    return topic


def retire(session: Session, topic: Topic) -> None:
    """Nobody can choose it any more; whoever follows it keeps it, and it stays readable.

    Raises TopicRefused while topics below it are still offered.
    """
    below = sa.select(Topic.slug).where(Topic.parent_slug == topic.slug, ~Topic.retired).order_by(Topic.slug)
    if (offered := session.scalars(below.limit(1)).first()) is not None:
        raise TopicRefused("slug", f"{offered} below it is still offered: retire that first")
    topic.retired = True
    session.flush()


def get(session: Session, slug: str) -> Topic | None:
    """The topic of a slug, retired or not."""
    return session.get(Topic, slug) if "\0" not in slug else None


def tree(session: Session, *, retired: bool = False) -> Sequence[Topic]:
    """Every topic that can be chosen (or all there ever were), parents before children, in the order of a page."""
    wanted = sa.select(Topic).order_by(Topic.position, Topic.slug)
    topics = session.scalars(wanted if retired else wanted.where(~Topic.retired)).all()
    under: dict[str | None, list[Topic]] = {}
    for topic in topics:
        under.setdefault(topic.parent_slug, []).append(topic)

    def walk(parent: str | None) -> list[Topic]:
        return [found for topic in under.get(parent, []) for found in (topic, *walk(topic.slug))]

    return walk(None)


def exists(session: Session, slug: str) -> bool:
    """The topic is there and can be followed."""
    return session.scalar(sa.select(sa.true()).where(Topic.slug == slug, ~Topic.retired)) is not None


def may_be_left_out(session: Session, slug: str) -> bool:
    """Whether a resident may switch a topic off; whoever cannot switch off one above it cannot switch off this one."""
    locked = sa.select(sa.true()).where(Topic.slug.in_(lineage(slug)), ~Topic.optional)
    return session.scalar(locked.limit(1)) is None


def follow(session: Session, device_id: int, slugs: Sequence[str]) -> None:
    """Replaces the set of topics a device follows. Raises UnknownTopics and then changes nothing.

    A retired topic stays with whoever follows it and names it again; nobody else can take it up.
    """
    wanted = set(slugs)
    mine = sa.select(Follow.slug).where(Follow.device_id == device_id)
    offered = sa.select(Topic.slug).where(Topic.slug.in_(wanted), sa.or_(~Topic.retired, Topic.slug.in_(mine)))
    if unknown := wanted - set(session.scalars(offered)):
        raise UnknownTopics(unknown)
    devices.hold(session, device_id)
    session.execute(sa.delete(Follow).where(Follow.device_id == device_id))
    if wanted:
        session.execute(sa.insert(Follow), [{"slug": slug, "device_id": device_id} for slug in sorted(wanted)])


def followed(session: Session, device_id: int) -> list[str]:
    """The slugs a device follows, in order."""
    return list(session.scalars(sa.select(Follow.slug).where(Follow.device_id == device_id).order_by(Follow.slug)))


def counts(session: Session) -> dict[str, int]:
    """How many devices chose each topic itself; those that get it by one above it are not counted."""
    chosen = sa.select(Follow.slug, sa.func.count()).group_by(Follow.slug)
    return {row[0]: row[1] for row in session.execute(chosen)}


def followers(slug: str, after: int, most: int) -> sa.Select[int]:
    """The next devices behind an id that follow a topic or one above it: each once, rising, no more than `most`."""
    each = []
    for one in lineage(slug):
        following = sa.select(Follow.device_id).where(Follow.slug == one, Follow.device_id > after)
        # Each by its own index and no further than is needed, whatever a union of them would make of it.
        each.append(sa.select(following.order_by(Follow.device_id).limit(most).subquery().c.device_id))
    united = sa.union(*each).subquery()
    return sa.select(united.c.device_id).order_by(united.c.device_id).limit(most)


def _checked_slug(session: Session, slug: str) -> str | None:
    """The slug above. Raises TopicRefused."""
    if len(slug) > SLUG_MAX or not _SLUG.fullmatch(slug):
        raise TopicRefused("slug", "is small letters, figures and hyphens, with a dot between a topic and those above")
    if slug.count(".") >= DEEPEST:
        raise TopicRefused("slug", f"at most {DEEPEST} steps")
    above = slug.rpartition(".")[0] or None
    if above is not None and not exists(session, above):
        raise TopicRefused("slug", f"there is no topic {above} to lie under, or it is retired")
    return above


def _phrases(raw: Mapping[str, str], field: str, longest: int) -> dict[str, str]:
    for language, said in raw.items():
        if language not in text.LANGUAGES:
            raise TopicRefused(f"{field}.{language}", f"unknown language; one of {', '.join(text.LANGUAGES)}")
        if not 0 < len(said.strip()) <= longest or not said.isprintable():
            raise TopicRefused(f"{field}.{language}", f"must have 1 to {longest} printable characters")
    return {language: raw[language].strip() for language in text.LANGUAGES if language in raw}
