"""退学处理 and 申诉: how decisions reached students, what an appeal is about, and whom colleges exempt."""

import sqlalchemy as sa
from alembic import op

from migrations.policies import COLLEGE, OF_COLLEGE, protect

revision = "0009"
down_revision = "0008"

HIS_STUDENT = "exists (select from student s where s.id = student_id)"


def upgrade() -> None:
    for column in (
        sa.Column("delivered_how", sa.String(12)),
        sa.Column("delivered_on", sa.Date()),
        sa.Column("appealed_case_id", sa.BigInteger()),
        sa.Column("appeal_until", sa.Date()),
    ):
        op.add_column("flow_case", column)
    op.create_foreign_key("fk_flow_case_appealed_case_id", "flow_case", "flow_case", ["appealed_case_id"], ["id"])
    op.create_index("ix_flow_case_appealed_case_id", "flow_case", ["appealed_case_id"])
    op.create_table(
        "dismissal_exemption",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("ground", sa.String(40), nullable=False),
        sa.Column("since", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("exempted_by", sa.Integer(), nullable=False),
        sa.Column("exempted_by_name", sa.String(80), nullable=False),
        sa.Column("exempted_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("college_id", sa.Integer(), nullable=False),
        sa.Column("student_college_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dismissal_exemption")),
        sa.ForeignKeyConstraint(["exempted_by"], ["ab_user.id"], name=op.f("fk_dismissal_exemption_exempted_by")),
        sa.ForeignKeyConstraint(
            ["student_id", "student_college_id"],
            ["student.id", "student.college_id"],
            name="fk_dismissal_exemption_student",
            onupdate="CASCADE",
        ),
        sa.UniqueConstraint(
            "student_id", "ground", "since", name=op.f("uq_dismissal_exemption_student_id_ground_since")
        ),
    )
    for column in ("college_id", "student_college_id"):
        op.create_index(f"ix_dismissal_exemption_{column}", "dismissal_exemption", [column])
    protect(
        "dismissal_exemption",
        school="true",
        auditor="true",
        college={"select": OF_COLLEGE, "insert": f"college_id = {COLLEGE} and {HIS_STUDENT}"},
    )
