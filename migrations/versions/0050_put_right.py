"""An entry of the ledger refers to the one that it puts right, or that an appeal has revoked."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"

REVOKED = """
update roster_change r set undoes_id = d.id
from flow_case a join roster_change d on d.case_id = a.appealed_case_id
where r.case_id = a.id and a.flow = 'appeal'
"""


def upgrade() -> None:
    op.add_column("roster_change", sa.Column("undoes_id", sa.BigInteger()))
    op.create_foreign_key(op.f("fk_roster_change_undoes_id"), "roster_change", "roster_change", ["undoes_id"], ["id"])
    op.create_unique_constraint(op.f("uq_roster_change_undoes_id"), "roster_change", ["undoes_id"])
    op.execute(REVOKED)
