"""A leave ends with its last term: whether its end is an estimate, and the one way to move the end that the ledger keeps.

Leaves from before keep the day that their students were told: they have no estimate.
"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"

# The ledger is written once. What may follow the calendar is the end of a leave that its student is on, in the leave's
# entry and in those after it that carried it over.
FOLLOW = """
create function follow_terms(ends jsonb) returns table (case_id bigint, student_id bigint)
    language sql security definer set search_path = public as $$
    with leaves as (
        select r.id, r.case_id, r.student_id, r.until as old, (ends ->> r.case_id::text)::date as new
        from roster_change r join student s on s.id = r.student_id
        where r.case_id in (select key::bigint from jsonb_each_text(ends)) and r.code = '11' and s.status = 'on_leave'
            and not exists (select from roster_change l where l.student_id = r.student_id and l.id > r.id
                and l.until is distinct from r.until)
    ), moved as (
        update roster_change r set until = l.new from leaves l
        where r.student_id = l.student_id and r.id >= l.id and r.until = l.old
    )
    select l.case_id, l.student_id from leaves l $$
"""


def upgrade() -> None:
    op.add_column("flow_case", sa.Column("until_estimated", sa.Boolean()))
    op.get_bind().exec_driver_sql(FOLLOW, execution_options={"no_parameters": True})
    op.execute("revoke execute on function follow_terms from public")
    op.execute("grant execute on function follow_terms to xueji_school")
