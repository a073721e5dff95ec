"""Accounts of the console, their links and sign-ins; the journal.

Revision 0008, after 0007, 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("editor_id", _id, autoincrement=False, nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("password_set_at", _moment, nullable=True),
        sa.Column("totp_secret", sa.Text(), nullable=True),
        sa.Column("totp_confirmed_at", _moment, nullable=True),
        sa.Column("totp_last_step", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", _moment, nullable=True),
        sa.ForeignKeyConstraint(["editor_id"], ["editors.id"], name="fk_accounts_editor_id"),
        sa.PrimaryKeyConstraint("editor_id", name="pk_accounts"),
        sa.UniqueConstraint("login", name="uq_accounts_login"),
    )
    op.create_table(
        "invitations",
        sa.Column("id", _id, autoincrement=True, nullable=False),
        sa.Column("editor_id", _id, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_by_id", _id, nullable=True),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("expires_at", _moment, nullable=False),
        sa.Column("used_at", _moment, nullable=True),
        sa.ForeignKeyConstraint(["editor_id"], ["editors.id"], name="fk_invitations_editor_id"),
        sa.ForeignKeyConstraint(["made_by_id"], ["editors.id"], name="fk_invitations_made_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("token_hash", name="uq_invitations_token_hash"),
    )
    op.create_index("ix_invitations_editor_id", "invitations", ["editor_id"])
    op.create_table(
        "sign_ins",
        sa.Column("id", _id, autoincrement=True, nullable=False),
        sa.Column("editor_id", _id, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("started_at", _moment, nullable=False),
        sa.Column("seen_at", _moment, nullable=False),
        sa.Column("ended_at", _moment, nullable=True),
        sa.ForeignKeyConstraint(["editor_id"], ["editors.id"], name="fk_sign_ins_editor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sign_ins"),
        sa.UniqueConstraint("token_hash", name="uq_sign_ins_token_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sign_ins_editor_id", "sign_ins", ["editor_id"])
    op.create_table(
        "signing_secrets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_signing_secrets"),
    )
    op.create_table(
        "journal",
        sa.Column("number", _id, autoincrement=False, nullable=False),
        sa.Column("at", _moment, nullable=False),
        sa.Column("editor_id", _id, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["editor_id"], ["editors.id"], name="fk_journal_editor_id"),
        sa.PrimaryKeyConstraint("number", name="pk_journal"),
    )
    op.create_index("ix_journal_at", "journal", ["at"])
    op.create_index("ix_journal_editor_id", "journal", ["editor_id"])
    op.create_table(
        "journal_heads",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_journal_heads"),
    )


def downgrade() -> None:
    for table in ("journal_heads", "journal", "signing_secrets", "sign_ins", "invitations", "accounts"):
        op.drop_table(table)
