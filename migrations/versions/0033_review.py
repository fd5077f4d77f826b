"""复查: an appeal has a last day, is told, and is reviewed by none who had a hand in the decision that it is about."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"

HOLDS = """h.role = s.role and coalesce(h.college_id, s.signing_college_id) = s.signing_college_id
        and h.department_id is not distinct from s.department_id"""
SIGNERS = f"""
create or replace view step_signer with (security_invoker) as
select distinct s.id as step_id, s.case_id, h.user_id
from case_step s join role_holder h on {HOLDS}
where s.state = 'open' and coalesce(s.assigned_to, h.user_id) = h.user_id
    and not exists (select from identity i where i.user_id = h.user_id and i.student_id = s.student_id)
    and not exists (
        select from case_event e where e.case_id = s.case_id and e.actor_id = h.user_id and (
            e.act in ('submit', 'resubmit') and s.declared -> 'hands_differ_from' ? 'submit'
            or e.act = 'approve' and s.declared -> 'hands_differ_from' ? e.step_key))
    and not exists (
        select from flow_case c join case_event e on e.case_id = c.appealed_case_id
        where s.declared -> 'hands_differ_from' ? 'about' and c.id = s.case_id and e.actor_id = h.user_id
            and e.act in ('submit', 'resubmit', 'approve'))
"""


def upgrade() -> None:
    for column in (
        sa.Column("review_until", sa.Date()),
        sa.Column("extended_reason", sa.String(300)),
        sa.Column("told_how", sa.String(12)),
        sa.Column("told_on", sa.Date()),
        sa.Column("next_appeal_until", sa.Date()),
    ):
        op.add_column("flow_case", column)
    # of those under way: what their first step was given, which was the time for the review
    op.execute("update flow_case c set review_until = cast(timezone('Asia/Shanghai', c.submitted_at) as date) + 15"
               " where c.flow = 'appeal' and c.state = 'open'")  # fmt: skip
    op.get_bind().exec_driver_sql(SIGNERS, execution_options={"no_parameters": True})
