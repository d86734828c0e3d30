"""tasks are urged and copied"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "urges",
        sa.Column("task_id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_urges_task_id_tasks")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_urges_person_id_people")),
        sa.PrimaryKeyConstraint("task_id", "person_id", name=op.f("pk_urges")),
    )
    op.create_table(
        "copies",
        sa.Column("task_id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("instance_id", Id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("sender_id", Id, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_copies_task_id_tasks")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_copies_person_id_people")),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name=op.f("fk_copies_instance_id_instances")),
        sa.ForeignKeyConstraint(["sender_id"], ["people.id"], name=op.f("fk_copies_sender_id_people")),
        sa.PrimaryKeyConstraint("task_id", "person_id", name=op.f("pk_copies")),
    )
    op.create_index(op.f("ix_copies_instance_id_person_id"), "copies", ["instance_id", "person_id"])
    op.create_index(op.f("ix_copies_person_id_at_task_id"), "copies", ["person_id", "at", "task_id"])
    unread = sa.text("read_at IS NULL")
    op.create_index("ix_copies_unread", "copies", ["person_id"], sqlite_where=unread, postgresql_where=unread)


def downgrade() -> None:
    op.drop_table("copies")
    op.drop_table("urges")
