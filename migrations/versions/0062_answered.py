"""What the legality review found, how a defence was answered, and another ground in words."""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"


def upgrade() -> None:
    for column in (
        sa.Column("legality_result", sa.String(12)),
        sa.Column("other_ground", sa.String(200)),
        sa.Column("defence_taken", sa.String(12)),
        sa.Column("defence_answer", sa.Text()),
    ):
        op.add_column("flow_case", column)
