"""Proceedings: meetings, publicity with objections, documents, leaving items, and which college signs a step."""

import sqlalchemy as sa
from alembic import op

from migrations.policies import COLLEGE, OF_COLLEGE_OR_TARGET, OF_STUDENT, protect, public_table

revision = "0006"
down_revision = "0005"

HIS_STUDENT = "exists (select from student s where s.id = student_id)"


def upgrade() -> None:
    meetings()
    publicity()
    documents()
    steps()


def meetings() -> None:
    op.create_table(
        "meeting",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("college_id", sa.Integer()),
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("participants", sa.Text(), nullable=False),
        sa.Column("resolution", sa.Text(), nullable=False),
        sa.Column("minutes_name", sa.String(200)),
        sa.Column("minutes_path", sa.String(80)),
        sa.Column("minutes_type", sa.String(60)),
        sa.Column("recorded_by", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting")),
        sa.UniqueConstraint("minutes_path", name=op.f("uq_meeting_minutes_path")),
        sa.ForeignKeyConstraint(["college_id"], ["college.id"], name=op.f("fk_meeting_college_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["ab_user.id"], name=op.f("fk_meeting_recorded_by")),
        sa.CheckConstraint("kind in ('college', 'school', 'committee')", name=op.f("ck_meeting_kind_known")),
    )
    op.create_index("ix_meeting_college_id", "meeting", ["college_id"])
    numbered = [sa.text("coalesce(college_id, 0)"), "kind", "number"]
    op.create_index("uq_meeting_number", "meeting", numbered, unique=True)
    mine = f"college_id = {COLLEGE}"
    protect(
        "meeting",
        school=dict.fromkeys(("select", "insert", "update"), "true"),
        auditor="true",
        college=dict.fromkeys(("select", "insert", "update"), mine),
        freshmen="false",
        student="false",
        department="false",
    )


def publicity() -> None:
    op.create_table(
        "publicity",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("published_by", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publicity")),
        sa.ForeignKeyConstraint(["published_by"], ["ab_user.id"], name=op.f("fk_publicity_published_by")),
        sa.CheckConstraint("closes_on >= opens_on", name=op.f("ck_publicity_closes_after_opening")),
    )
    op.create_table(
        "publicity_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("publicity_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("masked_no", sa.String(20), nullable=False),
        sa.Column("college_name", sa.String(80), nullable=False),
        sa.Column("matter", sa.String(200), nullable=False),
        sa.Column("removed", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("target_college_id", sa.Integer()),
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("college_id", sa.Integer(), nullable=False),
        sa.Column("student_college_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publicity_entry")),
        sa.ForeignKeyConstraint(["publicity_id"], ["publicity.id"], name=op.f("fk_publicity_entry_publicity_id")),
        sa.ForeignKeyConstraint(["case_id"], ["flow_case.id"], name=op.f("fk_publicity_entry_case_id")),
        sa.ForeignKeyConstraint(
            ["student_id", "student_college_id"],
            ["student.id", "student.college_id"],
            name=op.f("fk_publicity_entry_student"),
            onupdate="CASCADE",
        ),
        sa.UniqueConstraint("publicity_id", "case_id", name=op.f("uq_publicity_entry_publicity_id_case_id")),
    )
    for column in ("case_id", "target_college_id", "college_id", "student_college_id"):
        op.create_index(f"ix_publicity_entry_{column}", "publicity_entry", [column])
    op.create_table(
        "objection",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("publicity_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.BigInteger()),
        sa.Column("objector", sa.String(80), nullable=False),
        sa.Column("contact", sa.String(80)),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("answered_by", sa.Integer()),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objection")),
        sa.ForeignKeyConstraint(["publicity_id"], ["publicity.id"], name=op.f("fk_objection_publicity_id")),
        sa.ForeignKeyConstraint(["case_id"], ["flow_case.id"], name=op.f("fk_objection_case_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["ab_user.id"], name=op.f("fk_objection_recorded_by")),
        sa.ForeignKeyConstraint(["answered_by"], ["ab_user.id"], name=op.f("fk_objection_answered_by")),
        sa.CheckConstraint("(answer is null) = (answered_at is null)", name=op.f("ck_objection_answered_whole")),
    )
    for column in ("publicity_id", "case_id"):
        op.create_index(f"ix_objection_{column}", "objection", [column])
    unanswered = sa.text("answer is null")
    op.create_index("ix_objection_open", "objection", ["publicity_id"], postgresql_where=unanswered)
    public_table("publicity", commands="insert, update")
    protect(
        "publicity_entry",
        school=dict.fromkeys(("select", "insert", "update"), "true"),
        auditor="true",
        freshmen=HIS_STUDENT,
        college=OF_COLLEGE_OR_TARGET,
        student=OF_STUDENT,
        department="false",
    )
    # Whoever has not logged in reads what is before the public on the day that the public page names, and no id of
    # student or case.
    op.execute("grant select (id, publicity_id, name, masked_no, college_name, matter, removed) on publicity_entry"
               " to xueji_web")  # fmt: skip
    op.execute("create policy web_select on publicity_entry for select to xueji_web using (not removed and exists ("
               "select from publicity p where p.id = publicity_id and"
               " nullif(current_setting('app.public_day', true), '')::date between p.opens_on and p.closes_on))")  # fmt: skip
    protect("objection", school=dict.fromkeys(("select", "insert", "update"), "true"), auditor="true")


def documents() -> None:
    op.create_table(
        "document",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(24), nullable=False),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("issued_by", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("number", name=op.f("uq_document_number")),
        sa.UniqueConstraint("year", "serial", name=op.f("uq_document_year_serial")),
        sa.ForeignKeyConstraint(["issued_by"], ["ab_user.id"], name=op.f("fk_document_issued_by")),
    )
    # The list names students of every college: a college and a student read the number in their ledger and notice.
    protect("document", school={"select": "true", "insert": "true"}, auditor="true")


def steps() -> None:
    items = sa.ARRAY(sa.String(60))
    op.add_column("department", sa.Column("leaving_items", items, server_default="{}", nullable=False))
    op.add_column("case_step", sa.Column("cleared", items, server_default="{}", nullable=False))
    op.add_column("case_step", sa.Column("signing_college_id", sa.Integer()))
    op.execute("update case_step set signing_college_id = college_id")
    op.alter_column("case_step", "signing_college_id", nullable=False)
    op.create_foreign_key("fk_case_step_signing_college_id", "case_step", "college", ["signing_college_id"], ["id"])
    op.drop_index("ix_case_step_inbox", "case_step")
    op.create_index("ix_case_step_inbox", "case_step", ["role", "signing_college_id", "state"])
    for table in ("meeting", "document"):
        op.add_column("case_step", sa.Column(f"{table}_id", sa.Integer()))
        op.create_foreign_key(f"fk_case_step_{table}_id", "case_step", table, [f"{table}_id"], ["id"])
        op.create_index(f"ix_case_step_{table}_id", "case_step", [f"{table}_id"])
