"""学期注册: who has registered for a term, with a legal clock for whoever has not; clocks that ended too early or never."""

import sqlalchemy as sa
from alembic import op

from migrations.policies import COLLEGE, OF_COLLEGE, OF_STUDENT, protect

revision = "0015"
down_revision = "0014"

HIS_STUDENT = "exists (select from student s where s.id = student_id)"
# A setting as a number; its default where nobody has loaded the settings yet.
DAYS = "coalesce((select value::int from setting where key = '{key}'), {default})"
CLOCKS = f"""
create or replace view legal_clock with (security_invoker) as
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
    from absence a join student s on s.id = a.student_id where a.ended_on is null and s.status = 'enrolled'
    union all
    select 'publicity', e.student_id, e.student_college_id, e.case_id, p.opens_on, p.closes_on
    from publicity_entry e join publicity p on p.id = e.publicity_id
    where not e.removed and exists (
        select from case_step t where t.case_id = e.case_id and t.state = 'open' and (t.declared ->> 'publicity')::boolean)
    union all
    select 'appeal', f.student_id, f.student_college_id, f.id, f.delivered_on,
        f.delivered_on + {DAYS.format(key="appeal_days", default=10)}
    from flow_case f where f.delivered_on is not null
        -- what she has drafted or taken back is no appeal yet: her time runs
        and not exists (select from flow_case a where a.appealed_case_id = f.id and a.state not in ('draft', 'withdrawn'))
    union all
    -- of several terms the latest alone counts: who registers in spring is not missing in autumn any more
    select 'registration', r.student_id, r.student_college_id, null, r.since, r.due_on
    from registration r join student s on s.id = r.student_id
    where r.due_on is not null and s.status = 'enrolled' and not exists (
        select from registration n where n.student_id = r.student_id and (n.year, n.season) > (r.year, r.season))
) s
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
    # few rows of many: the clocks look at those alone
    op.create_index(
        "ix_registration_due_on", "registration", ["due_on"], postgresql_where=sa.text("due_on is not null")
    )
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
    op.get_bind().exec_driver_sql(CLOCKS, execution_options={"no_parameters": True})
