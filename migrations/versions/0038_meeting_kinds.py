"""A step that asks for a meeting says of which kind: those of running cases do so from now on."""

from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    op.execute("""
        update case_step set declared = jsonb_set(declared, '{meeting}', case
            when declared -> 'meeting' <> 'true' then 'null'::jsonb
            when role in ('college_clerk', 'college_leader') then '"college"'
            when role = 'transfer_panel' then '"committee"' else '"school"' end)
        where declared ? 'meeting'
    """)
