"""Places by name, then cell; what planning asks of devices in an index.

Revision 0007, after 0006, 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COLUMNS = "cell, device_id, name, origin_cell, updated_at"


def upgrade() -> None:
    _rekey("name", "cell", "device_id", include=["origin_cell", "updated_at"])
    op.create_index("ix_devices_reach", "devices", ["id", "language", "platform", "token_state"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_devices_reach", table_name="devices")
    _rekey("cell", "device_id", "name")


def _rekey(*key: str, include: list[str] | None = None) -> None:
    """Gives places another key. On SQLite a table without rowid lies in the order of its key: it is written anew."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("pk_places", "places", type_="primary")
        also = f" INCLUDE ({', '.join(include)})" if include else ""
        op.execute(f"ALTER TABLE places ADD CONSTRAINT pk_places PRIMARY KEY ({', '.join(key)}){also}")
        return
    op.create_table(
        "places_again",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cell", sa.BigInteger(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("origin_cell", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name="fk_places_device_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint(*key, name="pk_places"),
        sqlite_with_rowid=False,
    )
    op.execute(f"INSERT INTO places_again ({_COLUMNS}) SELECT {_COLUMNS} FROM places ORDER BY {', '.join(key)}")  # noqa: S608 - words of ours
    op.drop_table("places")
    op.rename_table("places_again", "places")
    op.create_index("ix_places_device_id", "places", ["device_id"], unique=False)
