"""Alembic: migrations run as the owner of the database, each in a transaction of its own."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from app.models import Model
from config import load

OTHERS = ("procrastinate_",)  # the job queue brings its own tables


def include_object(item, name, kind, reflected, compare_to) -> bool:
    return not (kind == "table" and (name.startswith(OTHERS) or item.info.get("view")))


def run() -> None:
    url = context.config.attributes.get("url") or load()["XUEJI_OWNER_URL"]
    engine = create_engine(str(url), poolclass=pool.NullPool)
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
