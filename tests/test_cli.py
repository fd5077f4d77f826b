"""The commands of the records office's machine, as the README and the issue write them."""

import os
import subprocess
import sys

from app import cluster
from tests.conftest import ROOT, Bed


def test_flask_finds_the_commands_without_being_told_where(bed: Bed):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLASK_")} | {
        "XUEJI_MODE": "test",
        "DATABASE_URL": bed.cluster.url(cluster.OWNER, "cast"),
        "XUEJI_WEB_DATABASE_URL": bed.cluster.url(cluster.WEB, "cast"),
    }
    command = [sys.executable, "-m", "flask", "xueji", "--help"]
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert {"admissions-file", "demo", "sync"} <= set(said.split())
