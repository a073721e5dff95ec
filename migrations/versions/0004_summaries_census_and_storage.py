"""Summaries, census, and room on the pages that are written again and again.

Revision 0004, after 0003, 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# PostgreSQL writes an update as a new version of the row. When it fits on the same page and no indexed column has
# changed, no index is touched and the next reader of the page clears the old version away (HOT). `fillfactor` is the
# per cent of a page that inserts fill; the rest is room for such versions. Vacuum begins at threshold + factor * rows
# that are dead; with the defaults (50 + 0.2) a table of a million waits for 200,000.
STORAGE = {
    # Twelve versions of a batch: a claim and a close (`state` is indexed: never HOT), ten steps between. 400 batches
    # on PostgreSQL 18 grew from 0.8 to 7.0 MB with 30 % of the updates HOT; half-filled pages from 1.6 to 1.6 MB
    # with 83 %, which is every step. Less than 50 gains nothing. A million recipients are 2,000 batches with 4,000
    # dead entries in each index: vacuum comes after each such message, not after ten.
    "batches": {
        "fillfactor": 50,
        "autovacuum_vacuum_threshold": 200,
        "autovacuum_vacuum_scale_factor": 0.05,
        # Ids and groups lie beside the table and become dead only when the ledger forgets them.
        "toast.autovacuum_vacuum_scale_factor": 0.1,
    },
    # A bitmap is written once a chunk of planning that finds somebody in its block; nothing of it is indexed but the
    # key. Half a kilobyte each: seven on a page, and room for seven more.
    "told": {"fillfactor": 50, "autovacuum_vacuum_threshold": 200, "autovacuum_vacuum_scale_factor": 0.05},
    # How far planning has come is written after each chunk; only `planning` and `rank` are indexed.
    "messages": {"fillfactor": 50, "autovacuum_vacuum_threshold": 50, "autovacuum_vacuum_scale_factor": 0.05},
    # At most one write a day and phone (`seen_at`), of nothing that is indexed: every seventh row has a version
    # between two vacuums, which then come at 2 % (20,000 of a million) instead of 20 %.
    "devices": {"fillfactor": 85, "autovacuum_vacuum_scale_factor": 0.02},
    # One row a second, written by every reservation in it.
    "reservations": {"fillfactor": 50, "autovacuum_vacuum_threshold": 200, "autovacuum_vacuum_scale_factor": 0.0},
}


def upgrade() -> None:
    op.create_table(
        "message_summaries",
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("outcomes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("handed_over", sa.BigInteger(), nullable=True),
        sa.Column("batches", sa.Integer(), nullable=True),
        sa.Column("first_handed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("times", sa.LargeBinary(), nullable=True),
        sa.Column("receipts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_message_summaries_message_id")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_message_summaries")),
    )
    op.create_table(
        "censuses",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("devices", sa.BigInteger(), nullable=False),
        sa.Column("reachable", sa.BigInteger(), nullable=False),
        sa.Column("stale", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_censuses")),
        sqlite_autoincrement=True,
    )
    for table, parameters in _storage().items():
        words = ", ".join(f"{name} = {value}" for name, value in parameters.items())
        op.execute(f"ALTER TABLE {table} SET ({words})")


def downgrade() -> None:
    for table, parameters in _storage().items():
        op.execute(f"ALTER TABLE {table} RESET ({', '.join(parameters)})")
    op.drop_table("censuses")
    op.drop_table("message_summaries")


def _storage() -> dict[str, dict[str, float]]:
    return STORAGE if op.get_bind().dialect.name == "postgresql" else {}
