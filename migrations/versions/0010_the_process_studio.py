"""processes are changed in the browser: drafts with their revisions, scenarios with their version, retirements"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
GUARDS = {
    "sqlite": (
        "CREATE TRIGGER retirements_keep BEFORE DELETE ON process_retirements BEGIN SELECT RAISE(ABORT, 'retirements are append-only'); END",
        "CREATE TRIGGER retirements_freeze BEFORE UPDATE ON process_retirements "
        "BEGIN SELECT RAISE(ABORT, 'retirements are append-only'); END",
    ),
    "postgresql": (
        "CREATE TRIGGER retirements_keep BEFORE DELETE OR UPDATE ON process_retirements FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER retirements_whole BEFORE TRUNCATE ON process_retirements FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ),
}


def upgrade() -> None:
    op.add_column("process_versions", sa.Column("rehearsed", sa.Text(), nullable=True))
    op.create_table(
        "process_retirements",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", "number", name=op.f("pk_process_retirements")),
    )
    op.create_table(
        "process_drafts",
        sa.Column("id", Id, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("base_id", Id, nullable=True),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("revision", Id, nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_by", Id, nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held_by", Id, nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("change_id", Id, nullable=True),
        sa.Column("published_id", Id, nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["base_id"], ["process_versions.id"], name=op.f("fk_process_drafts_base_id_process_versions")),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_process_drafts_created_by_people")),
        sa.ForeignKeyConstraint(["edited_by"], ["people.id"], name=op.f("fk_process_drafts_edited_by_people")),
        sa.ForeignKeyConstraint(["held_by"], ["people.id"], name=op.f("fk_process_drafts_held_by_people")),
        sa.ForeignKeyConstraint(["change_id"], ["instances.id"], name=op.f("fk_process_drafts_change_id_instances")),
        sa.ForeignKeyConstraint(["published_id"], ["process_versions.id"], name=op.f("fk_process_drafts_published_id_process_versions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process_drafts")),
        sa.UniqueConstraint("change_id", name=op.f("uq_process_drafts_change_id")),
    )
    op.create_index(op.f("ix_process_drafts_key"), "process_drafts", ["key"], unique=False)
    op.create_table(
        "process_draft_revisions",
        sa.Column("draft_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("saved_by", Id, nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["process_drafts.id"], name=op.f("fk_process_draft_revisions_draft_id_process_drafts")),
        sa.ForeignKeyConstraint(["saved_by"], ["people.id"], name=op.f("fk_process_draft_revisions_saved_by_people")),
        sa.PrimaryKeyConstraint("draft_id", "number", name=op.f("pk_process_draft_revisions")),
    )
    op.create_table(
        "process_runs",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("draft_id", Id, nullable=True),
        sa.Column("files", sa.Text(), nullable=True),
        sa.Column("version_id", Id, nullable=True),
        sa.Column("of_id", Id, nullable=True),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("instance_ids", sa.Text(), nullable=False),
        sa.Column("total", Id, nullable=False),
        sa.Column("done", Id, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("asked_by", Id, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by", Id, nullable=True),
        sa.ForeignKeyConstraint(["draft_id"], ["process_drafts.id"], name=op.f("fk_process_runs_draft_id_process_drafts")),
        sa.ForeignKeyConstraint(["version_id"], ["process_versions.id"], name=op.f("fk_process_runs_version_id_process_versions")),
        sa.ForeignKeyConstraint(["of_id"], ["process_runs.id"], name=op.f("fk_process_runs_of_id_process_runs")),
        sa.ForeignKeyConstraint(["asked_by"], ["people.id"], name=op.f("fk_process_runs_asked_by_people")),
        sa.ForeignKeyConstraint(["cancelled_by"], ["people.id"], name=op.f("fk_process_runs_cancelled_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process_runs")),
    )
    op.create_index(op.f("ix_process_runs_key"), "process_runs", ["key"], unique=False)
    op.create_index(op.f("ix_process_runs_draft_id"), "process_runs", ["draft_id"], unique=False)
    op.create_table(
        "process_run_results",
        sa.Column("run_id", Id, nullable=False),
        sa.Column("instance_id", Id, nullable=False),
        sa.Column("ending", sa.String(length=10), nullable=False),
        sa.Column("element", sa.String(length=100), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["process_runs.id"], name=op.f("fk_process_run_results_run_id_process_runs")),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name=op.f("fk_process_run_results_instance_id_instances")),
        sa.PrimaryKeyConstraint("run_id", "instance_id", name=op.f("pk_process_run_results")),
    )
    for guard in GUARDS[op.get_bind().dialect.name]:
        op.execute(sa.text(guard))


def downgrade() -> None:
    op.drop_table("process_run_results")
    op.drop_table("process_runs")
    op.drop_table("process_draft_revisions")
    op.drop_table("process_drafts")
    op.drop_table("process_retirements")
    op.drop_column("process_versions", "rehearsed")
