"""forms hold files"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "form_files",
        sa.Column("id", Id, nullable=False),
        sa.Column("instance_id", Id, nullable=True),
        sa.Column("task_key", sa.String(length=140), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", Id, nullable=False),
        sa.Column("added_by", Id, nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["added_by"], ["people.id"], name=op.f("fk_form_files_added_by_people")),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name=op.f("fk_form_files_instance_id_instances")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_files")),
    )
    op.create_index(op.f("ix_form_files_added_by_instance_id"), "form_files", ["added_by", "instance_id"])
    op.create_index(op.f("ix_form_files_digest"), "form_files", ["digest"])
    op.create_index(op.f("ix_form_files_instance_id"), "form_files", ["instance_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_form_files_instance_id"))
    op.drop_index(op.f("ix_form_files_digest"))
    op.drop_index(op.f("ix_form_files_added_by_instance_id"))
    op.drop_table("form_files")
