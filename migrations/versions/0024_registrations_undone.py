"""An act of recording registrations can be taken back: a row keeps what stood before, and its college may delete it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import COLLEGE

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("registration", sa.Column("act", sa.BigInteger()))
    op.add_column("registration", sa.Column("before", postgresql.JSONB()))
    op.execute("create sequence registration_act")
    op.execute("grant usage on sequence registration_act to xueji_college")
    op.execute("grant delete on registration to xueji_college")
    op.execute(
        "create policy college_delete on registration for delete to xueji_college"
        f" using (college_id = {COLLEGE} and student_college_id = {COLLEGE})"
    )
