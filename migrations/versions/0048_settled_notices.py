"""A notice that a case waits is settled when the case does so no more, whoever ended that."""

from alembic import op

from migrations.policies import EVERYBODY

revision = "0048"
down_revision = "0047"

# Whoever is told of a step may act as somebody else just now, and not see it: the function says of a notice's own step
# whether it is open, and of no other.
FUNCTION = """
create function notice_settled(told text) returns boolean
    language sql stable security definer set search_path = public as $$
    select told ~ '^waits:[0-9]{1,18}:' and not exists (
        select from case_step s
        where s.state = 'open' and s.id = case when told ~ '^waits:[0-9]{1,18}:' then split_part(told, ':', 2)::bigint end)
$$
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(FUNCTION)
    op.execute("revoke execute on function notice_settled from public")
    op.execute(f"grant execute on function notice_settled to {', '.join(EVERYBODY)}")
