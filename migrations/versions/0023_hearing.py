"""告知与审查: how a student was heard before a decision against her, and who examined its legality."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    for column in (
        sa.Column("informed_how", sa.String(12)),
        sa.Column("informed_on", sa.Date()),
        sa.Column("defence", sa.Text()),
        sa.Column("legality_by", sa.String(80)),
        sa.Column("legality_on", sa.Date()),
        sa.Column("legality_opinion", sa.Text()),
    ):
        op.add_column("flow_case", column)
