"""Steps that go along with a student who moves are audited, each case by itself."""

from alembic import op

revision = "0040"
down_revision = "0039"

HOLDS = """h.role = s.role and coalesce(h.college_id, s.signing_college_id) = s.signing_college_id
                and h.department_id is not distinct from s.department_id"""
FOLLOW = f"""
create or replace function steps_follow_student() returns trigger language plpgsql security definer set search_path = public as $$
declare moved bigint[]; freed bigint[];
begin
    with of_step as (
        update case_step s set signing_college_id = new.college_id
        where s.student_id = new.id and s.state in ('open', 'waiting') and s.signing_college_id = old.college_id
            and not coalesce((s.declared ->> 'target')::boolean, false)
        returning s.case_id)
    select array_agg(distinct case_id) into moved from of_step;
    with of_step as (
        update case_step s set assigned_to = null
        where s.student_id = new.id and s.state in ('open', 'waiting') and s.assigned_to is not null
            and not exists (select from role_holder h where h.user_id = s.assigned_to and {HOLDS})
        returning s.case_id)
    select array_agg(distinct case_id) into freed from of_step;
    insert into audit_entry (user_id, user_name, action, subject, subject_id, college_id, old, new)
    select nullif(current_setting('app.user', true), '')::int, nullif(current_setting('app.user_name', true), ''),
        'case:follow', 'flow_case', c.id, c.college_id, jsonb_build_object('college', o.name),
        jsonb_build_object('college', n.name) || case when c.id = any(freed) then jsonb '{{"assigned_to": null}}' else '{{}}' end
    from flow_case c join college o on o.id = old.college_id join college n on n.id = new.college_id
    where c.id = any(moved || freed) order by c.id;
    return null;
end $$
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(FOLLOW, execution_options={"no_parameters": True})
