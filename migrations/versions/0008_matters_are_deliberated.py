"""四事五议: matters, who supports them and objects to them, notices, what is implemented; pictures of matters; titles of instances"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("instances", sa.Column("title", sa.String(200)))
    op.create_table(
        "matter_numbers",
        sa.Column("year", Id, autoincrement=False, nullable=False),
        sa.Column("last", Id, nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_matter_numbers")),
    )
    op.create_table(
        "matters",
        sa.Column("id", Id, nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("tier", sa.String(length=10), nullable=False),
        sa.Column("unit_id", Id, nullable=False),
        sa.Column("instance_id", Id, nullable=True),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("wish", sa.Text(), nullable=False),
        sa.Column("suggested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("suggested_by", Id, nullable=True),
        sa.Column("contact_name", sa.Text(), nullable=True),
        sa.Column("contact_mobile", sa.Text(), nullable=True),
        sa.Column("follow_digest", sa.String(length=64), nullable=False),
        sa.Column("submission_key", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("stage", sa.String(length=14), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_compulsory", sa.Boolean(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("budget", Id, nullable=True),
        sa.Column("consultation_n", Id, nullable=False),
        sa.Column("resolution_text", sa.Text(), nullable=True),
        sa.Column("resolution_no", sa.String(length=60), nullable=True),
        sa.Column("reply_text", sa.Text(), nullable=True),
        sa.Column("result_text", sa.Text(), nullable=True),
        sa.Column("merged_into", sa.String(length=24), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_matters_case_id_cases")),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name=op.f("fk_matters_instance_id_instances")),
        sa.ForeignKeyConstraint(["suggested_by"], ["people.id"], name=op.f("fk_matters_suggested_by_people")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_matters_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matters")),
        sa.UniqueConstraint("case_id", name=op.f("uq_matters_case_id")),
        sa.UniqueConstraint("follow_digest", name=op.f("uq_matters_follow_digest")),
        sa.UniqueConstraint("instance_id", name=op.f("uq_matters_instance_id")),
        sa.UniqueConstraint("number", name=op.f("uq_matters_number")),
        sa.UniqueConstraint("submission_key", name=op.f("uq_matters_submission_key")),
    )
    op.create_index(op.f("ix_matters_stage"), "matters", ["stage"], unique=False)
    op.create_index(op.f("ix_matters_suggested_by"), "matters", ["suggested_by"], unique=False)
    op.create_index("ix_matters_unit_id_id", "matters", ["unit_id", "id"], unique=False)
    op.create_table(
        "implementation_tasks",
        sa.Column("matter_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("unit_id", Id, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_implementation_tasks_case_id_cases")),
        sa.ForeignKeyConstraint(["matter_id"], ["matters.id"], name=op.f("fk_implementation_tasks_matter_id_matters")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_implementation_tasks_unit_id_units")),
        sa.PrimaryKeyConstraint("matter_id", "number", name=op.f("pk_implementation_tasks")),
        sa.UniqueConstraint("case_id", name=op.f("uq_implementation_tasks_case_id")),
    )
    op.create_table(
        "matter_evaluations",
        sa.Column("matter_id", Id, nullable=False),
        sa.Column("voice", sa.String(length=64), nullable=False),
        sa.Column("satisfaction", Id, nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["matter_id"], ["matters.id"], name=op.f("fk_matter_evaluations_matter_id_matters")),
        sa.PrimaryKeyConstraint("matter_id", "voice", name=op.f("pk_matter_evaluations")),
    )
    op.create_table(
        "public_notices",
        sa.Column("id", Id, nullable=False),
        sa.Column("matter_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["matter_id"], ["matters.id"], name=op.f("fk_public_notices_matter_id_matters")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_notices")),
    )
    op.create_index(op.f("ix_public_notices_matter_id"), "public_notices", ["matter_id"], unique=False)
    op.create_table(
        "supports",
        sa.Column("matter_id", Id, nullable=False),
        sa.Column("voice", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("household", sa.String(length=40), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["matter_id"], ["matters.id"], name=op.f("fk_supports_matter_id_matters")),
        sa.PrimaryKeyConstraint("matter_id", "voice", name=op.f("pk_supports")),
    )
    op.create_table(
        "objections",
        sa.Column("matter_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False),
        sa.Column("notice_id", Id, nullable=False),
        sa.Column("submission_key", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("contact_mobile", sa.Text(), nullable=True),
        sa.Column("follow_digest", sa.String(length=64), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_upheld", sa.Boolean(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["matter_id"], ["matters.id"], name=op.f("fk_objections_matter_id_matters")),
        sa.ForeignKeyConstraint(["notice_id"], ["public_notices.id"], name=op.f("fk_objections_notice_id_public_notices")),
        sa.PrimaryKeyConstraint("matter_id", "number", name=op.f("pk_objections")),
        sa.UniqueConstraint("follow_digest", name=op.f("uq_objections_follow_digest")),
        sa.UniqueConstraint("submission_key", name=op.f("uq_objections_submission_key")),
    )

    with op.batch_alter_table("photos") as photos:
        photos.add_column(sa.Column("matter_id", Id))
        photos.alter_column("case_id", existing_type=Id, nullable=True)
        photos.create_foreign_key(op.f("fk_photos_matter_id_matters"), "matters", ["matter_id"], ["id"])
        photos.create_index(op.f("ix_photos_matter_id"), ["matter_id"])


def downgrade() -> None:
    with op.batch_alter_table("photos") as photos:
        photos.drop_index(op.f("ix_photos_matter_id"))
        photos.drop_constraint(op.f("fk_photos_matter_id_matters"), type_="foreignkey")
        photos.alter_column("case_id", existing_type=Id, nullable=False)
        photos.drop_column("matter_id")
    op.drop_table("objections")
    op.drop_table("supports")
    op.drop_index(op.f("ix_public_notices_matter_id"), table_name="public_notices")
    op.drop_table("public_notices")
    op.drop_table("matter_evaluations")
    op.drop_table("implementation_tasks")
    op.drop_index("ix_matters_unit_id_id", table_name="matters")
    op.drop_index(op.f("ix_matters_suggested_by"), table_name="matters")
    op.drop_index(op.f("ix_matters_stage"), table_name="matters")
    op.drop_table("matters")
    op.drop_table("matter_numbers")
    op.drop_column("instances", "title")
