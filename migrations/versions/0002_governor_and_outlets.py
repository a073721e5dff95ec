"""Governor and outlets.

Revision 0002, after 0001, 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "governors",
        sa.Column("outlet", sa.Text(), nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("outlet", name=op.f("pk_governors")),
    )
    op.create_table(
        "reservations",
        sa.Column("outlet", sa.Text(), nullable=False),
        sa.Column("second", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("outlet", "second", name=op.f("pk_reservations")),
        sqlite_with_rowid=False,
    )
    # The defaults serve only the rows that are there already: all of them went to the one outlet there was.
    with op.batch_alter_table("batches", schema=None) as batch_op:
        batch_op.add_column(sa.Column("outlet", sa.Text(), nullable=False, server_default="fcm"))
        batch_op.add_column(sa.Column("answered", sa.LargeBinary(), nullable=False, server_default=""))
    connection = op.get_bind()
    batches = sa.table(
        "batches", sa.column("id"), sa.column("outcomes", sa.LargeBinary()), sa.column("answered", sa.LargeBinary())
    )
    for row in connection.execute(sa.select(batches.c.id, sa.func.length(batches.c.outcomes))).all():
        never = b"\xff\xff" * row[1]
        connection.execute(sa.update(batches).where(batches.c.id == row.id).values(answered=never))


def downgrade() -> None:
    # Not as a batch: that makes the table anew, without the word by which SQLite never gives an id twice.
    op.drop_column("batches", "answered")
    op.drop_column("batches", "outlet")
    op.drop_table("reservations")
    op.drop_table("governors")
