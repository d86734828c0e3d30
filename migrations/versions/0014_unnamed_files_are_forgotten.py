"""files that no record names are forgotten"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("form_files", sa.Column("named_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE form_files SET named_at = added_at WHERE instance_id IS NOT NULL")


def downgrade() -> None:
    op.drop_column("form_files", "named_at")
