"""待生效异动: decided changes wait for their day; entries of leaves and returns get the day from which they count."""

import sqlalchemy as sa
from alembic import op

from migrations.policies import OF_COLLEGE, OF_STUDENT, protect

revision = "0017"
down_revision = "0016"

# Until now an entry bore the day of its recording. It gets the day that its case names, where that has come and the
# student's other entries stay in order; what was recorded is still told by recorded_at.
MEANT = """
update roster_change r set effective_on = m.day
from (
    select e.id, coalesce(c.leave_from, c.return_on, c.died_on) as day, e.effective_on as was,
        lag(e.effective_on) over w as before, lead(e.effective_on) over w as after
    from roster_change e left join flow_case c on c.id = e.case_id and c.flow in ('leave', 'return', 'cancellation')
    window w as (partition by e.student_id order by e.effective_on, e.id)
) m
where m.id = r.id and m.day is not null and m.day <> m.was and m.day <= current_date
    and m.day >= coalesce(m.before, m.day) and m.day <= coalesce(m.after, m.day)
"""

# The wording in use prints the day of recording beside the day from which the change counts.
NUMBER = '<th>审批文号</th><td colspan="3">{{ document_no }}</td>'
BOTH = "<th>审批文号</th><td>{{ document_no }}</td><th>登记日期</th><td>{{ recorded_on }}</td>"


def upgrade() -> None:
    op.create_table(
        "dated_effect",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(10), server_default="waiting", nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("recorded_by", sa.Integer(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.Column("reason", sa.String(300)),
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("college_id", sa.Integer(), nullable=False),
        sa.Column("student_college_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dated_effect")),
        sa.ForeignKeyConstraint(["case_id"], ["flow_case.id"], name=op.f("fk_dated_effect_case_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["ab_user.id"], name=op.f("fk_dated_effect_recorded_by")),
        sa.ForeignKeyConstraint(
            ["student_id", "student_college_id"],
            ["student.id", "student.college_id"],
            name="fk_dated_effect_student",
            onupdate="CASCADE",
        ),
        sa.UniqueConstraint("case_id", name=op.f("uq_dated_effect_case_id")),
        sa.CheckConstraint(
            "state in ('waiting', 'applied', 'lapsed', 'annulled')", name=op.f("ck_dated_effect_state_known")
        ),
        sa.CheckConstraint(
            "(state = 'waiting') = (settled_at is null)", name=op.f("ck_dated_effect_settled_unless_waiting")
        ),
    )
    for column in ("college_id", "student_college_id"):
        op.create_index(f"ix_dated_effect_{column}", "dated_effect", [column])
    op.create_index(
        "ix_dated_effect_waiting", "dated_effect", ["effective_on"], postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_index("ix_dated_effect_student", "dated_effect", ["student_id"])
    protect(
        "dated_effect",
        school=dict.fromkeys(("select", "insert", "update"), "true"),
        auditor="true",
        freshmen="exists (select from student s where s.id = student_id)",
        college=OF_COLLEGE,
        student=OF_STUDENT,
    )
    op.execute(MEANT)
    op.drop_index("ix_roster_change_case_id", "roster_change")
    op.create_unique_constraint(op.f("uq_roster_change_case_id"), "roster_change", ["case_id"])
    wording = sa.text("update paper_template set body = replace(body, :old, :new) where kind = 'change_notice'")
    op.get_bind().execute(wording, {"old": NUMBER, "new": BOTH})
