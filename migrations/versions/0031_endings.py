"""Cases that took effect hinder no other; what ends with its student's roster; why an entry was taken off a list."""

import sqlalchemy as sa
from alembic import op

from migrations.policies import SCOPES

revision = "0031"
down_revision = "0030"

STATES = "'draft', 'open', 'sent_back', 'done', 'refused', 'withdrawn', 'ended'"
# Whoever sends a case back or refuses it takes its name off the lists; most of those who sign write no list.
TAKE_OFF = """
create function take_off_lists(cases bigint[], why text)
    returns table (entry_id bigint, case_id bigint, college_id int)
    language sql security definer set search_path = public as $$
    update publicity_entry e set removed = true, removed_why = left(why, 300)
    where e.case_id = any(cases) and not e.removed
    returning e.id, e.case_id, e.college_id $$
"""


def upgrade() -> None:
    op.add_column("flow_case", sa.Column("took_effect", sa.Boolean(), server_default="false", nullable=False))
    op.execute("update flow_case c set took_effect = true where exists (select from case_step s where s.case_id = c.id"
               " and s.state = 'done' and (s.declared ->> 'takes_effect')::boolean)")  # fmt: skip
    op.drop_index("uq_flow_case_running", "flow_case")
    op.create_index(
        "uq_flow_case_running",
        "flow_case",
        ["student_id", "flow"],
        unique=True,
        postgresql_where=sa.text("state in ('draft', 'open', 'sent_back') and not took_effect"),
    )
    op.drop_constraint(op.f("ck_flow_case_state_known"), "flow_case")
    op.create_check_constraint(op.f("ck_flow_case_state_known"), "flow_case", f"state in ({STATES})")
    op.add_column("publicity_entry", sa.Column("removed_why", sa.String(300)))
    op.get_bind().exec_driver_sql(TAKE_OFF, execution_options={"no_parameters": True})
    op.execute("revoke execute on function take_off_lists from public")
    op.execute(f"grant execute on function take_off_lists to {', '.join(f'xueji_{one}' for one in SCOPES)}")
    # a granted appeal exempts, in the registry's hand
    op.execute("grant insert on dismissal_exemption to xueji_school")
    op.execute("create policy school_insert on dismissal_exemption for insert to xueji_school with check (true)")
