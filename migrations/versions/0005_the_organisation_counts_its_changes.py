"""the organisation counts its changes, so that what was read of it can be kept"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "organisation_changes",
        sa.Column("id", Id, nullable=False),
        sa.Column("count", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation_changes")),
    )
    op.execute("INSERT INTO organisation_changes (id, count) VALUES (1, 0)")


def downgrade() -> None:
    op.drop_table("organisation_changes")
