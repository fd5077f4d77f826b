"""编班 is a kind of its own in the ledger; entries made so far called it a correction of data."""

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.execute("update roster_change set code = 'A3' where code = 'I1' and note = '新生编班'")
