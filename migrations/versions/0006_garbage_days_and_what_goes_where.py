"""Garbage days and what goes where.

Revision 0006, after 0005, 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "garbage_areas",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("ward", sa.Text(), nullable=False),
        sa.Column("town", sa.Text(), nullable=False),
        sa.Column("block", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("names", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("reading", sa.Text(), nullable=False),
        sa.Column("centre", sa.Text(), nullable=True),
        sa.Column("note", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("contact", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_garbage_areas")),
        sa.UniqueConstraint("source", "key", name=op.f("uq_garbage_areas_source_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "garbage_categories",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("names", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("bag", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("limits", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("how", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("note", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("cutoff", sa.Text(), nullable=True),
        sa.Column("colour", sa.Text(), nullable=True),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_garbage_categories")),
        sa.UniqueConstraint("source", "key", name=op.f("uq_garbage_categories_source_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "garbage_sources",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("schedule_version", sa.Integer(), nullable=False),
        sa.Column("schedule_changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_garbage_sources")),
    )
    op.create_table(
        "garbage_area_links",
        sa.Column("area_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["garbage_areas.id"], name=op.f("fk_garbage_area_links_area_id")),
        sa.PrimaryKeyConstraint("area_id", "kind", "value", name=op.f("pk_garbage_area_links")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("garbage_area_links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_garbage_area_links_kind_value"), ["kind", "value"], unique=False)

    op.create_table(
        "garbage_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("centre", sa.Text(), nullable=True),
        sa.Column("area_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("category_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("moved_to", sa.Date(), nullable=True),
        sa.Column("lost_nth", sa.Integer(), nullable=True),
        sa.Column("new_nth", sa.Integer(), nullable=True),
        sa.Column("reason", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["area_id"], ["garbage_areas.id"], name=op.f("fk_garbage_changes_area_id")),
        sa.ForeignKeyConstraint(
            ["category_id"], ["garbage_categories.id"], name=op.f("fk_garbage_changes_category_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_garbage_changes")),
        sa.UniqueConstraint("source", "key", name=op.f("uq_garbage_changes_source_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "garbage_items",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("names", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("reading", sa.Text(), nullable=False),
        sa.Column("aliases", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("category_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("notes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("size_rule", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("cautions", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("sort_key", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["category_id"], ["garbage_categories.id"], name=op.f("fk_garbage_items_category_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_garbage_items")),
        sa.UniqueConstraint("source", "key", name=op.f("uq_garbage_items_source_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("garbage_items", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_garbage_items_sort_key_id"), ["sort_key", "id"], unique=False)

    op.create_table(
        "garbage_rules",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("area_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("category_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pattern", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("first", sa.Date(), nullable=True),
        sa.Column("last", sa.Date(), nullable=True),
        sa.Column("on_holidays", sa.Boolean(), nullable=False),
        sa.Column("overlay", sa.Boolean(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("reason", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("note", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["garbage_areas.id"], name=op.f("fk_garbage_rules_area_id")),
        sa.ForeignKeyConstraint(["category_id"], ["garbage_categories.id"], name=op.f("fk_garbage_rules_category_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_garbage_rules")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("garbage_rules", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_garbage_rules_area_id"), ["area_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_garbage_rules_source_area_id"), ["source", "area_id"], unique=False)

    op.create_table(
        "garbage_item_words",
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["garbage_items.id"], name=op.f("fk_garbage_item_words_item_id")),
        sa.PrimaryKeyConstraint("item_id", "kind", "word", name=op.f("pk_garbage_item_words")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("garbage_item_words")
    with op.batch_alter_table("garbage_rules", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_garbage_rules_source_area_id"))
        batch_op.drop_index(batch_op.f("ix_garbage_rules_area_id"))

    op.drop_table("garbage_rules")
    with op.batch_alter_table("garbage_items", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_garbage_items_sort_key_id"))

    op.drop_table("garbage_items")
    op.drop_table("garbage_changes")
    with op.batch_alter_table("garbage_area_links", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_garbage_area_links_kind_value"))

    op.drop_table("garbage_area_links")
    op.drop_table("garbage_sources")
    op.drop_table("garbage_categories")
    op.drop_table("garbage_areas")
