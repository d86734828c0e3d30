"""running limits follow the calendar: how far they have come"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for name in ("followed", "following", "cursor"):
        op.add_column("calendar_changes", sa.Column(name, Id, nullable=False, server_default="0"))
    op.execute("UPDATE calendar_changes SET followed = count")


def downgrade() -> None:
    with op.batch_alter_table("calendar_changes") as batch:
        for name in ("followed", "following", "cursor"):
            batch.drop_column(name)
