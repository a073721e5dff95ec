"""Duties, once in the whole fleet; on PostgreSQL the fleet's engine, in a schema of its own.

Revision 0003, after 0002, 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from notifications.dispatch.drivers import schema

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "duties",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_duties")),
    )
    if op.get_bind().dialect.name == "postgresql":
        schema.install(op.get_bind())


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        schema.remove(op.get_bind())
    op.drop_table("duties")
