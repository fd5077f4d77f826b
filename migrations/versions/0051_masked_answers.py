"""What a mail server answered often repeats the address of the letter, which everybody else sees masked."""

from alembic import op

revision = "0051"
down_revision = "0050"


def upgrade() -> None:
    op.execute("update mail set error = replace(error, recipient, '***') where position(recipient in error) > 0")
