"""Eight threads of the real web server, several people at once: nobody's answer holds anything of another's.

If this fails after a change: something of one request was kept where the next one finds it: on a view, a module, a
connection, or in a variable of the thread.
"""

import contextlib
import http.client
import json
import os
import random
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from app import cluster
from run import end_with_parent
from tests.cast import PASSWORD, STUDENTS
from tests.conftest import ROOT, TODAY, Bed

THREADS = 8
OURS = {f"学生1{number}" for number in range(1, STUDENTS + 1)}
THEIRS = {f"学生2{number}" for number in range(1, STUDENTS + 1)}
# username → (language, the students whom she reaches, whether the roster is open to her)
PEOPLE: dict[str, tuple[str, set[str], bool]] = {
    "registry": ("zh", OURS | THEIRS, True),
    "director": ("en", OURS | THEIRS, True),
    "clerk": ("en", OURS, True),
    "leader": ("zh", OURS, True),
    "clerk2": ("zh", THEIRS, True),
    "student": ("en", {"学生11"}, True),
    "student2": ("zh", {"学生21"}, True),
    "admin": ("en", set(), False),
}
CHINESE_FRAME, ENGLISH_FRAME = ">退出登录<", ">Logout<"


@dataclass(frozen=True)
class Question:
    """An address, whom the answer must name for somebody who reaches everybody, and whether it is the roster's."""

    path: str
    names: frozenset[str] = frozenset()
    roster: bool = True


def questions(username: str) -> list[Question]:
    """The lists, pages and API of students as this person asks for them, her search among them."""
    everybody = frozenset(OURS | THEIRS)
    college = 1 + list(PEOPLE).index(username) % 2  # neighbours seek different ones
    herself = PEOPLE[username][1] if username.startswith("student") else set()
    of_college = frozenset(OURS if college == 1 else THEIRS)
    return [
        Question("/", frozenset(herself), roster=False),  # a student's own page
        Question("/jobs/", roster=False),
        Question("/casescreen/list/"),
        Question("/studentscreen/list/", everybody),
        Question(f"/studentscreen/list/?_flt_1_name={sought(username)}"),
        Question(f"/studentscreen/list/?_flt_1_name={quote('生1')}", frozenset(OURS)),
        Question("/studentscreen/show/101", frozenset({"学生11"})),
        Question("/studentscreen/show/201", frozenset({"学生21"})),
        Question("/api/v1/student/?q=(page_size:100)", everybody),
        Question(f"/api/v1/student/?q={quote(f'(filters:!((col:name,opr:sw,value:学生{college})))')}", of_college),
        Question("/api/v1/student/101", frozenset({"学生11"})),
        Question("/api/v1/student/201", frozenset({"学生21"})),
    ]


def sought(username: str) -> str:
    return f"sought-by-{username}."


class Person:
    """Somebody at a browser of her own, logged in, in her language."""

    def __init__(self, port: int, username: str) -> None:
        self.username = username
        self.language, self.reach, self.roster = PEOPLE[username]
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.cookie = ""
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.ask("/login/")[1])
        assert token is not None
        form = {"username": username, "password": PASSWORD, "csrf_token": token[1]}
        assert self.ask("/login/", urlencode(form))[0] == 302
        self.ask(f"/lang/{self.language}")

    def ask(self, path: str, form: str | None = None) -> tuple[int, str]:
        headers = {"Cookie": self.cookie} | ({"Content-Type": "application/x-www-form-urlencoded"} if form else {})
        self.connection.request("POST" if form else "GET", path, form, headers)
        answer = self.connection.getresponse()
        if cookie := answer.headers.get("Set-Cookie"):
            self.cookie = cookie.partition(";")[0]
        return answer.status, answer.read().decode()

    def faults(self, question: Question) -> Iterator[str]:
        """What is wrong with the answer to a question."""
        status, text = self.ask(question.path)
        expected = question.names & self.reach
        if question.roster and not self.roster:
            allowed = {403}
        elif "/101" in question.path or "/201" in question.path:
            allowed = {200 if expected else 404}
        else:
            allowed = {200}
        if status not in allowed:
            yield f"answered {status}"
        if question.path.startswith("/api/"):
            text = json.dumps(json.loads(text), ensure_ascii=False)
        else:
            yield from self.wrong_frame(text)
        if (named := set(re.findall(r"学生\d\d", text))) != expected:
            yield f"names {sorted(named)} instead of {sorted(expected)}"
        if strange := {other for other in PEOPLE if other != self.username and sought(other) in text}:
            yield f"shows what {sorted(strange)} sought"

    def wrong_frame(self, text: str) -> Iterator[str]:
        """The page's frame: whose name and which language it has."""
        if (names := re.findall(r'<p class="menu-head">(\w+)</p>\s*<a', text)) != [self.username]:
            yield f"is headed {names}"
        language = re.findall(r'<html lang="([^"]+)"', text)
        frame, other = (CHINESE_FRAME, ENGLISH_FRAME) if self.language == "zh" else (ENGLISH_FRAME, CHINESE_FRAME)
        if language != ["zh-CN" if self.language == "zh" else "en"] or frame not in text or other in text:
            yield f"is in {language}, not in {self.language}"

    def live(self, seed: int) -> list[str]:
        """Ask for everything in an order of her own; all that was wrong."""
        wanted = questions(self.username)
        random.Random(seed).shuffle(wanted)  # noqa: S311 - an order that can be repeated
        return [f"{self.username} {one.path}: {fault}" for one in wanted for fault in self.faults(one)]


@pytest.fixture
def port(bed: Bed, tmp_path: Path) -> Iterator[int]:
    """The web server as gunicorn.conf.py has it, in one process, on a database of its own."""
    database = bed.copy()
    log = tmp_path / "web.log"
    with socket.create_server(("127.0.0.1", 0), backlog=64) as door, log.open("wb") as output:
        environment = os.environ | {
            "XUEJI_MODE": "test",
            "XUEJI_TODAY": TODAY.isoformat(),
            "XUEJI_WEB_DATABASE_URL": bed.cluster.url(cluster.WEB, database),
            "XUEJI_FILES": str(tmp_path / "files"),
            "XUEJI_WEB_PROCESSES": "1",
            "XUEJI_WEB_THREADS": str(THREADS),
            "BIND": f"fd://{door.fileno()}",
        }
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"], cwd=ROOT, env=environment,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=[door.fileno()],
            preexec_fn=end_with_parent,
        )  # fmt: skip
        try:
            yield door.getsockname()[1]
        finally:
            server.terminate()
            server.wait(30)
    cluster.drop_database(bed.admin, database)
    errors = [line for line in log.read_text().splitlines() if '"level": "error"' in line]
    assert errors == []


def test_nobody_gets_anything_of_another(port: int) -> None:
    with contextlib.ExitStack() as ended, ThreadPoolExecutor(2 * THREADS) as threads:
        people = list(threads.map(lambda username: Person(port, username), [*PEOPLE, *PEOPLE]))
        for person in people:
            ended.callback(person.connection.close)
        found = list(threads.map(Person.live, people, range(len(people))))
    assert [fault for faults in found for fault in faults] == []
