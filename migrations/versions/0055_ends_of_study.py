"""Whose ordinary time of study is over is found by an index, not by looking at every student."""

from alembic import op

revision = "0055"
down_revision = "0054"


def upgrade() -> None:
    op.execute("create index ix_student_ends on student ((entry_year + study_length), status)")
