"""A change of personal data keeps what stood before it; for changes made already it is read out of the history."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0043"
down_revision = "0042"

FIELDS = ("name", "id_number", "birth_date", "sex", "ethnic_group")


def upgrade() -> None:
    op.add_column("flow_case", sa.Column("was", JSONB()))
    old = ", ".join(
        f"'{field}', (select f.old from field_change f where f.student_id = c.student_id and f.field = '{field}'"
        f" and f.new = c.new_{field}::text order by f.id desc limit 1)"
        for field in FIELDS
    )
    op.execute(f"update flow_case c set was = jsonb_strip_nulls(jsonb_build_object({old}))"
               " where flow = 'info_change' and took_effect")  # fmt: skip
