"""votes: roll books, rules with their versions, votes on a frozen roll, ballots, mandates"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "roll_books",
        sa.Column("id", Id, nullable=False),
        sa.Column("unit_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("members_n", Id, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", Id, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["changed_by"], ["people.id"], name=op.f("fk_roll_books_changed_by_people")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_roll_books_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roll_books")),
    )
    op.create_index(op.f("ix_roll_books_unit_id"), "roll_books", ["unit_id"], unique=False)
    op.create_table(
        "vote_rules",
        sa.Column("id", Id, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", Id, nullable=True),
        sa.ForeignKeyConstraint(["written_by"], ["people.id"], name=op.f("fk_vote_rules_written_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote_rules")),
        sa.UniqueConstraint("code", "valid_from", name=op.f("uq_vote_rules_code_valid_from")),
    )
    op.create_table(
        "roll_members",
        sa.Column("book_id", Id, nullable=False),
        sa.Column("number", Id, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mobile", sa.Text(), nullable=True),
        sa.Column("household", sa.String(length=80), nullable=False),
        sa.Column("heads", Id, nullable=False),
        sa.Column("area_dm2", Id, nullable=True),
        sa.Column("person_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["book_id"], ["roll_books.id"], name=op.f("fk_roll_members_book_id_roll_books")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_roll_members_person_id_people")),
        sa.PrimaryKeyConstraint("book_id", "number", name=op.f("pk_roll_members")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "votes",
        sa.Column("id", Id, nullable=False),
        sa.Column("matter_id", Id, nullable=True),
        sa.Column("instance_id", Id, nullable=True),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("unit_id", Id, nullable=False),
        sa.Column("book_id", Id, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_secret", sa.Boolean(), nullable=False),
        sa.Column("total_heads", Id, nullable=False),
        sa.Column("total_area_dm2", Id, nullable=True),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.String(length=12), nullable=True),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("tally", sa.Text(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["book_id"], ["roll_books.id"], name=op.f("fk_votes_book_id_roll_books")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_votes_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_votes")),
    )
    op.create_index(op.f("ix_votes_instance_id"), "votes", ["instance_id"], unique=False)
    op.create_index(op.f("ix_votes_matter_id"), "votes", ["matter_id"], unique=False)
    op.create_index(op.f("ix_votes_unit_id"), "votes", ["unit_id"], unique=False)
    op.create_table(
        "ballots",
        sa.Column("vote_id", Id, nullable=False),
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("number", Id, nullable=True),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["vote_id"], ["votes.id"], name=op.f("fk_ballots_vote_id_votes")),
        sa.PrimaryKeyConstraint("vote_id", "id", name=op.f("pk_ballots")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "uq_ballots_vote_id_number",
        "ballots",
        ["vote_id", "number"],
        unique=True,
        sqlite_where=sa.text("number IS NOT NULL"),
        postgresql_where=sa.text("number IS NOT NULL"),
    )
    op.create_table(
        "mandates",
        sa.Column("vote_id", Id, nullable=False),
        sa.Column("principal", Id, autoincrement=False, nullable=False),
        sa.Column("proxy", sa.String(length=64), nullable=False),
        sa.Column("proxy_name", sa.Text(), nullable=False),
        sa.Column("paper", sa.String(length=64), nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", Id, nullable=False),
        sa.ForeignKeyConstraint(["entered_by"], ["people.id"], name=op.f("fk_mandates_entered_by_people")),
        sa.ForeignKeyConstraint(["vote_id"], ["votes.id"], name=op.f("fk_mandates_vote_id_votes")),
        sa.PrimaryKeyConstraint("vote_id", "principal", name=op.f("pk_mandates")),
    )
    op.create_index("ix_mandates_vote_id_proxy", "mandates", ["vote_id", "proxy"], unique=False)
    op.create_table(
        "roll_entries",
        sa.Column("vote_id", Id, nullable=False),
        sa.Column("number", Id, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("household", sa.String(length=80), nullable=False),
        sa.Column("heads", Id, nullable=False),
        sa.Column("area_dm2", Id, nullable=True),
        sa.Column("person_id", Id, nullable=True),
        sa.Column("is_returned", sa.Boolean(), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("channel", sa.String(length=8), nullable=True),
        sa.Column("attended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proxy", sa.String(length=64), nullable=True),
        sa.Column("paper", sa.String(length=64), nullable=True),
        sa.Column("entered_by", Id, nullable=True),
        sa.ForeignKeyConstraint(["entered_by"], ["people.id"], name=op.f("fk_roll_entries_entered_by_people")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_roll_entries_person_id_people")),
        sa.ForeignKeyConstraint(["vote_id"], ["votes.id"], name=op.f("fk_roll_entries_vote_id_votes")),
        sa.PrimaryKeyConstraint("vote_id", "number", name=op.f("pk_roll_entries")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_roll_entries_person_id",
        "roll_entries",
        ["person_id", "vote_id"],
        unique=False,
        sqlite_where=sa.text("person_id IS NOT NULL"),
        postgresql_where=sa.text("person_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_roll_entries_person_id", table_name="roll_entries")
    op.drop_table("roll_entries")
    op.drop_index("ix_mandates_vote_id_proxy", table_name="mandates")
    op.drop_table("mandates")
    op.drop_index("uq_ballots_vote_id_number", table_name="ballots")
    op.drop_table("ballots")
    op.drop_index(op.f("ix_votes_unit_id"), table_name="votes")
    op.drop_index(op.f("ix_votes_matter_id"), table_name="votes")
    op.drop_index(op.f("ix_votes_instance_id"), table_name="votes")
    op.drop_table("votes")
    op.drop_table("roll_members")
    op.drop_table("vote_rules")
    op.drop_index(op.f("ix_roll_books_unit_id"), table_name="roll_books")
    op.drop_table("roll_books")
