"""Alembic: migrations run as the owner of the database, each in a transaction of its own."""

import os
import sys
from pathlib import Path

from alembic import context
from sqlalchemy import create_engine, pool, text

sys.path.insert(0, str(Path(__file__).parent.parent))  # the alembic command does not put the tree on the path

import app.models  # noqa: E402
from app.models.base import Model  # noqa: E402

OTHERS = ("procrastinate_",)  # the job queue brings its own tables


def include_object(item, name, kind, reflected, compare_to) -> bool:
    return not (kind == "table" and name.startswith(OTHERS))


def run() -> None:
    url = context.config.attributes.get("url") or os.environ["DATABASE_URL"]
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("set lock_timeout = '10s'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Model.metadata,
            include_object=include_object,
            transaction_per_migration=True,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
