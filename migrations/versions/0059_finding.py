"""What the committee found when it reviewed an appeal is recorded."""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"


def upgrade() -> None:
    op.add_column("flow_case", sa.Column("finding", sa.Text()))
