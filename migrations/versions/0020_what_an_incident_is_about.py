"""What an incident is about: each overdue review is one of its own, and the operator is called for each.

Revision 0020, after 0019, 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_OPEN = sa.text("closed_at IS NULL")
_END = "UPDATE incidents SET closed_at = seen_at, closed_by = 'upgrade' WHERE closed_at IS NULL AND "


def upgrade() -> None:
    # What is overdue opens its own at the next look.
    op.execute(
        "UPDATE incidents SET closed_at = seen_at, closed_by = 'upgrade' WHERE kind = 'review' AND closed_at IS NULL"
    )
    op.add_column("incidents", sa.Column("subject", sa.Text(), server_default="", nullable=False))
    _index(["kind", "subject"])


def downgrade() -> None:
    op.execute(
        "UPDATE incidents SET closed_at = seen_at, closed_by = 'upgrade' WHERE subject <> '' AND closed_at IS NULL"
    )
    _index(["kind"])
    op.drop_column("incidents", "subject")


def _index(columns: list[str]) -> None:
    op.drop_index("uq_incidents_open", table_name="incidents")
    op.create_index("uq_incidents_open", "incidents", columns, unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN)
