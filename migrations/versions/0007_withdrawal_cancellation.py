"""The columns of 注销学籍; 自动退学 and 主动降级 need none of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("flow_case", sa.Column("died_on", sa.Date()))
