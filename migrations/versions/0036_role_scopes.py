"""角色范围 a role counts where it reaches: one with rows of its own is held by an identity for those rows alone."""

from alembic import op

revision = "0036"
down_revision = "0035"

# With it every rule about hands says the same: who signs, where nobody does, who is told, who may be a deputy. A college's
# role without a college is that of no college, not of all.
HOLDERS = """
create or replace view role_holder with (security_invoker) as
select i.id as identity_id, r.name as role, i.user_id, i.college_id, i.department_id
from identity i join ab_user u on u.id = i.user_id and u.active
    join identity_role t on t.identity_id = i.id join ab_role r on r.id = t.role_id
where i.student_id is null and i.scope = case
    when r.name in ('registry', 'affairs_director', 'vice_president', 'exam_center', 'operations') then 'school'
    when r.name in ('admissions', 'it_office') then 'freshmen'
    when r.name = 'transfer_panel' then 'transfers'
    when r.name in ('college_clerk', 'college_leader', 'section_head') then 'college'
    when r.name in ('teacher', 'department', 'auditor', 'student') then r.name
    else i.scope end
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(HOLDERS, execution_options={"no_parameters": True})
    op.execute("drop trigger release_steps on identity")
    op.execute("create trigger release_steps after update of user_id, scope, college_id, department_id or delete on identity"
               " for each statement execute function release_steps()")  # fmt: skip
    # what was handed to somebody who by this no longer holds the role falls back to all who do
    op.execute("update case_step s set assigned_to = null where s.assigned_to is not null and s.state in ('open', 'waiting')"
               " and not exists (select from role_holder h where h.user_id = s.assigned_to and h.role = s.role"
               " and coalesce(h.college_id, s.signing_college_id) = s.signing_college_id"
               " and h.department_id is not distinct from s.department_id)")  # fmt: skip
