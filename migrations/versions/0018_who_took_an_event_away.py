"""Who took an event away: what a person withdrew, an unchanged list does not bring back.

Revision 0018, after 0017, 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("withdrawn_by", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("events", "withdrawn_by")
