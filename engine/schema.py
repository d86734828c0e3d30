"""The tables of the durable engine, for SQLite and PostgreSQL.

The log is the truth: `commands` may be appended to and nothing else, which triggers hold on both databases, as they do
for the checkpoints that seal it. The one exception is the erasure of a payload by law, which leaves its digest, so that
the chain still verifies.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
    true,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")
NO_DUE = datetime(9999, 12, 31, tzinfo=UTC)
"""Stands for "no due date" where rows are ordered by it."""


class Instant(TypeDecorator[datetime]):
    """An aware UTC moment; a naive one is a programming error."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


process_versions = Table(
    "process_versions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(80), nullable=False),
    Column("number", Integer, nullable=False),
    Column("name", String(200), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("files", Text, nullable=False),
    Column("published_at", Instant, nullable=False),
    Column("published_by", String(80), nullable=False),
    Column("reason", Text, nullable=False),
    Column("rehearsed", Text),
    UniqueConstraint("key", "number"),
)
"""`rehearsed` holds the scenarios that a version was tried with; they are no part of what runs."""

retirements = Table(
    "process_retirements",
    metadata,
    Column("key", String(80), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", String(80), nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("key", "number"),
)
"""Up to which version a process is retired: nothing starts on it any more, what runs goes on."""

instances = Table(
    "instances",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version_id", Id, ForeignKey(process_versions.c.id), nullable=False, index=True),
    Column("business_key", String(80), nullable=False, index=True),
    Column("title", String(200)),
    Column("status", String(12), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", Text),
    Column("head", LargeBinary(32), nullable=False),
    Column("has_incident", Boolean, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("advanced_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("unsealed", Boolean, nullable=False, server_default=true()),
    Index("ix_instances_unsealed", "id", sqlite_where=text("unsealed"), postgresql_where=text("unsealed")),
)
"""`unsealed` says that the head has moved since it was last put into a checkpoint."""

commands = Table(
    "commands",
    metadata,
    Column("instance_id", Id, ForeignKey(instances.c.id), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("semantics", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("task_key", String(140)),
    Column("data", Text),
    Column("data_digest", LargeBinary(32), nullable=False),
    Column("opinion", Text),
    Column("opinion_digest", LargeBinary(32)),
    Column("facts", Text),
    Column("erasure", Text),
    Column("idempotency_key", String(80)),
    Column("hash", LargeBinary(32), nullable=False),
    PrimaryKeyConstraint("instance_id", "seq"),
    Index(
        "uq_commands_idempotency_key",
        "instance_id",
        "idempotency_key",
        unique=True,
        sqlite_where=text("idempotency_key IS NOT NULL"),
        postgresql_where=text("idempotency_key IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("number", Id, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("size", Integer, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("previous", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("key", LargeBinary(32), nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
)

checkpoint_heads = Table(
    "checkpoint_heads",
    metadata,
    Column("instance_id", Id, ForeignKey(instances.c.id), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("number", Id, ForeignKey(checkpoints.c.number), nullable=False, index=True),
    Column("head", LargeBinary(32), nullable=False),
    PrimaryKeyConstraint("instance_id", "seq"),
    sqlite_with_rowid=False,
)

RECORD = (commands, process_versions, retirements, checkpoints, checkpoint_heads)
"""What may only be appended to."""

tasks = Table(
    "tasks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("instance_id", Id, ForeignKey(instances.c.id), nullable=False),
    Column("key", String(140), nullable=False),
    Column("element", String(120), nullable=False),
    Column("name", String(200), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("notice_at", Instant),
    Column("notice_stage", Integer, nullable=False),
    Column("assignment", Text, nullable=False),
    Column("claimed_by", String(80)),
    Column("claimed_at", Instant),
    Column("closed_at", Instant),
    Column("outcome", String(12)),
    Column("closed_by", String(80)),
    Column("closed_post", String(120)),
    UniqueConstraint("instance_id", "key"),
    Index("ix_tasks_closed_by_closed_at", "closed_by", "closed_at"),
    Index("ix_tasks_notice_at", "notice_at", sqlite_where=text("notice_at IS NOT NULL"), postgresql_where=text("notice_at IS NOT NULL")),
)

task_candidates = Table(
    "task_candidates",
    metadata,
    Column("principal", String(120), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("task_id", Id, ForeignKey(tasks.c.id), nullable=False, index=True),
    PrimaryKeyConstraint("principal", "due_at", "task_id"),
    sqlite_with_rowid=False,
)

task_formers = Table(
    "task_formers",
    metadata,
    Column("principal", String(120), nullable=False),
    Column("at", Instant, nullable=False),
    Column("task_id", Id, ForeignKey(tasks.c.id), nullable=False, index=True),
    PrimaryKeyConstraint("principal", "at", "task_id"),
    sqlite_with_rowid=False,
)
"""To whom an open task was addressed before it was escalated, and until when."""

timers = Table(
    "timers",
    metadata,
    Column("instance_id", Id, ForeignKey(instances.c.id), nullable=False),
    Column("key", String(140), nullable=False),
    Column("due_at", Instant, nullable=False, index=True),
    PrimaryKeyConstraint("instance_id", "key"),
    sqlite_with_rowid=False,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("instance_id", Id, ForeignKey(instances.c.id)),
    Column("kind", String(20), nullable=False),
    Column("name", String(120), nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, index=True),
    Column("attempts", Integer, nullable=False),
    Column("error", Text),
    Column("done_at", Instant),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("instance_id", Id, ForeignKey(instances.c.id), nullable=False, index=True),
    Column("element", String(120), nullable=False),
    Column("rule", String(60), nullable=False),
    Column("message", Text, nullable=False),
    Column("task_key", String(140)),
    Column("command", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("resolved_at", Instant),
)

_KEPT = [
    "instance_id",
    "seq",
    "at",
    "kind",
    "semantics",
    "actor",
    "task_key",
    "data_digest",
    "opinion_digest",
    "facts",
    "idempotency_key",
    "hash",
]
_SAME = " AND ".join(f"NEW.{c} IS NOT DISTINCT FROM OLD.{c}" for c in _KEPT)
_ERASES = (
    f"{_SAME} AND NEW.erasure IS NOT NULL "
    "AND (NEW.data IS NULL OR NEW.data IS NOT DISTINCT FROM OLD.data) "
    "AND (NEW.opinion IS NULL OR NEW.opinion IS NOT DISTINCT FROM OLD.opinion)"
)

SQLITE_GUARDS = (
    "CREATE TRIGGER commands_keep BEFORE DELETE ON commands BEGIN SELECT RAISE(ABORT, 'commands are append-only'); END",
    f"CREATE TRIGGER commands_freeze BEFORE UPDATE ON commands WHEN NOT ({_ERASES.replace('IS NOT DISTINCT FROM', 'IS')}) "
    "BEGIN SELECT RAISE(ABORT, 'commands are append-only'); END",
    "CREATE TRIGGER versions_keep BEFORE DELETE ON process_versions BEGIN SELECT RAISE(ABORT, 'versions are immutable'); END",
    "CREATE TRIGGER versions_freeze BEFORE UPDATE ON process_versions BEGIN SELECT RAISE(ABORT, 'versions are immutable'); END",
    "CREATE TRIGGER checkpoints_keep BEFORE DELETE ON checkpoints BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END",
    "CREATE TRIGGER checkpoints_freeze BEFORE UPDATE ON checkpoints BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END",
    "CREATE TRIGGER heads_keep BEFORE DELETE ON checkpoint_heads BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END",
    "CREATE TRIGGER heads_freeze BEFORE UPDATE ON checkpoint_heads BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END",
    "CREATE TRIGGER retirements_keep BEFORE DELETE ON process_retirements BEGIN SELECT RAISE(ABORT, 'retirements are append-only'); END",
    "CREATE TRIGGER retirements_freeze BEFORE UPDATE ON process_retirements BEGIN SELECT RAISE(ABORT, 'retirements are append-only'); END",
)
POSTGRES_GUARDS = (
    "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' may only be appended to'; END $$",
    "CREATE FUNCTION allow_erasure() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN IF {_ERASES} THEN RETURN NEW; END IF; RAISE EXCEPTION 'commands may only be appended to'; END $$",
    "CREATE TRIGGER commands_keep BEFORE DELETE ON commands FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER commands_whole BEFORE TRUNCATE ON commands FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER commands_freeze BEFORE UPDATE ON commands FOR EACH ROW EXECUTE FUNCTION allow_erasure()",
    "CREATE TRIGGER versions_keep BEFORE DELETE OR UPDATE ON process_versions FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER versions_whole BEFORE TRUNCATE ON process_versions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER checkpoints_keep BEFORE DELETE OR UPDATE ON checkpoints FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER checkpoints_whole BEFORE TRUNCATE ON checkpoints FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER heads_keep BEFORE DELETE OR UPDATE ON checkpoint_heads FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER heads_whole BEFORE TRUNCATE ON checkpoint_heads FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER retirements_keep BEFORE DELETE OR UPDATE ON process_retirements FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER retirements_whole BEFORE TRUNCATE ON process_retirements FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
)


def guards(dialect: str) -> tuple[str, ...]:
    """The statements that make the log append-only on this database."""
    return POSTGRES_GUARDS if dialect == "postgresql" else SQLITE_GUARDS
