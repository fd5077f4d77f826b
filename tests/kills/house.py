"""A university on a database of its own, with real worker and web processes that are killed and started again."""

import http.client
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener

from flask import Flask
from sqlalchemy import create_engine, text
from werkzeug.test import stream_encode_multipart

from app import cluster, create_app
from app.access import Actor
from app.models import JobState, db
from run import end_with_parent
from tests.cast import PASSWORD
from tests.conftest import ROOT, TODAY, Bed, settings_for
from tests.flows.conftest import acting
from tests.kit.job_fixtures import PATIENCE, Office, Workers

ENDS = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
ACTIVITY = """
select pid, state, wait_event_type, regexp_replace(left(query, 60), '\\s+', ' ', 'g') as query from pg_stat_activity
where datname = current_database() and usename = 'xueji_web'
    and (state <> 'idle' or backend_xid is not null)
order by backend_xid is null, xact_start
"""


class House:
    """One database and its files, seen from behind by `rows` and `one`, whoever may see what."""

    def __init__(self, bed: Bed, database: str, folder: Path) -> None:
        self.bed, self.database = bed, database
        self.app: Flask = create_app(settings_for(bed, database, folder / "files"))
        self.files = folder / "files"
        self.owner = create_engine(bed.cluster.url(cluster.SUPERUSER, database))
        self.office = Office(self.app)
        self.cast = self.office.cast
        self.workers = Workers(self.office)
        self.web = Web(bed, database, folder)

    def rows(self, statement: str, **values: Any) -> list[tuple]:
        with self.owner.begin() as connection:
            return [tuple(row) for row in connection.execute(text(statement), values)]

    def one(self, statement: str, **values: Any) -> Any:
        ((value,),) = self.rows(statement, **values)
        return value

    def paths(self, *below: str) -> list[Path]:
        """Every file and every empty folder's place in the files folder, or below one part of it."""
        return [path for path in self.files.joinpath(*below).rglob("*") if path.is_file()]

    def wait(self, condition: Callable[[], object], what: str) -> None:
        self.workers.wait(condition, what)

    def at_work(self) -> list[tuple]:
        """(pid, state, wait_event_type, query) of every session of web or worker that is not idle, the writer first."""
        return self.rows(ACTIVITY)

    def blocked(self) -> bool:
        return any(wait == "Lock" for _pid, _state, wait, _query in self.at_work())

    def quiet(self) -> None:
        """Wait until the sessions of the dead have ended, and look that they hold nothing."""
        self.wait(lambda: not self.at_work(), "the killed process's transaction has ended")

    def holds_nothing(self) -> None:
        """No lock, no temporary table, no prepared transaction stays behind."""
        self.quiet()
        assert self.one("select count(*) from pg_locks where locktype = 'advisory'") == 0
        assert self.one("select count(*) from pg_prepared_xacts") == 0
        assert self.one("select count(*) from pg_class where relpersistence = 't' and relkind = 'r'") == 0

    @contextmanager
    def stopped_at(self, table: str) -> Iterator[None]:
        """Whoever would write to the table waits, until the block ends."""
        with self.owner.begin() as connection:
            connection.execute(text(f"lock table {table} in share mode"))
            yield

    def actor(self, username: str) -> Actor:
        with self.app.app_context():
            return getattr(self.cast, username)

    def do(self, username: str, verb: Callable, *args: Any, **kwargs: Any) -> Any:
        """Call an operation as this person's request would."""
        with self.app.app_context():
            return acting(getattr(self.cast, username), verb, *args, **kwargs)

    def state(self, run_id: int) -> str:
        return self.one("select state from job_run where id = :id", id=run_id)

    def run_ends(self, run_id: int) -> dict[str, Any]:
        """The run's row when it has ended, whatever its end."""
        self.wait(lambda: self.state(run_id) in ENDS, f"run {run_id} has ended")
        return self.one("select to_jsonb(job_run) from job_run where id = :id", id=run_id)

    def kill_worker(self, victim: subprocess.Popen) -> None:
        """kill -9; the processes that it had started must end by themselves."""
        started = children(victim.pid)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        self.wait(lambda: not any(alive(pid) for pid in started), "the killed worker's parser has ended")

    def close(self) -> None:
        self.web.kill()
        for process in self.workers.processes:
            process.kill()
            process.wait()
        self.owner.dispose()
        with self.app.app_context():
            db.engine.dispose()


class Web:
    """gunicorn as `make web` starts it, behind a port that stays open when it is killed."""

    def __init__(self, bed: Bed, database: str, folder: Path) -> None:
        self.door = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.door.getsockname()[1]}"
        self.log = folder / "web.log"
        self.environment = {
            "PATH": os.environ["PATH"], "XUEJI_MODE": "test", "XUEJI_TODAY": TODAY.isoformat(),
            "XUEJI_WEB_DATABASE_URL": bed.cluster.url(cluster.WEB, database), "XUEJI_FILES": str(folder / "files"),
            "XUEJI_WEB_PROCESSES": "1", "BIND": f"fd://{self.door.fileno()}",
        }  # fmt: skip
        self.master: subprocess.Popen | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.master = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"], cwd=ROOT, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[self.door.fileno()],
                preexec_fn=end_with_parent,
            )  # fmt: skip

    def kill(self, *, master: bool = True) -> None:
        """kill -9 of the processes that serve, and of the master, which would start others in their place."""
        if self.master is None:
            return
        serving = children(self.master.pid)
        if master:
            self.master.kill()
            self.master.wait()
            self.master = None
        for pid in serving:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)


class Stay(HTTPRedirectHandler):
    """Where an act leads to is told, not gone to."""

    def redirect_request(self, *_answer: Any) -> None:
        return None


class Browser:
    """A person who has logged in over HTTP; `post` sends a form as the pages do."""

    def __init__(self, url: str, username: str) -> None:
        self.url, self.token = url, ""
        self.opener = build_opener(HTTPCookieProcessor(CookieJar()), Stay())
        (self.token,) = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', self.get("/login/"))[:1]
        self.post("/login/", username=username, password=PASSWORD)
        self.token = re.findall(r'name="csrf[-_]token"[^>]*(?:value|content)="([^"]+)"', self.get("/"))[0]

    def get(self, path: str) -> str:
        with self.opener.open(self.url + path, timeout=PATIENCE) as answer:
            return answer.read().decode()

    def post(self, path: str, **fields: Any) -> tuple[str, bytes]:
        """The address that it leads to, and what came back. Raises OSError when the server dies."""
        stream, length, boundary = stream_encode_multipart(fields | {"csrf_token": self.token})
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": str(length)}
        request = Request(self.url + path, stream.read(), headers)  # noqa: S310 - our own server
        try:
            with self.opener.open(request, timeout=PATIENCE) as answer:
                return answer.url, answer.read()
        except HTTPError as answer:
            if answer.code != HTTPStatus.FOUND:
                raise
            return answer.headers["Location"], b""

    @contextmanager
    def posting(self, path: str, **fields: Any) -> Iterator[dict[str, Any]]:
        """Post in a thread of its own while the block runs; afterwards `answer`, or `broken`, tells what came back."""
        came: dict[str, Any] = {}

        def send() -> None:
            try:
                came["answer"] = self.post(path, **fields)
            except HTTPError as refused:
                came["refused"] = (refused.code, refused.read().decode())
            except (OSError, http.client.HTTPException) as broken:
                came["broken"] = broken

        thread = threading.Thread(target=send)
        thread.start()
        try:
            yield came
        finally:
            thread.join(PATIENCE)


def children(pid: int) -> list[int]:
    """The processes that this one started, and theirs."""
    direct = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*direct, *itertools.chain.from_iterable(map(children, direct))]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
