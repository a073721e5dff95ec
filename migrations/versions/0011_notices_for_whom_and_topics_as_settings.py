"""Notices: for whom, in which phase, with what attached, correcting what; topics as a page of settings.

Revision 0011, after 0010, 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _notices() -> list[sa.Column[object]]:
    return [
        sa.Column("areas", _JSON, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("from_months", sa.Integer(), nullable=True),
        sa.Column("to_months", sa.Integer(), nullable=True),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("phase_rank", sa.Integer(), nullable=False, server_default=sa.text("4")),
        sa.Column("push", sa.Text(), nullable=False, server_default="concerned"),
        sa.Column("attachments", _JSON, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("correction", _JSON, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=True),
    ]


def _topics() -> list[sa.Column[object]]:
    return [
        sa.Column("descriptions", _JSON, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("by_default", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("optional", sa.Boolean(), nullable=False, server_default=sa.true()),
    ]


def upgrade() -> None:
    for column in _notices():
        op.add_column("notices", column)
    # No foreign key: added to a table that is there, it could have no name on SQLite.
    op.add_column("notices", sa.Column("corrects_id", _BIG, nullable=True))
    op.create_index(op.f("ix_notices_corrects_id"), "notices", ["corrects_id"])
    op.create_index(op.f("ix_notices_state_phase_rank_shown_from"), "notices", ["state", "phase_rank", "shown_from"])
    for column in _topics():
        op.add_column("topics", column)
    op.create_table(
        "notice_areas",
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("notice_id", _BIG, nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name=op.f("fk_notice_areas_notice_id")),
        sa.PrimaryKeyConstraint("area_code", "notice_id", name=op.f("pk_notice_areas")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_notice_areas_notice_id"), "notice_areas", ["notice_id"])
    op.create_table(
        "notice_words",
        sa.Column("notice_id", _BIG, nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name=op.f("fk_notice_words_notice_id")),
        sa.PrimaryKeyConstraint("notice_id", "language", name=op.f("pk_notice_words")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("notice_words")
    op.drop_table("notice_areas")
    for column in reversed(_topics()):
        op.drop_column("topics", column.name)
    op.drop_index(op.f("ix_notices_state_phase_rank_shown_from"), "notices")
    op.drop_index(op.f("ix_notices_corrects_id"), "notices")
    op.drop_column("notices", "corrects_id")
    for column in reversed(_notices()):
        op.drop_column("notices", column.name)
