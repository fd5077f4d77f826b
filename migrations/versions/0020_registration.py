"""学期注册: who has registered for a term; whoever has not in time gets a legal clock of her own."""

import sqlalchemy as sa
from alembic import op

from migrations.policies import COLLEGE, OF_COLLEGE, OF_STUDENT, protect

revision = "0020"
down_revision = "0013"

HIS_STUDENT = "exists (select from student s where s.id = student_id)"
# Of several terms the latest alone counts: who registers in spring is not missing in autumn any more.
CLOCK = """
    union all
    select 'registration', r.student_id, r.student_college_id, null, r.since, r.due_on
    from registration r join student s on s.id = r.student_id
    where r.due_on is not null and s.status = 'enrolled' and not exists (
        select from registration n where n.student_id = r.student_id and (n.year, n.season) > (r.year, r.season))
"""


def upgrade() -> None:
    op.create_table(
        "registration",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("season", sa.String(6), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date()),
        sa.Column("recorded_by", sa.Integer()),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True)),
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("college_id", sa.Integer(), nullable=False),
        sa.Column("student_college_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration")),
        sa.ForeignKeyConstraint(["recorded_by"], ["ab_user.id"], name=op.f("fk_registration_recorded_by")),
        sa.ForeignKeyConstraint(
            ["student_id", "student_college_id"],
            ["student.id", "student.college_id"],
            name="fk_registration_student",
            onupdate="CASCADE",
        ),
        sa.UniqueConstraint("student_id", "year", "season", name=op.f("uq_registration_student_id_year_season")),
        sa.CheckConstraint("state in ('registered', 'deferred', 'missing')", name=op.f("ck_registration_state_known")),
        sa.CheckConstraint("season in ('autumn', 'spring')", name=op.f("ck_registration_season_known")),
        sa.CheckConstraint(
            "(state = 'registered') = (due_on is null)", name=op.f("ck_registration_due_unless_registered")
        ),
        sa.CheckConstraint(
            "confirmed_at is null or state = 'registered'", name=op.f("ck_registration_confirmed_when_registered")
        ),
    )
    for column in ("college_id", "student_college_id"):
        op.create_index(f"ix_registration_{column}", "registration", [column])
    protect(
        "registration",
        school=dict.fromkeys(("select", "insert", "update"), "true"),
        auditor="true",
        freshmen=HIS_STUDENT,
        college={
            "select": OF_COLLEGE,
            "insert": f"college_id = {COLLEGE} and {HIS_STUDENT}",
            "update": f"student_college_id = {COLLEGE}",
        },
        student=OF_STUDENT,
        department="false",
    )
    # A student confirms her data; all else in her row is the college's.
    op.execute("grant update (confirmed_at) on registration to xueji_student")
    op.execute(
        "create policy student_update on registration for update to xueji_student"
        f" using ({OF_STUDENT}) with check ({OF_STUDENT})"
    )
    # The view as it stands, and one branch more before its last bracket.
    view = op.get_bind().exec_driver_sql("select pg_get_viewdef('legal_clock'::regclass)").scalar_one()
    head, bracket, tail = view.rpartition(")")
    op.get_bind().exec_driver_sql(
        f"create or replace view legal_clock with (security_invoker) as {head}{CLOCK}{bracket}{tail}",
        execution_options={"no_parameters": True},
    )
