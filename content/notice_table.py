"""A notice as it is kept: its columns, its states, and the hash that an approval is bound to."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from content import workflow
from content.attachments import Attachment
from content.drafts import Content
from content.editors import Action
from content.texts import Texts
from content.workflow import Machine, Transition
from database import Base, BigId, Json, UtcDateTime

MACHINE = Machine(
    "notice",
    states=("draft", "submitted", "published", "withdrawn"),
    transitions=(
        Transition(None, "draft", "draft", Action.DRAFT, authoring=True),
        Transition("draft", "edit", "draft", Action.DRAFT, authoring=True),
        Transition("submitted", "edit", "draft", Action.DRAFT, authoring=True),  # any edit voids a submission
        Transition("draft", "submit", "submitted", Action.SUBMIT, submitting=True),
        Transition("submitted", "submit", "submitted", Action.SUBMIT, submitting=True),  # renews one that lapsed
        Transition("submitted", "return", "draft", Action.RETURN, needs_reason=True),
        Transition("submitted", "approve", "published", Action.APPROVE, approving=True),
        Transition("draft", "withdraw", "withdrawn", Action.WITHDRAW),
        Transition("submitted", "withdraw", "withdrawn", Action.WITHDRAW),
        Transition("published", "withdraw", "withdrawn", Action.WITHDRAW, needs_reason=True),
        # Its correction was approved; its correction was taken back before anybody saw it.
        Transition("published", "correct", "published", None),
        Transition("published", "restore", "published", None),
    ),
    ended=frozenset({"withdrawn"}),
    # An everyday notice may wait over a long weekend; an evacuation alert has half an hour.
    approval_lapse=dt.timedelta(days=7),
)


class Notice(Base):
    """One notice. Its history is in the steps; after publication its content never changes: another corrects it."""

    __tablename__ = "notices"
    __table_args__ = (
        sa.Index(None, "state", "shown_from"),
        sa.Index(None, "state", "phase_rank", "shown_from"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(sa.Text, unique=True)
    topic: Mapped[str | None] = mapped_column(sa.Text, index=True)
    state: Mapped[str] = mapped_column(sa.Text)
    version: Mapped[int] = mapped_column(sa.Integer)
    texts: Mapped[Texts] = mapped_column(Json)
    link: Mapped[str | None] = mapped_column(sa.Text)
    publish_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)  # None: when it is approved
    expires_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[int] = mapped_column(BigId, sa.ForeignKey("editors.id"))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    published_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)  # when it was approved
    shown_from: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)  # the later of approval and publish_at
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    areas: Mapped[list[str]] = mapped_column(Json)  # codes; empty: the whole city
    from_months: Mapped[int | None] = mapped_column(sa.Integer)  # age of the child
    to_months: Mapped[int | None] = mapped_column(sa.Integer)  # the first age for which it is no longer meant
    phase: Mapped[str | None] = mapped_column(sa.Text)
    phase_rank: Mapped[int] = mapped_column(sa.Integer)
    push: Mapped[str] = mapped_column(sa.Text)
    attachments: Mapped[list[Attachment]] = mapped_column(Json)
    correction: Mapped[dict[str, str]] = mapped_column(Json)  # what it puts right
    corrects_id: Mapped[int | None] = mapped_column(BigId, index=True)  # of a notice; none is ever deleted
    corrected_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)  # from when on its correction is shown

    def shown(self, now: dt.datetime) -> bool:
        """Whether residents see it in lists at this moment."""
        begun = self.shown_from is not None and self.shown_from <= now
        over = self.expires_at is not None and self.expires_at <= now
        return self.state == "published" and begun and not over and not self.corrected(now)

    def corrected(self, now: dt.datetime) -> bool:
        """Whether a correction stands in its place by now."""
        return self.corrected_at is not None and self.corrected_at <= now

    def ever_shown(self, now: dt.datetime) -> bool:
        """Whether residents may have seen it by now; what was taken back before its time they never did."""
        if self.shown_from is None or self.shown_from > now:
            return False
        return self.withdrawn_at is None or self.withdrawn_at >= self.shown_from


_SAID = (
    "texts", "topic", "link", "publish_at", "expires_at", "areas", "from_months", "to_months", "phase", "push",
    "attachments", "correction",
)  # fmt: skip


def content_of(notice: Notice) -> Content:
    """The content as it stands, to change one thing of it."""
    return Content(**{name: getattr(notice, name) for name in _SAID})


def content_hash(notice: Notice) -> str:
    """What an approval is bound to: everything a resident will read, where it leads, whom it reaches and when."""
    bound = {name: getattr(notice, name) for name in _SAID}
    return workflow.content_hash(bound | {"public_id": notice.public_id, "corrects": notice.corrects_id})
