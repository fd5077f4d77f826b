"""The migrations build what the models say: columns, types, constraints and indexes."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask

from app.models import Model


def test_the_migrated_schema_is_that_of_the_models(app: Flask, behind):
    behind.connection.exec_driver_sql("set local role xueji_owner")
    options = {
        "include_object": lambda item, name, kind, *_: not (kind == "table" and name.startswith("procrastinate_"))
    }
    context = MigrationContext.configure(behind.connection, opts=options | {"compare_type": True})
    assert compare_metadata(context, Model.metadata) == []
