"""Level 5 released by one person, and the review that follows; wrong codes of a sign-in.

Revision 0016, after 0015, 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "alert_reviews",
        sa.Column("id", _id, autoincrement=True, nullable=False),
        sa.Column("alert_id", _id, nullable=False),
        sa.Column("released_by_id", _id, nullable=False),
        sa.Column("released_at", _moment, nullable=False),
        sa.Column("due_at", _moment, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("signed_at", _moment, nullable=True),
        sa.Column("signed_by_id", _id, nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_alert_reviews_alert_id")),
        sa.ForeignKeyConstraint(["released_by_id"], ["editors.id"], name=op.f("fk_alert_reviews_released_by_id")),
        sa.ForeignKeyConstraint(["signed_by_id"], ["editors.id"], name=op.f("fk_alert_reviews_signed_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_reviews")),
        sa.UniqueConstraint("alert_id", name=op.f("uq_alert_reviews_alert_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_alert_reviews_signed_at_due_at"), "alert_reviews", ["signed_at", "due_at"])
    op.add_column("sign_ins", sa.Column("wrong_codes", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("sign_ins", "wrong_codes")
    op.drop_index(op.f("ix_alert_reviews_signed_at_due_at"), table_name="alert_reviews")
    op.drop_table("alert_reviews")
