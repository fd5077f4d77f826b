"""Web server and worker do not start on a database in which a table lies open."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import cluster, create_app
from app.access.startup import UnsafeDatabase
from run import COMMANDS
from tests.conftest import ROOT, Bed, settings_for

LOOSE = {
    "row security off": "alter table student disable row level security",
    "owner exempt": "alter table student no force row level security",
    "table unknown to the migrations": "drop table student cascade",
}


@pytest.fixture
def database(bed: Bed) -> Iterator[str]:
    name = bed.copy()
    yield name
    cluster.drop_database(bed.admin, name)


@pytest.mark.parametrize("change", LOOSE.values(), ids=LOOSE.keys())
def test_no_application_on_an_open_table(change: str, bed: Bed, database: str, tmp_path: Path) -> None:
    with cluster.connect(bed.cluster.url(cluster.OWNER, database)) as owner:
        owner.execute(change)
    with pytest.raises(UnsafeDatabase, match="No row security on student") as refusal:
        create_app(settings_for(bed, database, tmp_path))
    assert "make deploy" in str(refusal.value) and "没有行级安全策略" in str(refusal.value)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_process_ends_and_says_why(name: str, bed: Bed, database: str, tmp_path: Path) -> None:
    with cluster.connect(bed.cluster.url(cluster.OWNER, database)) as owner:
        owner.execute("alter table student disable row level security")
    environment = os.environ | {
        "XUEJI_MODE": "demo",
        "XUEJI_VAR": str(tmp_path),
        "XUEJI_WEB_DATABASE_URL": bed.cluster.url(cluster.WEB, database),
        "BIND": f"unix:{tmp_path}/web.sock",
        "XUEJI_WEB_PROCESSES": "1",
    }
    ended = subprocess.run(COMMANDS[name], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0
    assert "No row security on student" in ended.stdout + ended.stderr
