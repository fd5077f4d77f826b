"""A Chromium, and the real application — gunicorn, a worker, a database of its own — for tests that click."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import Row, create_engine, text
from werkzeug.security import generate_password_hash

from app import cluster
from app.demo import make_demo
from app.papers import load_templates
from run import end_with_parent
from tests.cast import PASSWORD
from tests.conftest import ROOT, TODAY, Bed
from tests.flows.many import make_leaves

WEB, WEB_AND_WORKER = ("web",), ("web", "worker")  # a worker takes seconds to start, and does nothing where no job is
LEAVES = 60
STUDENTS = 1500  # of the demo university: every college has some who can log in


@contextlib.contextmanager
def running(
    bed: Bed, database: str, folder: Path, today: date = TODAY, parts: tuple[str, ...] = WEB_AND_WORKER
) -> Iterator[str]:
    """The address of a web server, as `make web` starts it, until the block ends; and a worker, as `make worker` does."""
    environment = {
        "PATH": os.environ["PATH"],
        "XUEJI_MODE": "test",
        "XUEJI_TODAY": today.isoformat(),
        "XUEJI_WEB_DATABASE_URL": bed.cluster.url(cluster.WEB, database),
        "XUEJI_FILES": str(folder / "files"),
        "XUEJI_WEB_PROCESSES": "1",
    }
    # Listening begins here: a browser that comes before gunicorn is ready waits for its answer.
    with socket.create_server(("127.0.0.1", 0), backlog=64) as door:
        commands = {
            "web": [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"],
            "worker": [sys.executable, "-m", "app.jobs"],
        }
        logs = {name: folder / f"{name}.log" for name in parts}
        processes = []
        for name in parts:
            with logs[name].open("wb") as log:
                processes.append(subprocess.Popen(
                    commands[name], cwd=ROOT, env=environment | {"BIND": f"fd://{door.fileno()}"}, stdin=subprocess.DEVNULL,
                    stdout=log, stderr=log, pass_fds=[door.fileno()], preexec_fn=end_with_parent,
                ))  # fmt: skip
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            # before the end: a busy machine may have to kill what it is told to stop
            lines = [line for log in logs.values() for line in log.read_text().splitlines()]
            for process in processes:
                process.send_signal(signal.SIGINT)  # at once: nobody waits for an answer any more
            for process in processes:
                process.wait(30)
    errors = [line for line in lines if '"level": "error"' in line]
    assert not errors, "\n".join(errors)


@pytest.fixture(scope="session")
def site(bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The cast, and leaves that wait for the clerk. Tests decide only cases that are their own."""
    database = bed.copy()
    with create_engine(bed.cluster.url(cluster.OWNER, database)).begin() as connection:
        make_leaves(connection, LEAVES)
        connection.execute(text("update case_step set due_on = :day where state = 'open'"), {"day": date(2026, 9, 3)})
    with running(bed, database, tmp_path_factory.mktemp("site"), parts=WEB) as url:
        yield url


Sessions = dict[str, list[Any]]  # username → the cookies of her login at a site


class Visitor:
    """A person at a browser: `visitor.page`, and what the browser complained about. People may take turns at it: a
    browser for each costs more than all that she does there."""

    def __init__(self, context: BrowserContext, sessions: Sessions | None = None) -> None:
        self.context = context
        self.sessions = {} if sessions is None else sessions
        self.who = ""
        self.complaints: list[str] = []
        context.on("page", self._listen)
        self.page: Page = context.new_page()

    def _listen(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)

    def open(self, path: str) -> Page:
        self.page.goto(path)
        return self.page

    def become(self, username: str) -> "Visitor":
        """Whoever sat here leaves; this person logs in by the form, or takes up the session that she has. "" is nobody."""
        if username == self.who:
            return self
        self.open("about:blank")  # what is still on its way must not bring the other one's session back
        self.context.clear_cookies()
        self.who = username
        if username in self.sessions:
            self.context.add_cookies(self.sessions[username])
        elif username:
            self.open("/login/")
            while "/login" not in self.page.url:  # an answer that came late brought the other one's session back
                self.context.clear_cookies()
                self.open("/login/")
            self.page.fill("#username", username)
            self.page.fill("#password", PASSWORD)
            self.page.click("button.btn-block")
            self.page.wait_for_url(lambda url: "/login" not in url)
            self.sessions[username] = self.context.cookies()
        return self


Visit = Callable[..., Visitor]


@pytest.fixture(scope="session")
def sessions() -> dict[str, Sessions]:
    """site → the sessions that people have there."""
    return {}


@pytest.fixture
def visit(chromium: Browser, site: str, sessions: dict[str, Sessions]) -> Iterator[Visit]:
    """`visit("clerk", width=390, dark=True, english=True)` is that person at such a screen."""
    contexts = []

    def visit(username: str = "", *, width: int = 1440, dark: bool = False, english: bool = False) -> Visitor:
        context = chromium.new_context(
            viewport={"width": width, "height": 844 if width < 500 else 900}, base_url=site,
            color_scheme="dark" if dark else "light", locale="en" if english else "zh-CN",
        )  # fmt: skip
        contexts.append(context)
        visitor = Visitor(context, sessions.setdefault(site, {})).become(username)
        if english or username:
            visitor.open("/lang/en" if english else "/")
        return visitor

    yield visit
    for context in contexts:
        context.close()


class University:
    """The demo's university: the colleges and majors that the admissions office knows, and staff for all of them."""

    def __init__(self, bed: Bed, chromium: Browser, folder: Path) -> None:
        self.bed, self.chromium, self.folder = bed, chromium, folder
        self.database = bed.copy()
        self.owner = create_engine(bed.cluster.url(cluster.OWNER, self.database))
        hashed = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
        with self.owner.begin() as connection:
            connection.execute(
                text("truncate college, department, ab_user, term, transfer_round cascade")
            )  # the cast leaves
            make_demo(connection, STUDENTS, TODAY, lambda _username: hashed)
            load_templates(connection)  # they left with those who had edited them

    @contextlib.contextmanager
    def on(self, day: date, parts: tuple[str, ...] = WEB_AND_WORKER) -> Iterator[Callable[[str], Visitor]]:
        """The application on that day; `visit(username)` is a browser at which this person sits now."""
        with running(self.bed, self.database, self.folder, day, parts) as url:
            visitor = Visitor(self.chromium.new_context(base_url=url, locale="zh-CN"))
            yield visitor.become
            visitor.context.close()
        assert not visitor.complaints

    def rows(self, statement: str, **values: object) -> list[Row]:
        """What is really in the database."""
        with self.owner.connect() as connection:
            return list(connection.execute(text(statement), values))


@pytest.fixture
def university(bed: Bed, chromium: Browser, tmp_path: Path) -> Iterator[University]:
    made = University(bed, chromium, tmp_path)
    yield made
    made.owner.dispose()
    cluster.drop_database(bed.admin, made.database)


@pytest.fixture(scope="session")
def axe() -> Path:
    path = ROOT / "node_modules" / "axe-core" / "axe.min.js"
    if not path.exists():
        pytest.skip("axe-core is not installed: `make test` installs it")
    return path
