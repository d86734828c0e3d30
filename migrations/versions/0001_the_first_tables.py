"""the first tables: engine, organisation, people, calendar, cases

The log and the published versions may only be appended to; a payload may be erased by law."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
GUARDS = {
    "sqlite": (
        "CREATE TRIGGER commands_keep BEFORE DELETE ON commands BEGIN SELECT RAISE(ABORT, 'commands are append-only'); END",
        "CREATE TRIGGER commands_freeze BEFORE UPDATE ON commands WHEN NOT (NEW.instance_id IS OLD.instance_id AND NEW.seq IS OLD.seq AND NEW.at IS OLD.at AND NEW.kind IS OLD.kind AND NEW.semantics IS OLD.semantics AND NEW.actor IS OLD.actor AND NEW.task_key IS OLD.task_key AND NEW.data_digest IS OLD.data_digest AND NEW.opinion_digest IS OLD.opinion_digest AND NEW.facts IS OLD.facts AND NEW.idempotency_key IS OLD.idempotency_key AND NEW.hash IS OLD.hash AND NEW.erasure IS NOT NULL AND (NEW.data IS NULL OR NEW.data IS OLD.data) AND (NEW.opinion IS NULL OR NEW.opinion IS OLD.opinion)) BEGIN SELECT RAISE(ABORT, 'commands are append-only'); END",
        "CREATE TRIGGER versions_keep BEFORE DELETE ON process_versions BEGIN SELECT RAISE(ABORT, 'versions are immutable'); END",
        "CREATE TRIGGER versions_freeze BEFORE UPDATE ON process_versions BEGIN SELECT RAISE(ABORT, 'versions are immutable'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' may only be appended to'; END $$",
        "CREATE FUNCTION allow_erasure() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.instance_id IS NOT DISTINCT FROM OLD.instance_id AND NEW.seq IS NOT DISTINCT FROM OLD.seq AND NEW.at IS NOT DISTINCT FROM OLD.at AND NEW.kind IS NOT DISTINCT FROM OLD.kind AND NEW.semantics IS NOT DISTINCT FROM OLD.semantics AND NEW.actor IS NOT DISTINCT FROM OLD.actor AND NEW.task_key IS NOT DISTINCT FROM OLD.task_key AND NEW.data_digest IS NOT DISTINCT FROM OLD.data_digest AND NEW.opinion_digest IS NOT DISTINCT FROM OLD.opinion_digest AND NEW.facts IS NOT DISTINCT FROM OLD.facts AND NEW.idempotency_key IS NOT DISTINCT FROM OLD.idempotency_key AND NEW.hash IS NOT DISTINCT FROM OLD.hash AND NEW.erasure IS NOT NULL AND (NEW.data IS NULL OR NEW.data IS NOT DISTINCT FROM OLD.data) AND (NEW.opinion IS NULL OR NEW.opinion IS NOT DISTINCT FROM OLD.opinion) THEN RETURN NEW; END IF; RAISE EXCEPTION 'commands may only be appended to'; END $$",
        "CREATE TRIGGER commands_keep BEFORE DELETE ON commands FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER commands_whole BEFORE TRUNCATE ON commands FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER commands_freeze BEFORE UPDATE ON commands FOR EACH ROW EXECUTE FUNCTION allow_erasure()",
        "CREATE TRIGGER versions_keep BEFORE DELETE OR UPDATE ON process_versions FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER versions_whole BEFORE TRUNCATE ON process_versions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "calendar_days",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("date", name=op.f("pk_calendar_days")),
    )
    op.create_table(
        "case_numbers",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last", Id, nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_case_numbers")),
    )
    op.create_table(
        "people",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("mobile", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    op.create_table(
        "process_versions",
        sa.Column("id", Id, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process_versions")),
        sa.UniqueConstraint("key", "number", name=op.f("uq_process_versions_key_number")),
    )
    op.create_table(
        "units",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("external_code", sa.String(length=40), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("parent_id", Id, nullable=True),
        sa.Column("path", sa.String(length=240), nullable=False),
        sa.Column("estate_id", Id, nullable=True),
        sa.Column("households", Id, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["estate_id"], ["units.id"], name=op.f("fk_units_estate_id_units")),
        sa.ForeignKeyConstraint(["parent_id"], ["units.id"], name=op.f("fk_units_parent_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_units")),
        sa.UniqueConstraint("code", name=op.f("uq_units_code")),
    )
    op.create_index(op.f("ix_units_parent_id"), "units", ["parent_id"], unique=False)
    op.create_index(op.f("ix_units_path"), "units", ["path"], unique=False)
    op.create_table(
        "work_shifts",
        sa.Column("id", Id, nullable=False),
        sa.Column("starts_at", sa.String(length=5), nullable=False),
        sa.Column("ends_at", sa.String(length=5), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_shifts")),
    )
    op.create_index(op.f("ix_work_shifts_valid_from"), "work_shifts", ["valid_from"], unique=False)
    op.create_table(
        "accounts",
        sa.Column("id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("username", sa.String(length=60), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("stamp", sa.String(length=32), nullable=False),
        sa.Column("failures", Id, nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_disabled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_accounts_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("person_id", name=op.f("uq_accounts_person_id")),
        sa.UniqueConstraint("username", name=op.f("uq_accounts_username")),
    )
    op.create_table(
        "appointments",
        sa.Column("id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("post", sa.String(length=40), nullable=False),
        sa.Column("unit_id", Id, nullable=False),
        sa.Column("is_deputy", sa.Boolean(), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("to_date", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_appointments_person_id_people")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_appointments_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointments")),
    )
    op.create_index(op.f("ix_appointments_person_id"), "appointments", ["person_id"], unique=False)
    op.create_index("ix_appointments_post_unit_id", "appointments", ["post", "unit_id"], unique=False)
    op.create_table(
        "category_departments",
        sa.Column("category", sa.String(length=8), nullable=False),
        sa.Column("unit_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_category_departments_unit_id_units")),
        sa.PrimaryKeyConstraint("category", name=op.f("pk_category_departments")),
    )
    op.create_table(
        "instances",
        sa.Column("id", Id, nullable=False),
        sa.Column("version_id", Id, nullable=False),
        sa.Column("business_key", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.Column("has_incident", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("advanced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["version_id"], ["process_versions.id"], name=op.f("fk_instances_version_id_process_versions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instances")),
    )
    op.create_index(op.f("ix_instances_business_key"), "instances", ["business_key"], unique=False)
    op.create_index(op.f("ix_instances_version_id"), "instances", ["version_id"], unique=False)
    op.create_table(
        "cases",
        sa.Column("id", Id, nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("instance_id", Id, nullable=True),
        sa.Column("channel", sa.String(length=30), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=8), nullable=True),
        sa.Column("priority", sa.String(length=4), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("place_id", Id, nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("is_anonymous", sa.Boolean(), nullable=False),
        sa.Column("is_confidential", sa.Boolean(), nullable=False),
        sa.Column("is_self_found", sa.Boolean(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reported_by", Id, nullable=True),
        sa.Column("contact_name", sa.Text(), nullable=True),
        sa.Column("contact_mobile", sa.Text(), nullable=True),
        sa.Column("follow_digest", sa.String(length=64), nullable=False),
        sa.Column("submission_key", sa.String(length=80), nullable=False),
        sa.Column("lead_unit_id", Id, nullable=True),
        sa.Column("tier", Id, nullable=True),
        sa.Column("rework_n", Id, nullable=False),
        sa.Column("reopen_n", Id, nullable=False),
        sa.Column("return_n", Id, nullable=False),
        sa.Column("extension_n", Id, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_unit", sa.String(length=14), nullable=True),
        sa.Column("clock_opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reply_text", sa.Text(), nullable=True),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved", sa.String(length=20), nullable=True),
        sa.Column("satisfaction", Id, nullable=True),
        sa.Column("close_code", sa.String(length=20), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name=op.f("fk_cases_instance_id_instances")),
        sa.ForeignKeyConstraint(["lead_unit_id"], ["units.id"], name=op.f("fk_cases_lead_unit_id_units")),
        sa.ForeignKeyConstraint(["place_id"], ["units.id"], name=op.f("fk_cases_place_id_units")),
        sa.ForeignKeyConstraint(["reported_by"], ["people.id"], name=op.f("fk_cases_reported_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("follow_digest", name=op.f("uq_cases_follow_digest")),
        sa.UniqueConstraint("instance_id", name=op.f("uq_cases_instance_id")),
        sa.UniqueConstraint("number", name=op.f("uq_cases_number")),
        sa.UniqueConstraint("submission_key", name=op.f("uq_cases_submission_key")),
    )
    op.create_index(op.f("ix_cases_lead_unit_id"), "cases", ["lead_unit_id"], unique=False)
    op.create_index(op.f("ix_cases_place_id"), "cases", ["place_id"], unique=False)
    op.create_index("ix_cases_place_id_category", "cases", ["place_id", "category"], unique=False)
    op.create_index(op.f("ix_cases_reported_by"), "cases", ["reported_by"], unique=False)
    op.create_index("ix_cases_status_due_at", "cases", ["status", "due_at"], unique=False)
    op.create_table(
        "commands",
        sa.Column("instance_id", Id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("semantics", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("task_key", sa.String(length=140), nullable=True),
        sa.Column("data", sa.Text(), nullable=True),
        sa.Column("data_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("opinion", sa.Text(), nullable=True),
        sa.Column("opinion_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("facts", sa.Text(), nullable=True),
        sa.Column("erasure", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.String(length=80), nullable=True),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name=op.f("fk_commands_instance_id_instances")),
        sa.PrimaryKeyConstraint("instance_id", "seq", name=op.f("pk_commands")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "uq_commands_idempotency_key",
        "commands",
        ["instance_id", "idempotency_key"],
        unique=True,
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_table(
        "incidents",
        sa.Column("id", Id, nullable=False),
        sa.Column("instance_id", Id, nullable=False),
        sa.Column("element", sa.String(length=120), nullable=False),
        sa.Column("rule", sa.String(length=60), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("task_key", sa.String(length=140), nullable=True),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name=op.f("fk_incidents_instance_id_instances")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    op.create_index(op.f("ix_incidents_instance_id"), "incidents", ["instance_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", Id, nullable=False),
        sa.Column("instance_id", Id, nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name=op.f("fk_outbox_instance_id_instances")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_due_at"), "outbox", ["due_at"], unique=False)
    op.create_table(
        "tasks",
        sa.Column("id", Id, nullable=False),
        sa.Column("instance_id", Id, nullable=False),
        sa.Column("key", sa.String(length=140), nullable=False),
        sa.Column("element", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notice_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notice_stage", sa.Integer(), nullable=False),
        sa.Column("assignment", sa.Text(), nullable=False),
        sa.Column("claimed_by", sa.String(length=80), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("closed_by", sa.String(length=80), nullable=True),
        sa.Column("closed_post", sa.String(length=120), nullable=True),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name=op.f("fk_tasks_instance_id_instances")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("instance_id", "key", name=op.f("uq_tasks_instance_id_key")),
    )
    op.create_index("ix_tasks_closed_by_closed_at", "tasks", ["closed_by", "closed_at"], unique=False)
    op.create_index(
        "ix_tasks_notice_at",
        "tasks",
        ["notice_at"],
        unique=False,
        sqlite_where=sa.text("notice_at IS NOT NULL"),
        postgresql_where=sa.text("notice_at IS NOT NULL"),
    )
    op.create_table(
        "timers",
        sa.Column("instance_id", Id, nullable=False),
        sa.Column("key", sa.String(length=140), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name=op.f("fk_timers_instance_id_instances")),
        sa.PrimaryKeyConstraint("instance_id", "key", name=op.f("pk_timers")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_timers_due_at"), "timers", ["due_at"], unique=False)
    op.create_table(
        "photos",
        sa.Column("id", Id, nullable=False),
        sa.Column("case_id", Id, nullable=False),
        sa.Column("task_key", sa.String(length=140), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("width", Id, nullable=False),
        sa.Column("height", Id, nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", Id, nullable=True),
        sa.ForeignKeyConstraint(["added_by"], ["people.id"], name=op.f("fk_photos_added_by_people")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_photos_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photos")),
    )
    op.create_index(op.f("ix_photos_case_id"), "photos", ["case_id"], unique=False)
    op.create_table(
        "task_candidates",
        sa.Column("principal", sa.String(length=120), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("task_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_candidates_task_id_tasks")),
        sa.PrimaryKeyConstraint("principal", "due_at", "task_id", name=op.f("pk_task_candidates")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_task_candidates_task_id"), "task_candidates", ["task_id"], unique=False)
    for guard in GUARDS[op.get_bind().dialect.name]:
        op.execute(sa.text(guard))


def downgrade() -> None:
    op.drop_index(op.f("ix_task_candidates_task_id"))
    op.drop_table("task_candidates")
    op.drop_index(op.f("ix_photos_case_id"))
    op.drop_table("photos")
    op.drop_index(op.f("ix_timers_due_at"))
    op.drop_table("timers")
    op.drop_index("ix_tasks_notice_at")
    op.drop_index("ix_tasks_closed_by_closed_at")
    op.drop_table("tasks")
    op.drop_index(op.f("ix_outbox_due_at"))
    op.drop_table("outbox")
    op.drop_index(op.f("ix_incidents_instance_id"))
    op.drop_table("incidents")
    op.drop_index("uq_commands_idempotency_key")
    op.drop_table("commands")
    op.drop_index("ix_cases_status_due_at")
    op.drop_index(op.f("ix_cases_reported_by"))
    op.drop_index("ix_cases_place_id_category")
    op.drop_index(op.f("ix_cases_place_id"))
    op.drop_index(op.f("ix_cases_lead_unit_id"))
    op.drop_table("cases")
    op.drop_index(op.f("ix_instances_version_id"))
    op.drop_index(op.f("ix_instances_business_key"))
    op.drop_table("instances")
    op.drop_table("category_departments")
    op.drop_index("ix_appointments_post_unit_id")
    op.drop_index(op.f("ix_appointments_person_id"))
    op.drop_table("appointments")
    op.drop_table("accounts")
    op.drop_index(op.f("ix_work_shifts_valid_from"))
    op.drop_table("work_shifts")
    op.drop_index(op.f("ix_units_path"))
    op.drop_index(op.f("ix_units_parent_id"))
    op.drop_table("units")
    op.drop_table("process_versions")
    op.drop_table("people")
    op.drop_table("case_numbers")
    op.drop_table("calendar_days")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change")
        op.execute("DROP FUNCTION allow_erasure")
