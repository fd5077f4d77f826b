"""试错 wrong passwords, counted in the database by account and address; the login may tell an account's owner."""

import sqlalchemy as sa
from alembic import op

from migrations.policies import protect

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "login_attempt",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("place", sa.String(45), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_login_attempt"),
    )
    op.create_index("ix_login_attempt_account", "login_attempt", ["account", "at"])
    op.create_index("ix_login_attempt_place", "login_attempt", ["place", "at"])
    protect("login_attempt", web=dict.fromkeys(("select", "insert", "delete"), "true"))
    op.execute("grant usage, select on all sequences in schema public to xueji_web")
    op.execute("grant execute on function raise_notices to xueji_web")
