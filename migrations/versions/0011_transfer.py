"""补办学生证 and 转专业: the number of a new card; rounds of transfers with their quotas and choices."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("flow_case", sa.Column("card_no", sa.String(20)))
