"""Browsers that a person signed in with before.

Revision 0017, after 0016, 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_browsers",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "editor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["editor_id"], ["editors.id"], name=op.f("fk_known_browsers_editor_id")),
        sa.PrimaryKeyConstraint("token_hash", "editor_id", name=op.f("pk_known_browsers")),
    )
    op.create_index(op.f("ix_known_browsers_editor_id"), "known_browsers", ["editor_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_known_browsers_editor_id"), table_name="known_browsers")
    op.drop_table("known_browsers")
