"""Cases and papers are found by their student's name however it is written, and cases sorted by its pinyin."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    for table in ("flow_case", "paper"):
        op.add_column(table, sa.Column("subject_key", sa.String(240), sa.Computed("folded(subject)", persisted=True)))
        op.create_index(f"ix_{table}_subject_key", table, ["subject_key"])
    op.add_column("flow_case", sa.Column("subject_pinyin", sa.String(120), server_default="", nullable=False))
    op.execute("update flow_case c set subject_pinyin = s.pinyin from student s where s.id = c.student_id")
