"""The job queue: Procrastinate's own tables and functions, open to every scope role (enqueueing is transactional)."""

from alembic import op
from procrastinate.schema import SchemaManager

from migrations.policies import EVERYBODY

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    cursor = op.get_bind().connection.driver_connection.cursor()
    cursor.execute(SchemaManager.get_schema())  # several statements at once: only the driver itself takes them
    cursor.close()
    roles = ", ".join(EVERYBODY)
    tables = [
        name
        for (name,) in op.get_bind().exec_driver_sql(
            "select tablename from pg_tables where schemaname = 'public' and starts_with(tablename, 'procrastinate_')"
        )
    ]
    for table in tables:
        op.execute(f"grant select, insert, update, delete on {table} to {roles}")
    op.execute(f"grant usage, select on all sequences in schema public to {roles}")
    op.execute("grant select on alembic_version to xueji_web")  # /ready compares it with the migrations
