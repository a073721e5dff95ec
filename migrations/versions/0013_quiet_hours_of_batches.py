"""Batches know the quiet hours of those in them.

Revision 0013, after 0012, 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("batches", sa.Column("quiet_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("batches", sa.Column("resume_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("batches", "resume_at")
    op.drop_column("batches", "quiet_at")
