"""补办学生证 and 转专业: the number of a new card; rounds of transfers with their quotas and choices."""

import sqlalchemy as sa
from alembic import op

from migrations.policies import COLLEGE, OF_COLLEGE_OR_TARGET, OF_STUDENT, protect, public_table

revision = "0011"
down_revision = "0010"

HIS_STUDENT = "exists (select from student s where s.id = student_id)"
WITH_APPLICANT = "case_state in ('draft', 'sent_back')"
FRESH = "passed is null and confirmed_by is null and not admitted"  # nobody examines or admits herself


def upgrade() -> None:
    op.add_column("flow_case", sa.Column("card_no", sa.String(20)))
    rounds()
    applications()
    choices()


def rounds() -> None:
    op.create_table(
        "transfer_round",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("choices", sa.SmallInteger(), server_default="2", nullable=False),
        sa.Column("notice", sa.Text()),
        sa.Column("state", sa.String(10), server_default="draft", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_round")),
        sa.UniqueConstraint("title", name=op.f("uq_transfer_round_title")),
        sa.CheckConstraint(
            "state in ('draft', 'open', 'ranking', 'decided')", name=op.f("ck_transfer_round_state_known")
        ),
        sa.CheckConstraint("choices between 1 and 3", name=op.f("ck_transfer_round_choices_few")),
    )
    one_open = sa.text("state = 'open'")
    op.create_index("uq_transfer_round_open", "transfer_round", ["state"], unique=True, postgresql_where=one_open)
    op.create_table(
        "transfer_quota",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("major_id", sa.Integer(), nullable=False),
        sa.Column("places", sa.SmallInteger(), nullable=False),
        sa.Column("grade", sa.SmallInteger()),
        sa.Column("least_score", sa.Numeric(6, 2)),
        sa.Column("conditions", sa.String(300)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_quota")),
        sa.UniqueConstraint("round_id", "major_id", name=op.f("uq_transfer_quota_round_id_major_id")),
        sa.ForeignKeyConstraint(["round_id"], ["transfer_round.id"], name=op.f("fk_transfer_quota_round_id")),
        sa.ForeignKeyConstraint(["major_id"], ["major.id"], name=op.f("fk_transfer_quota_major_id")),
        sa.CheckConstraint("places between 0 and 999", name=op.f("ck_transfer_quota_places_counted")),
    )
    op.create_index("ix_transfer_quota_major_id", "transfer_quota", ["major_id"])
    for table in ("transfer_round", "transfer_quota"):
        public_table(table)


def applications() -> None:
    for name, kind, target in (
        ("round_id", sa.Integer(), "transfer_round"),
        ("first_major_id", sa.Integer(), "major"),
        ("second_major_id", sa.Integer(), "major"),
        ("third_major_id", sa.Integer(), "major"),
        ("major_id", sa.Integer(), "major"),
        ("score", sa.Numeric(6, 2), None),
        ("second_score", sa.Numeric(6, 2), None),
    ):
        op.add_column("flow_case", sa.Column(name, kind))
        if target:
            op.create_foreign_key(f"fk_flow_case_{name}", "flow_case", target, [name], ["id"])
    op.create_index("ix_flow_case_round_id", "flow_case", ["round_id"])
    op.create_unique_constraint("uq_flow_case_id_state", "flow_case", ["id", "state"])


def choices() -> None:
    op.create_table(
        "transfer_choice",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("major_id", sa.Integer(), nullable=False),
        sa.Column("from_major_id", sa.Integer(), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("subject", sa.String(120), nullable=False),
        sa.Column("case_state", sa.String(12), nullable=False),
        sa.Column("passed", sa.Boolean()),
        sa.Column("remark", sa.String(300)),
        sa.Column("examined_by", sa.Integer()),
        sa.Column("confirmed_by", sa.Integer()),
        sa.Column("meeting_id", sa.Integer()),
        sa.Column("admitted", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("target_college_id", sa.Integer()),
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("college_id", sa.Integer(), nullable=False),
        sa.Column("student_college_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_choice")),
        sa.UniqueConstraint("case_id", "place", name=op.f("uq_transfer_choice_case_id_place")),
        sa.ForeignKeyConstraint(["case_id"], ["flow_case.id"], name=op.f("fk_transfer_choice_case_id")),
        sa.ForeignKeyConstraint(
            ["case_id", "case_state"],
            ["flow_case.id", "flow_case.state"],
            name="fk_transfer_choice_state",
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["student_id", "student_college_id"],
            ["student.id", "student.college_id"],
            name="fk_transfer_choice_student",
            onupdate="CASCADE",
        ),
        *(
            sa.ForeignKeyConstraint([name], [f"{table}.id"], name=op.f(f"fk_transfer_choice_{name}"))
            for name, table in (
                ("round_id", "transfer_round"), ("major_id", "major"), ("from_major_id", "major"),
                ("examined_by", "ab_user"), ("confirmed_by", "ab_user"), ("meeting_id", "meeting"),
            )
        ),
        sa.CheckConstraint(
            "confirmed_by is null or passed is not null", name=op.f("ck_transfer_choice_confirmed_is_examined")
        ),
    )  # fmt: skip
    for column in ("round_id", "meeting_id", "case_id", "target_college_id", "college_id", "student_college_id"):
        op.create_index(f"ix_transfer_choice_{column}", "transfer_choice", [column])
    protect(
        "transfer_choice",
        school=dict.fromkeys(("select", "insert", "update", "delete"), "true"),
        auditor="true",
        freshmen="false",
        college={
            "select": OF_COLLEGE_OR_TARGET,
            "insert": f"college_id = {COLLEGE} and {HIS_STUDENT} and {FRESH}",
            "update": f"target_college_id = {COLLEGE}",
            "delete": f"college_id = {COLLEGE} and {WITH_APPLICANT}",
        },
        student={
            "select": OF_STUDENT,
            "insert": f"{OF_STUDENT} and {HIS_STUDENT} and {FRESH}",
            "delete": f"{OF_STUDENT} and {WITH_APPLICANT}",
        },
        department="false",
    )
