"""经办人 hands: who can sign an open step, as a view; what was handed to somebody falls back when she no longer can."""

from alembic import op

from migrations.policies import EVERYBODY, SCOPES

revision = "0018"
down_revision = "0017"

# Staff with an account in use, one row a role.
HOLDERS = """
create view role_holder with (security_invoker) as
select i.id as identity_id, r.name as role, i.user_id, i.college_id, i.department_id
from identity i join ab_user u on u.id = i.user_id and u.active
    join identity_role t on t.identity_id = i.id join ab_role r on r.id = t.role_id
where i.student_id is null
"""
HOLDS = """h.role = s.role and coalesce(h.college_id, s.signing_college_id) = s.signing_college_id
        and h.department_id is not distinct from s.department_id"""
# A step without a row here is one that nobody can sign: no account holds its role, or whoever does has had a hand in
# the case that must be another's.
SIGNERS = f"""
create view step_signer with (security_invoker) as
select distinct s.id as step_id, s.case_id, h.user_id
from case_step s join role_holder h on {HOLDS}
where s.state = 'open' and coalesce(s.assigned_to, h.user_id) = h.user_id
    and not exists (select from identity i where i.user_id = h.user_id and i.student_id = s.student_id)
    and not exists (
        select from case_event e where e.case_id = s.case_id and e.actor_id = h.user_id and (
            e.act in ('submit', 'resubmit') and s.declared -> 'hands_differ_from' ? 'submit'
            or e.act = 'approve' and s.declared -> 'hands_differ_from' ? e.step_key))
"""
# Whoever keeps the accounts reaches no case; how many would wait for nobody, and where, she is told all the same.
VACANT = """
create function vacant_steps() returns table (step_id bigint, role text, college_id int)
    language sql stable security definer set search_path = public as $$
    select s.id, s.role::text, case when h.scoped then s.signing_college_id end
    from case_step s cross join lateral (select s.role in ('college_clerk', 'college_leader', 'section_head')) h(scoped)
    where s.state = 'open' and not exists (select from step_signer g where g.step_id = s.id) $$
"""
RELEASE = f"""
create function release_steps() returns trigger language plpgsql security definer set search_path = public as $$
begin
    with fallen as (
        select s.id, s.assigned_to from case_step s
        where s.assigned_to is not null and s.state in ('open', 'waiting')
            and not exists (select from role_holder h where h.user_id = s.assigned_to and {HOLDS})
        for update
    ), freed as (
        update case_step s set assigned_to = null from fallen f where f.id = s.id
        returning s.*, f.assigned_to as formerly
    ), noted as (
        insert into case_event (case_id, student_id, college_id, student_college_id, target_college_id, act, step_key,
            role, actor_id, actor_name)
        select f.case_id, f.student_id, f.college_id, f.student_college_id, f.target_college_id, 'release', f.key,
            f.role, f.formerly, concat(left(concat(u.last_name, u.first_name), 36), ' (', left(u.username, 40), ')')
        from freed f join ab_user u on u.id = f.formerly
    )
    insert into audit_entry (user_id, user_name, action, subject, subject_id, college_id, old, new, detail)
    select nullif(current_setting('app.user', true), '')::int, nullif(current_setting('app.user_name', true), ''),
        'case:release', 'flow_case', f.case_id, f.college_id, jsonb_build_object('assigned_to', f.formerly),
        '{{"assigned_to": null}}', jsonb_build_object('step', f.key)
    from freed f;
    return null;
end $$
"""
# A student who moves takes her open steps along: the college to which she belongs on the day signs. The step of the
# college to which she goes was that college's from the beginning.
FOLLOW = f"""
create function steps_follow_student() returns trigger language plpgsql security definer set search_path = public as $$
begin
    update case_step s set signing_college_id = new.college_id
    where s.student_id = new.id and s.state in ('open', 'waiting') and s.signing_college_id = old.college_id
        and not coalesce((s.declared ->> 'target')::boolean, false);
    update case_step s set assigned_to = null
    where s.student_id = new.id and s.state in ('open', 'waiting') and s.assigned_to is not null
        and not exists (select from role_holder h where h.user_id = s.assigned_to and {HOLDS});
    return null;
end $$
"""


def upgrade() -> None:
    for statement in (HOLDERS, SIGNERS, VACANT, RELEASE, FOLLOW):
        op.get_bind().exec_driver_sql(statement, execution_options={"no_parameters": True})
    for view in ("role_holder", "step_signer"):
        op.execute(f"grant select on {view} to {', '.join(EVERYBODY)}")
    for function in ("vacant_steps", "release_steps", "steps_follow_student"):
        op.execute(f"revoke execute on function {function} from public")
    op.execute(f"grant execute on function vacant_steps to xueji_web, {', '.join(f'xueji_{one}' for one in SCOPES)}")
    for table, change in (
        ("ab_user", "update of active"),
        ("identity", "update of user_id, college_id, department_id or delete"),
        ("identity_role", "insert or update or delete"),
    ):
        op.execute(f"create trigger release_steps after {change} on {table}"
                   " for each statement execute function release_steps()")  # fmt: skip
    op.execute("create trigger steps_follow_student after update of college_id on student for each row"
               " when (old.college_id is distinct from new.college_id) execute function steps_follow_student()")  # fmt: skip
    # what was left behind before is brought along
    op.execute("update case_step s set signing_college_id = t.college_id from student t where t.id = s.student_id"
               " and s.state in ('open', 'waiting') and s.signing_college_id = s.college_id"
               " and s.college_id <> t.college_id and not coalesce((s.declared ->> 'target')::boolean, false)")  # fmt: skip
