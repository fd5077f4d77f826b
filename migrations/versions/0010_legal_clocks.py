"""法定期限: absences, and the view of everything that ends for a student on a day."""

import sqlalchemy as sa
from alembic import op

from migrations.policies import COLLEGE, EVERYBODY, OF_COLLEGE, OF_STUDENT, protect

revision = "0010"
down_revision = "0009"

HIS_STUDENT = "exists (select from student s where s.id = student_id)"
# A setting as a number; its default where nobody has loaded the settings yet.
DAYS = "coalesce((select value::int from setting where key = '{key}'), {default})"
CLOCKS = f"""
create view legal_clock with (security_invoker) as
select s.kind || ':' || s.student_id || ':' || s.due_on as id, s.* from (
    select case when s.status = 'deferred' then 'deferral' else 'leave' end as kind, s.id as student_id, s.college_id,
        c.case_id, c.effective_on as since, c.until as due_on
    from student s cross join lateral (
        select r.case_id, r.effective_on, r.until from roster_change r where r.student_id = s.id
        order by r.effective_on desc, r.id desc limit 1) c
    where s.status in ('on_leave', 'retained', 'deferred') and c.until is not null
    union all
    -- only those whose ordinary time is over: of the others nobody asks
    -- the time that somebody served does not count
    select 'study', s.id, s.college_id, null, s.entry_date,
        coalesce((
            select sum(greatest(coalesce(e.ended, e.until, current_date) - e.effective_on, 0)) from (
                select r.code, r.effective_on, r.until,
                    lead(r.effective_on) over (order by r.effective_on, r.id) as ended
                from roster_change r where r.student_id = s.id) e where e.code = '19'), 0)::int +
        (s.entry_date + make_interval(months => cast(s.study_length * 12 as int) + 12 * {DAYS.format(key="study_extra_years", default=2)}))::date
    from student s
    where s.status in ('enrolled', 'on_leave', 'retained') and s.entry_date is not null
        and s.entry_year + s.study_length <= extract(year from current_date)
    union all
    select 'absence', a.student_id, a.student_college_id, null, a.since,
        a.since + {DAYS.format(key="absence_days", default=14)}
    from absence a where a.ended_on is null
    union all
    select 'publicity', e.student_id, e.student_college_id, e.case_id, p.opens_on, p.closes_on
    from publicity_entry e join publicity p on p.id = e.publicity_id
    where not e.removed and exists (
        select from case_step t where t.case_id = e.case_id and t.state = 'open' and (t.declared ->> 'publicity')::boolean)
    union all
    select 'appeal', f.student_id, f.student_college_id, f.id, f.delivered_on,
        f.delivered_on + {DAYS.format(key="appeal_days", default=10)}
    from flow_case f where f.delivered_on is not null
        and not exists (select from flow_case a where a.appealed_case_id = f.id)
) s
"""


def upgrade() -> None:
    op.create_table(
        "absence",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date()),
        sa.Column("note", sa.String(300)),
        sa.Column("recorded_by", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("college_id", sa.Integer(), nullable=False),
        sa.Column("student_college_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
        sa.ForeignKeyConstraint(["recorded_by"], ["ab_user.id"], name=op.f("fk_absence_recorded_by")),
        sa.ForeignKeyConstraint(
            ["student_id", "student_college_id"],
            ["student.id", "student.college_id"],
            name="fk_absence_student",
            onupdate="CASCADE",
        ),
        sa.UniqueConstraint("student_id", "since", name=op.f("uq_absence_student_id_since")),
    )
    for column in ("college_id", "student_college_id"):
        op.create_index(f"ix_absence_{column}", "absence", [column])
    protect(
        "absence",
        school="true",
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
    op.get_bind().exec_driver_sql(CLOCKS, execution_options={"no_parameters": True})
    op.execute(f"grant select on legal_clock to {', '.join(EVERYBODY)}")
    op.create_index("ix_flow_case_delivered_on", "flow_case", ["delivered_on"])
