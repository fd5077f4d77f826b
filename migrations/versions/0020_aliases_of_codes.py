"""Codes have aliases: further words that a workbook may name them by. The reference data fills them at the next deploy."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("code", sa.Column("aliases", sa.String(400)))
