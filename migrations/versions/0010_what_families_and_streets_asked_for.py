"""What families and streets asked to be reminded of.

Revision 0010, after 0009, 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "children",
        sa.Column("born", sa.Text(), nullable=False),
        sa.Column("device_id", _BIG, nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_children_device_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("born", "device_id", name=op.f("pk_children")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_children_minute_born_area_device_id"), "children", ["minute", "born", "area", "device_id"])
    op.create_index(op.f("ix_children_device_id"), "children", ["device_id"])
    op.create_table(
        "garbage_days",
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("area_id", _BIG, nullable=False),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("device_id", _BIG, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["garbage_areas.id"], name=op.f("fk_garbage_days_area_id")),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_garbage_days_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "slot", "area_id", "categories", "device_id", name=op.f("pk_garbage_days"), postgresql_include=["label"]
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_garbage_days_area_id_categories_device_id"), "garbage_days", ["area_id", "categories", "device_id"]
    )
    op.create_index(op.f("ix_garbage_days_device_id"), "garbage_days", ["device_id"])


def downgrade() -> None:
    op.drop_table("garbage_days")
    op.drop_table("children")
