"""The link of a calendar ends with the password under which it was made, and with the account: another must be made."""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"


def upgrade() -> None:
    op.add_column("calendar_feed", sa.Column("ended", sa.Boolean(), server_default="false", nullable=False))
    op.execute("""
        create or replace function end_sessions_of_account() returns trigger language plpgsql
        security definer set search_path = public as $$
        begin
            perform end_sessions(array[new.id]);
            update calendar_feed set version = version + 1, ended = true where user_id = new.id;
            return null;
        end $$
    """)
