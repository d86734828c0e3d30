"""the calendar counts its changes, so that what was read of it can be kept"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "calendar_changes",
        sa.Column("id", Id, nullable=False),
        sa.Column("count", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_changes")),
    )
    op.execute("INSERT INTO calendar_changes (id, count) VALUES (1, 0)")


def downgrade() -> None:
    op.drop_table("calendar_changes")
