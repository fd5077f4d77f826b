"""`make run` as a person lives it: started, started twice, killed in parts, stopped, started again."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from app.cluster import WEB, Cluster, connect
from run import StartError, door

ROOT = Path(__file__).parent.parent
SLOWEST = 120.0  # seconds until a wait counts as failed


def commands(parent: int) -> list[str]:
    """The command lines of a process's living children; one that has just died has none."""
    found = []
    for child in psutil.Process(parent).children():
        with suppress(psutil.NoSuchProcess):  # a zombie is one, too
            found.append(" ".join(child.cmdline()))
    return found


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + SLOWEST
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)  # processes of their own: there is nothing to wait on but their answers


class Home:
    """A folder of its own, with a port of its own, and what runs there."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder
        self.output = folder / "output.txt"
        self.processes: list[subprocess.Popen] = []

    def start(self, **change: str) -> subprocess.Popen:
        environment = {name: value for name, value in os.environ.items() if not name.endswith("DATABASE_URL")}
        environment |= {"XUEJI_VAR": str(self.folder), "PORT": str(self.port), "XUEJI_DEMO_STUDENTS": "300"} | change
        with self.output.open("wb") as output:
            command = [sys.executable, "run.py"]
            main = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        self.processes.append(main)
        return main

    def said(self) -> str:
        return self.output.read_text()

    def get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()

    def ready(self) -> bool:
        return self.get("/ready")[0] == 200


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    for main in home.processes:
        main.kill()
        main.wait()
    Cluster(tmp_path / "pg").stop()


def test_a_taken_port_is_told_before_anything_starts(home: Home) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", home.port))
        other.listen()
        assert home.start().wait(SLOWEST) == 1
    assert (
        f"127.0.0.1:{home.port}: Address already in use. Choose another: PORT={home.port + 1} make run" in home.said()
    )
    assert not (home.folder / "pg").exists()


def test_a_port_that_is_none(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home.start(PORT="http").wait(SLOWEST) == 1
    assert "PORT is 'http'" in home.said() and "Traceback" not in home.said()
    for port in ("0", "70000", "-1"):
        monkeypatch.setenv("PORT", port)
        with pytest.raises(StartError, match=f"PORT is '{port}'"):
            door()


def test_production_without_a_secret_does_not_start(home: Home) -> None:
    assert home.start(XUEJI_MODE="production", XUEJI_SECRET_KEY="").wait(SLOWEST) == 1
    assert "Set XUEJI_SECRET_KEY" in home.said() and "请将 XUEJI_SECRET_KEY" in home.said()
    assert "Traceback" not in home.said()
    assert not Cluster(home.folder / "pg").running()


def test_start_twice_kill_stop_and_start_again(home: Home) -> None:
    main = home.start()
    wait_until(lambda: main.poll() is not None or "Stop: Ctrl-C" in home.said())
    assert f"http://127.0.0.1:{home.port}" in home.said() and "registry" in home.said()
    wait_until(home.ready)
    assert home.get("/login/")[0] == 200
    first_output, home.output = home.output, home.folder / "second.txt"

    assert home.start().wait(SLOWEST) == 1
    assert f"runs from this folder already: http://127.0.0.1:{home.port}" in home.said()
    home.output = first_output

    for part in ("gunicorn", "app.jobs"):
        child = next(p for p in psutil.Process(main.pid).children() if part in " ".join(p.cmdline()))
        child.kill()
        wait_until(lambda: "starts again" in home.said())
        wait_until(lambda part=part: any(part in command for command in commands(main.pid)))
        wait_until(home.ready)

    everyone = psutil.Process(main.pid).children(recursive=True)
    main.send_signal(signal.SIGTERM)
    assert main.wait(SLOWEST) == 0
    assert psutil.wait_procs(everyone, timeout=0)[1] == []
    assert not Cluster(home.folder / "pg").running()

    main = home.start()
    wait_until(lambda: main.poll() is not None or "Stop: Ctrl-C" in home.said())
    assert "nothing changed" in home.said()
    with connect(Cluster(home.folder / "pg").url(WEB)) as web:
        web.execute("set role xueji_school")
        assert web.execute("select count(*) from student").fetchone()[0] >= 300
    children = psutil.Process(main.pid).children()
    main.kill()
    assert psutil.wait_procs(children, timeout=SLOWEST)[1] == []
    for name in ("web", "worker"):
        for line in (home.folder / "log" / f"{name}.log").read_text().splitlines():
            assert json.loads(line)["level"] in ("info", "warning"), line
