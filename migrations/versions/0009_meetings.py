"""meetings: the rules of the bodies that meet, meetings with their agenda and list, minutes with signatures, files, decisions"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
RULES = (
    # body, notice_days, may_be_urgent, quorum, is_quorum_over, takes_extra_items, source, is_confirmed
    ("joint", 3, True, "1/2", True, True, "本系统默认值，联席会议制度另有规定的按规定修改", False),
    ("consultation", 3, False, None, False, True, "本系统默认值，议事规则另有规定的按规定修改", False),
    (
        "party_members",
        3,
        False,
        "2/3",
        False,
        True,
        "“四议两公开”工作规程：到会党员须达到应到会党员的三分之二以上；通知天数为本系统默认值",
        False,
    ),
    ("representatives", 3, False, "2/3", False, True, "居民代表会议规程：三分之二以上的居民代表到会；通知天数为本系统默认值", False),
    (
        "owners",
        15,
        False,
        "2/3",
        False,
        False,
        "《物业管理条例》第十四条：十五日以前通知；《民法典》第二百七十八条：参与人数三分之二以上（专有部分面积在表决时核算）",
        False,
    ),
    ("other", 1, False, None, False, True, "本系统默认值", False),
)


def upgrade() -> None:
    rules = op.create_table(
        "meeting_rules",
        sa.Column("body", sa.String(length=20), nullable=False),
        sa.Column("notice_days", Id, nullable=False),
        sa.Column("may_be_urgent", sa.Boolean(), nullable=False),
        sa.Column("quorum", sa.String(length=10), nullable=True),
        sa.Column("is_quorum_over", sa.Boolean(), nullable=False),
        sa.Column("takes_extra_items", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("is_confirmed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("body", name=op.f("pk_meeting_rules")),
    )
    op.create_table(
        "meetings",
        sa.Column("id", Id, nullable=False),
        sa.Column("body", sa.String(length=20), nullable=False),
        sa.Column("unit_id", Id, nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("link", sa.String(length=300), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("convener_id", Id, nullable=False),
        sa.Column("convener_post", sa.String(length=40), nullable=False),
        sa.Column("convener_unit_id", Id, nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("notice_days", Id, nullable=False),
        sa.Column("quorum", sa.String(length=10), nullable=True),
        sa.Column("is_quorum_over", sa.Boolean(), nullable=False),
        sa.Column("takes_extra_items", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("is_confirmed", sa.Boolean(), nullable=False),
        sa.Column("urgent_reason", sa.String(length=300), nullable=True),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_meetings_unit_id_units")),
        sa.ForeignKeyConstraint(["convener_id"], ["people.id"], name=op.f("fk_meetings_convener_id_people")),
        sa.ForeignKeyConstraint(["convener_unit_id"], ["units.id"], name=op.f("fk_meetings_convener_unit_id_units")),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_meetings_created_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meetings")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_meetings_secret_digest")),
    )
    op.create_index(op.f("ix_meetings_convener_id"), "meetings", ["convener_id"], unique=False)
    op.create_index(op.f("ix_meetings_unit_id"), "meetings", ["unit_id"], unique=False)
    op.create_index(op.f("ix_meetings_starts_at"), "meetings", ["starts_at"], unique=False)
    op.create_table(
        "meeting_attendees",
        sa.Column("id", Id, nullable=False),
        sa.Column("meeting_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False),
        sa.Column("person_id", Id, nullable=True),
        sa.Column("name", sa.String(length=40), nullable=True),
        sa.Column("sealed_name", sa.Text(), nullable=True),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("sealed_code", sa.Text(), nullable=False),
        sa.Column("is_code_mobile", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", Id, nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ticked_by", Id, nullable=True),
        sa.ForeignKeyConstraint(["meeting_id"], ["meetings.id"], name=op.f("fk_meeting_attendees_meeting_id_meetings")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_meeting_attendees_person_id_people")),
        sa.ForeignKeyConstraint(["ticked_by"], ["people.id"], name=op.f("fk_meeting_attendees_ticked_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_attendees")),
        sa.UniqueConstraint("meeting_id", "number", name=op.f("uq_meeting_attendees_meeting_id_number")),
        sa.UniqueConstraint("meeting_id", "person_id", name=op.f("uq_meeting_attendees_meeting_id_person_id")),
    )
    op.create_index(op.f("ix_meeting_attendees_meeting_id"), "meeting_attendees", ["meeting_id"], unique=False)
    op.create_index(op.f("ix_meeting_attendees_person_id"), "meeting_attendees", ["person_id"], unique=False)
    op.create_table(
        "meeting_files",
        sa.Column("id", Id, nullable=False),
        sa.Column("meeting_id", Id, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", Id, nullable=False),
        sa.Column("added_by", Id, nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["meeting_id"], ["meetings.id"], name=op.f("fk_meeting_files_meeting_id_meetings")),
        sa.ForeignKeyConstraint(["added_by"], ["people.id"], name=op.f("fk_meeting_files_added_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_files")),
    )
    op.create_index(op.f("ix_meeting_files_digest"), "meeting_files", ["digest"], unique=False)
    op.create_index(op.f("ix_meeting_files_meeting_id"), "meeting_files", ["meeting_id"], unique=False)
    op.create_table(
        "meeting_minutes",
        sa.Column("id", Id, nullable=False),
        sa.Column("meeting_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("written_by", Id, nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["meeting_id"], ["meetings.id"], name=op.f("fk_meeting_minutes_meeting_id_meetings")),
        sa.ForeignKeyConstraint(["written_by"], ["people.id"], name=op.f("fk_meeting_minutes_written_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_minutes")),
        sa.UniqueConstraint("meeting_id", "number", name=op.f("uq_meeting_minutes_meeting_id_number")),
    )
    op.create_table(
        "meeting_decisions",
        sa.Column("id", Id, nullable=False),
        sa.Column("meeting_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("unit_id", Id, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("matter_id", Id, nullable=True),
        sa.Column("added_by", Id, nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", Id, nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("instance_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["meeting_id"], ["meetings.id"], name=op.f("fk_meeting_decisions_meeting_id_meetings")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_meeting_decisions_unit_id_units")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_meeting_decisions_case_id_cases")),
        sa.ForeignKeyConstraint(["added_by"], ["people.id"], name=op.f("fk_meeting_decisions_added_by_people")),
        sa.ForeignKeyConstraint(["confirmed_by"], ["people.id"], name=op.f("fk_meeting_decisions_confirmed_by_people")),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name=op.f("fk_meeting_decisions_instance_id_instances")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_decisions")),
        sa.UniqueConstraint("instance_id", name=op.f("uq_meeting_decisions_instance_id")),
        sa.UniqueConstraint("meeting_id", "number", name=op.f("uq_meeting_decisions_meeting_id_number")),
    )
    op.create_index(op.f("ix_meeting_decisions_matter_id"), "meeting_decisions", ["matter_id"], unique=False)
    op.create_index(op.f("ix_meeting_decisions_case_id"), "meeting_decisions", ["case_id"], unique=False)
    op.create_table(
        "meeting_items",
        sa.Column("id", Id, nullable=False),
        sa.Column("meeting_id", Id, nullable=False),
        sa.Column("position", Id, nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("matter_id", Id, nullable=True),
        sa.Column("is_extra", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["meeting_id"], ["meetings.id"], name=op.f("fk_meeting_items_meeting_id_meetings")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_meeting_items_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_items")),
    )
    op.create_index(op.f("ix_meeting_items_matter_id"), "meeting_items", ["matter_id"], unique=False)
    op.create_index(op.f("ix_meeting_items_case_id"), "meeting_items", ["case_id"], unique=False)
    op.create_index(op.f("ix_meeting_items_meeting_id"), "meeting_items", ["meeting_id"], unique=False)
    op.create_table(
        "minutes_signatures",
        sa.Column("id", Id, nullable=False),
        sa.Column("minutes_id", Id, nullable=False),
        sa.Column("attendee_id", Id, nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", Id, nullable=False),
        sa.Column("file_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["minutes_id"], ["meeting_minutes.id"], name=op.f("fk_minutes_signatures_minutes_id_meeting_minutes")),
        sa.ForeignKeyConstraint(
            ["attendee_id"], ["meeting_attendees.id"], name=op.f("fk_minutes_signatures_attendee_id_meeting_attendees")
        ),
        sa.ForeignKeyConstraint(["recorded_by"], ["people.id"], name=op.f("fk_minutes_signatures_recorded_by_people")),
        sa.ForeignKeyConstraint(["file_id"], ["meeting_files.id"], name=op.f("fk_minutes_signatures_file_id_meeting_files")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_minutes_signatures")),
        sa.UniqueConstraint("minutes_id", "attendee_id", name=op.f("uq_minutes_signatures_minutes_id_attendee_id")),
    )
    assert rules is not None
    op.bulk_insert(rules, [dict(zip(rules.columns.keys(), rule, strict=True)) for rule in RULES])


def downgrade() -> None:
    for table in (
        "minutes_signatures",
        "meeting_items",
        "meeting_decisions",
        "meeting_minutes",
        "meeting_files",
        "meeting_attendees",
        "meetings",
        "meeting_rules",
    ):
        op.drop_table(table)
