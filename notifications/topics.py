"""The tree of subjects residents follow, and who follows which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, Json
from notifications import devices

MOST_TOPICS_A_DEVICE = 200


class UnknownTopics(ValueError):
    """These topics do not exist or are no longer kept."""

    def __init__(self, slugs: Iterable[str]) -> None:
        self.slugs = sorted(slugs)
        super().__init__(f"unknown topics: {', '.join(self.slugs)}")


class Topic(Base):
    """A subject with a slug that never changes."""

    __tablename__ = "topics"

    slug: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    parent_slug: Mapped[str | None] = mapped_column(sa.ForeignKey("topics.slug"))
    names: Mapped[dict[str, str]] = mapped_column(Json)
    position: Mapped[int] = mapped_column(sa.Integer, default=0)
    retired: Mapped[bool] = mapped_column(sa.Boolean, default=False)


class Follow(Base):
    """A device follows a topic."""

    __tablename__ = "follows"
    __table_args__ = (sa.Index(None, "device_id"), {"sqlite_with_rowid": False})

    slug: Mapped[str] = mapped_column(sa.ForeignKey("topics.slug"), primary_key=True)
    device_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)


def put(session: Session, slug: str, names: dict[str, str], *, parent: str | None = None, position: int = 0) -> Topic:
    """Adds a topic or renames it; its slug and its followers stay."""
    topic = session.get(Topic, slug)
    if topic is None:
        topic = Topic(slug=slug, parent_slug=parent, names=names, position=position, retired=False)
        session.add(topic)
    else:
        topic.names, topic.parent_slug, topic.position, topic.retired = names, parent, position, False
    session.flush()
    return topic


def tree(session: Session) -> Sequence[Topic]:
    """Every topic still kept, parents before children, as a settings page lists them."""
    topics = session.scalars(sa.select(Topic).where(~Topic.retired).order_by(Topic.position, Topic.slug)).all()
    under: dict[str | None, list[Topic]] = {}
    for topic in topics:
        under.setdefault(topic.parent_slug, []).append(topic)

    def walk(parent: str | None) -> list[Topic]:
        return [found for topic in under.get(parent, []) for found in (topic, *walk(topic.slug))]

    return walk(None)


def exists(session: Session, slug: str) -> bool:
    """The topic is there and can be followed."""
    return session.scalar(sa.select(sa.true()).where(Topic.slug == slug, ~Topic.retired)) is not None


def follow(session: Session, device_id: int, slugs: Sequence[str]) -> None:
    """Replaces the set of topics a device follows. Raises UnknownTopics and then changes nothing."""
    wanted = set(slugs)
    known = set(session.scalars(sa.select(Topic.slug).where(Topic.slug.in_(wanted), ~Topic.retired)))
    if wanted - known:
        raise UnknownTopics(wanted - known)
    devices.hold(session, device_id)
    session.execute(sa.delete(Follow).where(Follow.device_id == device_id))
    if wanted:
        session.execute(sa.insert(Follow), [{"slug": slug, "device_id": device_id} for slug in sorted(wanted)])


def followed(session: Session, device_id: int) -> list[str]:
    """The slugs a device follows, in order."""
    return list(session.scalars(sa.select(Follow.slug).where(Follow.device_id == device_id).order_by(Follow.slug)))
