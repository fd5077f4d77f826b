"""Every route, asked by strangers for rows not theirs: nothing leaks, nothing changes, nothing breaks.

A route that is added is walked at once. If this fails after you added one: its view declares too little in `needs`, it
fetches a row otherwise than through the session, or it answers bad input with an error page instead of a sentence.
"""

from collections.abc import Iterator
from itertools import chain

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_appbuilder import Model

from app.access import Actor
from app.access.security import XuejiSecurityManager
from app.kit.jobs.job import jobs_folder
from app.models import db
from tests.cast import PASSWORD
from tests.rules import foreign, walk

STRANGERS = ("anonymous", "student", "clerk", "admin")
ACCOUNTS = frozenset(name for name in Model.metadata.tables if name.startswith("ab_")) | {
    "account_proposal", "identity", "password_state",
    "mail", "notice",  # owners and the registry are told what becomes of an account
}  # fmt: skip
# Written by being there: the trail itself.
TRAIL = frozenset({"audit_entry", "login_attempt"})

# Whose a row is, where no user_id says it: a clerk may record a meeting of her own college.
OWNER = {"ab_user": "id", "meeting": "recorded_by"}
COUNTERS = "{login_count,fail_login_count,last_login}"  # of everybody whose name is tried at the login


@pytest.fixture
def foreign_rows(app: Flask, behind) -> None:
    db.session.remove()
    connection = behind.connection
    connection.exec_driver_sql("set local role xueji_owner")
    foreign.write(connection)
    connection.exec_driver_sql("set local role none")
    file = jobs_folder() / foreign.PARTICULAR["job_run"]["file_path"]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(foreign.MARK)


@pytest.fixture
def no_python_checks(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question that Python asks is answered with yes; the policies are alone."""
    monkeypatch.setattr(XuejiSecurityManager, "has_access", lambda self, permission, view: True)
    monkeypatch.setattr(XuejiSecurityManager, "is_item_public", lambda self, permission, view: True)
    monkeypatch.setattr(Actor, "may", lambda self, permission: True)
    monkeypatch.setattr(Actor, "has", lambda self, role: True)


class Stranger:
    """One person's ways in: the browser's session, and over the API a token without any cookie."""

    def __init__(self, app: Flask, cast, name: str, *, unchecked: bool = False) -> None:
        self.name = name
        self.rows_alone = unchecked
        self.unchecked = unchecked and name == "anonymous"  # pages are not written for nobody, who never gets so far
        self.user_id = -1 if name == "anonymous" else getattr(cast, name).user_id
        self.browser = app.test_client() if name == "anonymous" else cast.login(name)
        self.bare = app.test_client(use_cookies=False)
        self.headers = {} if name == "anonymous" else {"Authorization": f"Bearer {token(self.bare, name)}"}

    def asks(self, visit: walk.Visit, form: dict) -> Iterator:
        """The answers; where rows alone are tried, by one way in. Only who asks to read gets a refusal as a whole page."""
        api, asked = visit.path.startswith("/api/"), {"method": visit.method, "query_string": visit.query}
        if not (api and self.rows_alone):
            headers = {"Accept": "application/json"} if self.rows_alone or visit.method != "GET" else {}
            yield self.browser.open(visit.path, **asked, headers=headers, data=form if visit.method != "GET" else None)
        if api:
            data = {"json": form} if visit.method != "GET" else {}
            yield self.bare.open(visit.path, **asked, headers=self.headers, **data)


def token(client: FlaskClient, username: str) -> str:
    answer = client.post("/api/v1/security/login", json={"username": username, "password": PASSWORD, "provider": "db"})
    assert answer.status_code == 200, answer.text
    return answer.json["access_token"]


class Prints:
    """The checksum of each table's rows, less those of the person who acts."""

    def __init__(self, behind, user_id: int, besides: frozenset[str] = frozenset()) -> None:
        self.behind = behind
        tables = [
            table
            for table in Model.metadata.tables.values()
            if table.name not in TRAIL | besides and not table.info.get("view")
        ]
        self.statement = " union all ".join(
            f"select '{table.name}' as name, md5(coalesce(string_agg(row::text, '|' order by row::text), '')) as print"
            f" from (select to_jsonb(t) - '{COUNTERS}'::text[] as row from {table.name} t"
            f" where {self.of_others(table, user_id)}) r"
            for table in tables
        )
        counters = " + ".join(f"pg_stat_get_xact_tuples_{act}(t)" for act in ("inserted", "updated", "deleted"))
        names = ", ".join(f"'{table.name}'" for table in tables)
        self.counted = f"select sum({counters}) from unnest(array[{names}]::regclass[]) t"
        self.writes = self.count()
        self.last = self.take()

    @staticmethod
    def of_others(table, user_id: int) -> str:
        column = OWNER.get(table.name) or ("user_id" if "user_id" in table.columns else None)
        return f"t.{column} is distinct from {user_id}" if column else "true"

    def take(self) -> dict[str, str]:
        return {row["name"]: row["print"] for row in self.behind.rows(self.statement)}

    def count(self) -> int:
        """How many rows the test's transaction has written so far, undone ones too."""
        return self.behind.connection.exec_driver_sql(self.counted).scalar_one()

    def changed(self) -> list[str]:
        if (writes := self.count()) == self.writes:
            return []  # the checksums would be the same
        self.writes, now = writes, self.take()
        differing = [name for name in now if now[name] != self.last[name]]
        self.last = now
        return differing


def walked(app: Flask, stranger: Stranger, prints: Prints) -> list[str]:
    """What went wrong on the way, a line each."""
    form, faults, refused = walk.form(), [], set()
    last = None
    for visit in chain(walk.visits(app), walk.list_visits(app)):
        if visit.endpoint in refused:
            continue  # the bare list was refused; its filters come after the same question
        if last and last.endpoint != visit.endpoint and (tables := prints.changed()):
            faults.append(f"{last.endpoint}: changed {', '.join(tables)}")
        last = visit
        answers = list(stranger.asks(visit, form))
        if visit.endpoint.endswith("list") and not visit.query and all(a.status_code != 200 for a in answers):
            refused.add(visit.endpoint)
        faults += [f"{visit}: {fault}" for answer in answers for fault in faults_of(stranger, visit, answer)]
    if tables := prints.changed():
        faults.append(f"{last}: changed {', '.join(tables)}")
    return faults


def faults_of(stranger: Stranger, visit: walk.Visit, answer) -> Iterator[str]:
    body = answer.get_data()
    if answer.status_code >= 500 and not stranger.unchecked and visit.endpoint != "health.ready":
        yield f"status {answer.status_code}"
    if foreign.MARK.encode() in body or ascii(foreign.MARK)[1:-1].encode() in body:
        yield f"leaks ({answer.status_code})"
    if stranger.name == "anonymous" and not stranger.unchecked and not turned_away(visit, answer):
        yield f"open to everybody ({answer.status_code} {answer.location})"


def turned_away(visit: walk.Visit, answer) -> bool:
    if visit.endpoint in walk.OPEN_TO_ALL or answer.status_code in (400, 401, 403, 404, 405, 415, 422, 429):
        return True
    return answer.status_code == 302 and (answer.location in ("/", ".") or answer.location.startswith("/login/"))


@pytest.mark.parametrize("name", STRANGERS)
def test_strangers_get_and_change_nothing(app, cast, behind, foreign_rows, name):
    besides = ACCOUNTS if name == "admin" else frozenset()  # accounts are her work
    check(app, behind, Stranger(app, cast, name), besides)


@pytest.mark.parametrize("name", STRANGERS)
def test_row_security_holds_alone(app, cast, behind, foreign_rows, no_python_checks, name):
    # The login role reads and counts accounts before anybody is known, so those are Python's to guard for it.
    besides = ACCOUNTS if name in ("admin", "anonymous") else frozenset()
    check(app, behind, Stranger(app, cast, name, unchecked=True), besides)


def check(app: Flask, behind, stranger: Stranger, besides: frozenset[str]) -> None:
    faults = walked(app, stranger, Prints(behind, stranger.user_id, besides))
    assert not faults, "\n".join(faults)


def test_the_walk_would_find_a_leak(app, cast, behind, foreign_rows):
    """The registry, who may, meets the marks."""
    registry, form = Stranger(app, cast, "registry"), walk.form()
    for visit in walk.visits(app):
        if visit.method == "GET" and visit.endpoint in ("StudentScreen.show", "StudentScreen.lookup", "StudentApi.get",
                                                        "StudentApi.get_list", "ClassGroupScreen.list"):  # fmt: skip
            for answer in registry.asks(visit, form):
                assert "leaks (200)" in faults_of(registry, visit, answer), visit


def test_the_conditions_of_the_walk_would_find_a_leak(app, cast, behind, foreign_rows):
    """Where the registry meets the marks on a list, it meets them under each kind of condition as well."""
    registry, meets, lost = Stranger(app, cast, "registry"), {}, []
    for visit in walk.list_visits(app):
        (*_browser, answer) = registry.asks(visit, {})
        met = "leaks (200)" in faults_of(registry, visit, answer)
        if not visit.query:
            meets[visit.path] = met
        elif meets[visit.path] and not met:
            lost.append(f"{visit.path} {visit.query}")
    assert sum(meets.values()) > 10 and not lost, "\n".join(lost)


def test_the_walk_would_find_a_change(app, behind, foreign_rows):
    prints = Prints(behind, user_id=-1)
    assert prints.changed() == []
    behind.run("update student set note = 'x' where id = :id", id=foreign.ID)
    assert "student" in prints.changed()
    assert prints.changed() == []
