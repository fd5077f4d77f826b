"""院系调整: majors go over to another college on a day; a leave or a service that goes on is not ended by it."""

import sqlalchemy as sa
from alembic import op

from migrations.policies import COLLEGE, protect

revision = "0032"
down_revision = "0031"

# A setting as a number; its default where nobody has loaded the settings yet.
DAYS = "coalesce((select value::int from setting where key = '{key}'), {default})"
CLOCKS = f"""
create or replace view legal_clock with (security_invoker) as
select s.kind || ':' || s.student_id || ':' || s.due_on as id, s.* from (
    select case when s.status = 'deferred' then 'deferral' else 'leave' end as kind, s.id as student_id, s.college_id,
        c.case_id, c.effective_on as since, c.until as due_on
    from student s cross join lateral (
        select r.case_id, r.effective_on, r.until from roster_change r where r.student_id = s.id and r.code <> '26'
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
                from roster_change r where r.student_id = s.id and r.code <> '26') e where e.code = '19'), 0)::int +
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
        coalesce(f.appeal_until, f.delivered_on + {DAYS.format(key="appeal_days", default=10)})
    from flow_case f where f.delivered_on is not null
        -- what she has drafted or taken back is no appeal yet: her time runs
        and not exists (select from flow_case a where a.appealed_case_id = f.id and a.state not in ('draft', 'withdrawn'))
    union all
    -- of several terms the latest alone counts: who registers in spring is not missing in autumn any more
    select 'registration', r.student_id, r.student_college_id, null, r.since, r.due_on
    from registration r join student s on s.id = r.student_id
    where r.due_on is not null and s.status = 'enrolled'
        -- a term in which she left the school is settled: whoever comes back registers anew
        and not exists (select from roster_change e where e.student_id = r.student_id and e.effective_on >= r.since
            and e.new_status <> 'enrolled')
        and not exists (
        select from registration n where n.student_id = r.student_id and (n.year, n.season) > (r.year, r.season))
) s
"""


def upgrade() -> None:
    op.create_table(
        "reorganisation",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("major_id", sa.Integer(), nullable=False),
        sa.Column("old_college_id", sa.Integer(), nullable=False),
        sa.Column("new_college_id", sa.Integer(), nullable=False),
        sa.Column("new_code", sa.String(4), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("document_no", sa.String(24)),
        sa.Column("state", sa.String(10), server_default="waiting", nullable=False),
        sa.Column("students", sa.Integer()),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("recorded_by", sa.Integer(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.Column("settled_reason", sa.String(300)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reorganisation")),
        sa.ForeignKeyConstraint(["major_id"], ["major.id"], name=op.f("fk_reorganisation_major_id")),
        sa.ForeignKeyConstraint(["old_college_id"], ["college.id"], name=op.f("fk_reorganisation_old_college_id")),
        sa.ForeignKeyConstraint(["new_college_id"], ["college.id"], name=op.f("fk_reorganisation_new_college_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["ab_user.id"], name=op.f("fk_reorganisation_recorded_by")),
        sa.CheckConstraint(
            "state in ('waiting', 'applied', 'lapsed', 'annulled')", name=op.f("ck_reorganisation_state_known")
        ),
        sa.CheckConstraint(
            "(state = 'waiting') = (settled_at is null)", name=op.f("ck_reorganisation_settled_unless_waiting")
        ),
    )
    for column in ("major_id", "old_college_id", "new_college_id"):
        op.create_index(f"ix_reorganisation_{column}", "reorganisation", [column])
    op.create_index(
        "uq_reorganisation_waiting", "reorganisation", ["major_id"], unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    )  # fmt: skip
    protect(
        "reorganisation",
        school=dict.fromkeys(("select", "insert", "update"), "true"),
        auditor="true",
        college=f"old_college_id = {COLLEGE} or new_college_id = {COLLEGE}",
    )
    op.get_bind().exec_driver_sql(CLOCKS, execution_options={"no_parameters": True})
