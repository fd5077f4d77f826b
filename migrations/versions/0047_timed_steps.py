"""Nobody is reported in before the day of her return: running cases know the day as well."""

from alembic import op

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    op.execute("""
        update case_step s set declared = jsonb_set(s.declared, '{timed}', '"return_on"'),
            due_on = case when s.state = 'open' then greatest(s.due_on, c.return_on + s.days) end
        from flow_case c where c.id = s.case_id and c.flow = 'return' and s.key = 'report_in'
            and s.state in ('open', 'waiting')
    """)
