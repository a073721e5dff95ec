"""Reminders, and how each phone wants to be told of everyday things.

Revision 0012, after 0011, 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_REACH = ["id", "language", "platform", "token_state"]


def upgrade() -> None:
    op.add_column("devices", sa.Column("wishes", sa.Text(), server_default="", nullable=False))
    op.drop_index("ix_devices_reach", table_name="devices")
    op.create_index("ix_devices_reach", "devices", [*_REACH, "wishes"], unique=False)
    op.create_table(
        "inbox_topics",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("device_id", _BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_inbox_topics_device_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["slug"], ["topics.slug"], name=op.f("fk_inbox_topics_slug")),
        sa.PrimaryKeyConstraint("slug", "device_id", name=op.f("pk_inbox_topics")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_inbox_topics_device_id"), "inbox_topics", ["device_id"], unique=False)
    op.create_table(
        "held_back",
        sa.Column("message_id", _BIG, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bitmap", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_held_back_message_id")),
        sa.PrimaryKeyConstraint("message_id", "why", "block", name=op.f("pk_held_back")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_held_back_block_message_id"), "held_back", ["block", "message_id"], unique=False)
    op.create_table(
        "everyday_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("day", "block", name=op.f("pk_everyday_counts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reminder_clocks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("done_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_reminder_clocks")),
    )
    op.create_table(
        "reminded_days",
        sa.Column("message_id", _BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("collected", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_reminded_days_message_id")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_reminded_days")),
    )
    op.create_index(op.f("ix_reminded_days_day"), "reminded_days", ["day"], unique=False)


def downgrade() -> None:
    for table in ("reminded_days", "reminder_clocks", "everyday_counts", "held_back", "inbox_topics"):
        op.drop_table(table)
    op.drop_index("ix_devices_reach", table_name="devices")
    op.drop_column("devices", "wishes")
    op.create_index("ix_devices_reach", "devices", _REACH, unique=False)
