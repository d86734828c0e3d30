"""checkpoints seal the record: which heads have moved, and what was signed over them"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
GUARDS = {
    "sqlite": (
        "CREATE TRIGGER checkpoints_keep BEFORE DELETE ON checkpoints BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END",
        "CREATE TRIGGER checkpoints_freeze BEFORE UPDATE ON checkpoints BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END",
        "CREATE TRIGGER heads_keep BEFORE DELETE ON checkpoint_heads BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END",
        "CREATE TRIGGER heads_freeze BEFORE UPDATE ON checkpoint_heads BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END",
    ),
    "postgresql": (
        "CREATE TRIGGER checkpoints_keep BEFORE DELETE OR UPDATE ON checkpoints FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER checkpoints_whole BEFORE TRUNCATE ON checkpoints FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER heads_keep BEFORE DELETE OR UPDATE ON checkpoint_heads FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER heads_whole BEFORE TRUNCATE ON checkpoint_heads FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ),
}


def upgrade() -> None:
    op.add_column("instances", sa.Column("unsealed", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_index("ix_instances_unsealed", "instances", ["id"], sqlite_where=sa.text("unsealed"), postgresql_where=sa.text("unsealed"))
    op.create_table(
        "checkpoints",
        sa.Column("number", Id, autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("previous", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "checkpoint_heads",
        sa.Column("instance_id", Id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("number", Id, nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name=op.f("fk_checkpoint_heads_instance_id_instances")),
        sa.ForeignKeyConstraint(["number"], ["checkpoints.number"], name=op.f("fk_checkpoint_heads_number_checkpoints")),
        sa.PrimaryKeyConstraint("instance_id", "seq", name=op.f("pk_checkpoint_heads")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_checkpoint_heads_number"), "checkpoint_heads", ["number"], unique=False)
    for guard in GUARDS[op.get_bind().dialect.name]:
        op.execute(sa.text(guard))


def downgrade() -> None:
    op.drop_table("checkpoint_heads")
    op.drop_table("checkpoints")
    op.drop_index("ix_instances_unsealed", table_name="instances")
    with op.batch_alter_table("instances") as batch:
        batch.drop_column("unsealed")
