"""people start processes by themselves"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "started_processes",
        sa.Column("id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("submission_key", sa.String(length=80), nullable=False),
        sa.Column("instance_id", Id, nullable=True),
        sa.Column("ended", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_started_processes_person_id_people")),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name=op.f("fk_started_processes_instance_id_instances")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_started_processes")),
        sa.UniqueConstraint("instance_id", name=op.f("uq_started_processes_instance_id")),
        sa.UniqueConstraint("person_id", "submission_key", name=op.f("uq_started_processes_person_id_submission_key")),
    )


def downgrade() -> None:
    op.drop_table("started_processes")
