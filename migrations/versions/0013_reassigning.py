"""改派 reassigning: an open step may be handed to one of those who hold its role."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("case_step", sa.Column("assigned_to", sa.Integer()))
    op.create_foreign_key("fk_case_step_assigned_to", "case_step", "ab_user", ["assigned_to"], ["id"])
    op.create_index("ix_case_step_assigned_to", "case_step", ["assigned_to"])
