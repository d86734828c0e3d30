"""overdue tasks are escalated"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "task_formers",
        sa.Column("principal", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("task_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_formers_task_id_tasks")),
        sa.PrimaryKeyConstraint("principal", "at", "task_id", name=op.f("pk_task_formers")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_task_formers_task_id"), "task_formers", ["task_id"])


def downgrade() -> None:
    op.drop_table("task_formers")
