"""A paper that no longer holds says so itself: void, revoked, corrected; a document names whose decision was revoked."""

import sqlalchemy as sa
from alembic import op

from migrations.policies import COLLEGE

revision = "0045"
down_revision = "0044"

TELL = "('change_notice', 'decision_letter')"
NEVER_CAME = f"""
update paper p set mark = 'void' from dated_effect e
where e.case_id = p.case_id and e.state in ('annulled', 'lapsed') and p.kind in {TELL}
"""
REVOKED = f"""
update paper p set mark = 'revoked' from flow_case a
where a.flow = 'appeal' and a.appealed_case_id = p.case_id and a.took_effect and p.kind in {TELL}
"""
# Until a state of its own came for it, an annulled case was called taken back, which nobody had done.
ENDED = """
update flow_case c set state = 'ended' from dated_effect e
where e.case_id = c.id and e.state = 'annulled' and c.state = 'withdrawn'
"""


# "Other" said little of what a granted appeal does: it restores the roster, or the admission.
RESTORED = """
update roster_change set code = case when new_status in ('admitted', 'deferred') then '15' else '17' end
where code = '99' and note = '撤销原处理'
"""


def upgrade() -> None:
    op.add_column("paper", sa.Column("mark", sa.String(10)))
    op.create_check_constraint(op.f("ck_paper_mark_known"), "paper", "mark in ('void', 'revoked', 'corrected')")
    for statement in (NEVER_CAME, REVOKED, ENDED, RESTORED):
        op.execute(statement)
    op.execute("grant update (mark) on paper to xueji_school")
    op.execute("create policy school_update on paper for update to xueji_school using (true) with check (true)")
    # the college to which a student goes reads what became of her change
    op.execute("create policy college_select_target on dated_effect for select to xueji_college using (exists ("
               f"select from flow_case c where c.id = case_id and c.target_college_id = {COLLEGE}))")  # fmt: skip
