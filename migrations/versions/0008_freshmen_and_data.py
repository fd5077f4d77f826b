"""保留入学资格, 恢复与放弃入学资格, 学籍信息修改: their columns, and the admissions office's sight of freshmen's cases."""

import sqlalchemy as sa
from alembic import op

from migrations.policies import protect

revision = "0008"
down_revision = "0007"

# The office reaches the cases of students who hold no formal 学籍 yet; its own policy on student answers.
HIS_FRESHMAN = "exists (select from student s where s.id = student_id)"


def upgrade() -> None:
    for column in (
        sa.Column("deferred_until", sa.Date()),
        sa.Column("new_name", sa.String(60)),
        sa.Column("new_id_number", sa.String(30)),
        sa.Column("new_birth_date", sa.Date()),
        sa.Column("new_sex", sa.String(1)),
        sa.Column("new_ethnic_group", sa.String(2)),
    ):
        op.add_column("flow_case", column)
    for table, acts in (
        ("flow_case", ("select", "update")),
        ("case_step", ("select", "update")),
        ("case_event", ("select", "insert")),
        ("case_material", ("select",)),
    ):
        protect(table, freshmen=dict.fromkeys(acts, HIS_FRESHMAN))
