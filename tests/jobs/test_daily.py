"""The daily job and the letters: killed anywhere, nothing is told twice and nothing is forgotten."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from sqlalchemy import create_engine, event, text

from app.access import scope_as
from app.jobs.daily import SourcesFailed, run_sources
from app.kit.jobs import due, letter
from app.kit.jobs.due import Due, machine, tell
from app.models import db
from tests.conftest import ROOT

LATE = date(2026, 9, 21)  # 14 working days of September are over; most tasks of the first weeks are not ticked
KILLER = """
import json, os, sys
from datetime import date
from sqlalchemy import event
from app import create_app
from app.jobs.daily import run_sources
from app.models import db
settings, statement, day = json.loads(sys.argv[1]), int(sys.argv[2]), date.fromisoformat(sys.argv[3])
app = create_app(settings)
with app.app_context():
    left = [statement]
    def die(*_):
        left[0] -= 1
        if left[0] < 0:
            os._exit(9)
    event.listen(db.engine, "before_cursor_execute", die)
    event.listen(db.engine, "commit", die)
    run_sources(day)
"""


class Database:
    """What is really in the database of an application of its own."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.engine = create_engine(app.config["XUEJI_OWNER_URL"])

    def rows(self, statement: str) -> list[dict]:
        with self.engine.begin() as connection:
            result = connection.execute(text(statement))
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    def one(self, statement: str):
        ((value,),) = [tuple(row.values()) for row in self.rows(statement)]
        return value

    def told(self) -> list[tuple[str, str]]:
        """(user, key) of every notice, those told twice twice."""
        query = "select u.username, n.key from notice n join ab_user u on u.id = n.user_id order by 1, 2"
        return [(row["username"], row["key"]) for row in self.rows(query)]


@pytest.fixture
def database(own_app: Flask) -> Iterator[Database]:
    made = Database(own_app)
    with own_app.app_context():
        yield made
    made.engine.dispose()


def keep_only(database: Database, *keys: str) -> None:
    """Everything else is finished, so that the late ones are known."""
    listed = ", ".join(f"'{key}'" for key in keys)
    database.rows(f"update dated_task set done_at = now(), done_name = 'x' where key not in ({listed})")


def late_tasks(day: date) -> int:
    """Notices of late tasks alone: other sources of the same day have tests of their own."""
    return run_sources(day)["late_tasks"]


# escalation


def test_a_late_task_goes_to_its_owner_then_the_leader_then_the_registry_each_once(database):
    keep_only(database, "student_card")  # due on Sunday 20 September, which is worked
    database.rows("update dated_task set done_at = now(), done_name = 'x' where college_id = 2")
    task = database.one("select id from dated_task where key = 'student_card' and college_id = 1")
    assert late_tasks(date(2026, 9, 20)) == 0
    assert late_tasks(date(2026, 9, 21)) == 1
    assert late_tasks(date(2026, 9, 21)) == 0
    assert late_tasks(date(2026, 9, 22)) == 2  # two working days later
    assert late_tasks(date(2026, 9, 23)) == 0
    assert late_tasks(date(2026, 9, 24)) == 3
    assert late_tasks(date(2026, 12, 1)) == 0
    key = f"task:{task}:2026-09-20"
    assert database.told() == [
        ("clerk", f"{key}:owner"), ("leader", f"{key}:leader"), ("leader_b", f"{key}:leader"),
        ("registry", f"{key}:registry"), ("registry_b", f"{key}:registry"), ("registry_c", f"{key}:registry"),
    ]  # fmt: skip
    (notice,) = database.rows("select * from notice where right(key, 5) = 'owner'")
    assert notice["title_zh"] == "逾期：学生证办理 · 计算机学院"
    assert notice["title_en"] == "Late: Student cards · Computing"
    assert notice["path"] == f"/calendar/task/{task}"
    assert database.one("select count(*) from mail where state = 'waiting'") == 6


def test_who_holds_two_levels_hears_of_a_late_task_once(database):
    """Her own task, or her college's, does not come again when it goes up to her other office."""
    keep_only(database, "student_card")
    database.rows("update dated_task set done_at = now(), done_name = 'x' where college_id = 2")
    database.rows("insert into identity_role select i.id, r.id from identity i join ab_user u on u.id = i.user_id, ab_role r"
                  " where u.username = 'clerk' and r.name = 'college_leader'")  # fmt: skip
    for day in (21, 22, 24):
        late_tasks(date(2026, 9, day))
    told = [who for who, _key in database.told()]
    assert told.count("clerk") == 1 and told.count("leader") == 1 and told.count("registry") == 1


def test_days_on_which_nothing_ran_are_made_up(database):
    keep_only(database, "student_card")
    assert late_tasks(date(2026, 10, 30)) == 2 + 3 + 6  # both colleges: clerks, leaders, the registry's three
    assert len(database.told()) == len(set(database.told()))


def test_a_task_that_was_ticked_or_moved_is_not_late(database):
    keep_only(database, "student_card")
    database.rows("update dated_task set due_on = '2026-09-30', moved = 'all' where key = 'student_card'")
    assert late_tasks(date(2026, 9, 30)) == 0
    assert late_tasks(date(2026, 10, 1)) == 2
    database.rows("update dated_task set due_on = '2026-10-20' where key = 'student_card'")  # late again, told again
    assert late_tasks(date(2026, 10, 21)) == 2


def test_a_clerk_who_comes_later_hears_of_it_too(database):
    keep_only(database, "student_card")
    run_sources(LATE)
    database.rows(
        "update identity set college_id = 1 where user_id = (select id from ab_user where username = 'clerk2')"
    )
    assert late_tasks(LATE) == 1


def test_somebody_whose_account_is_closed_is_not_told(database):
    keep_only(database, "student_card")
    database.rows("update ab_user set active = false where username = 'clerk'")
    assert late_tasks(LATE) == 1


def test_a_source_that_fails_keeps_nobody_else_from_being_heard(database, monkeypatch):
    def fails(actor, today):
        yield Due("x", (1,), "x", "x")
        raise ZeroDivisionError

    keep_only(database, "student_card")
    monkeypatch.setattr(due, "SOURCES", {"fails": fails, **due.SOURCES})
    monkeypatch.setattr("app.jobs.daily.SOURCES", due.SOURCES)
    with pytest.raises(SourcesFailed, match="fails"):
        run_sources(LATE)
    assert [who for who, _key in database.told()] == ["clerk", "clerk2"]


# killed


def test_stopped_at_any_statement_nothing_is_told_twice_or_forgotten(database, monkeypatch):
    monkeypatch.setattr("app.jobs.daily.SOURCES", {"late_tasks": due.SOURCES["late_tasks"]})
    keep_only(database, "student_card", "returning_checkin", "autumn_makeup")
    left = [10**6]

    def stop(*_arguments) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt

    event.listen(db.engine, "before_cursor_execute", stop)
    try:
        for statement in range(200):
            left[0] = statement
            try:
                run_sources(LATE)
                break
            except KeyboardInterrupt:
                left[0] = 10**6
                assert database.told() == [], "all of a source's notices, or none"
        else:
            pytest.fail("it never ended")
    finally:
        event.remove(db.engine, "before_cursor_execute", stop)
    assert statement > 5
    told = database.told()
    assert len(told) == len(set(told)) == database.one("select count(*) from mail")
    assert late_tasks(LATE) == 0


ENDING = """
with away as (update student set status = 'on_leave' where id in (101, 102, 201) returning *)
insert into roster_change (student_id, college_id, student_college_id, code, effective_on, until, new_status,
    new_college_id, new_major_id, new_grade, new_study_length, new_text)
select id, college_id, college_id, '11', '2026-03-02', '2026-09-30', 'on_leave', college_id, major_id, grade,
    study_length, '{}' from away
"""


def test_every_source_stopped_at_any_statement_is_made_up_by_the_next_hour(database):
    """Whatever of a day was told before the machine went down, the next hour tells the rest, and nothing again."""
    keep_only(database, "student_card")
    database.rows(ENDING)
    left = [10**6]

    def stop(*_arguments) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt

    event.listen(db.engine, "before_cursor_execute", stop)
    grown = []
    try:
        for statement in range(400):
            left[0] = statement
            try:
                run_sources(LATE)
                break
            except KeyboardInterrupt:
                left[0] = 10**6
                told = database.told()
                assert len(told) == len(set(told)) == database.one("select count(*) from mail")
                grown.append(len(told))
        else:
            pytest.fail("it never ended")
    finally:
        event.remove(db.engine, "before_cursor_execute", stop)
    told = database.told()
    assert grown == sorted(grown) and len(set(grown)) >= 2  # a source's notices stay, those of the next are to come
    kinds = {key.split(":")[0] for _who, key in told}
    assert {"task", "clock"} <= kinds and len(told) == len(set(told))
    assert sum(run_sources(LATE).values()) == 0


def test_a_process_killed_outright_leaves_all_or_nothing(database):
    keep_only(database, "student_card", "returning_checkin", "autumn_makeup")
    kept = {key: value for key, value in database.app.config.items()
            if key in ("SQLALCHEMY_DATABASE_URI", "SECRET_KEY", "LANGUAGES") or key.startswith(("FAB_", "XUEJI_", "BABEL_"))}  # fmt: skip
    settings = json.dumps(kept, default=str)
    command = [sys.executable, "-c", KILLER, settings]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    codes = []
    for statement in (6, 10**6, 2):
        done = subprocess.run([*command, str(statement), str(LATE)], cwd=ROOT, env=environment, check=False)
        codes.append(done.returncode)
        told = database.told()
        assert len(told) == len(set(told)) == database.one("select count(*) from mail")
        assert bool(told) == (0 in codes)
    assert codes[1] == 0 and codes.count(9) == 2
    assert late_tasks(LATE) == 0


# letters


class Postbox:
    """A mail server that keeps what it gets, and refuses whom it is told to."""

    def __init__(self) -> None:
        self.letters: list = []
        self.refuses: dict[str, str] = {}

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def postbox(own_app: Flask) -> Iterator[Postbox]:
    box = Postbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    own_app.config.update(XUEJI_SMTP_URL=f"smtp://127.0.0.1:{port}", XUEJI_MAIL_FROM="xueji@school.invalid",
                          XUEJI_ADDRESS="https://xueji.school.invalid")  # fmt: skip
    yield box
    server.stop()


def write(database: Database, *usernames: str, key: str = "a") -> None:
    with scope_as(machine().scope):
        for username in usernames:
            number = database.one(f"select id from ab_user where username = '{username}'")
            tell([Due(key, (number,), "逾期\n学生证", "请办理。", "/calendar/task/1")])
        db.session.commit()


def send() -> dict[str, int]:
    with scope_as(machine().scope):
        return letter.send_waiting()


def test_a_letter_arrives_once_with_the_way_to_the_page(database, postbox):
    write(database, "clerk", "clerk")
    assert send() == {"sent": 1} and send() == {}
    (got,) = postbox.letters
    assert (got["To"], got["From"], got["Subject"]) == ("clerk@example.invalid", "xueji@school.invalid", "逾期 学生证")
    assert got.get_content().split() == ["请办理。", "https://xueji.school.invalid/calendar/task/1"]


@pytest.mark.parametrize("bad", ["x@y.cn\r\nBcc: z@z.cn", "x@y.cn, z@z.cn", "a@b", "", "<", "@,;:<>"])
def test_a_bad_address_of_before_stops_no_other_letter(database, postbox, bad):
    """Nor does its letter go to somebody else: the notice stands in the application alone."""
    write(database, "clerk", "leader")
    database.rows(f"update mail set recipient = '{bad}' where recipient like 'clerk@%'")
    assert send() == {"failed": 1, "sent": 1} and send() == {}
    assert [got["To"] for got in postbox.letters] == ["leader@example.invalid"]


def test_a_server_that_is_away_keeps_every_letter_waiting(database, postbox):
    write(database, "clerk", "leader")
    own = database.app.config["XUEJI_SMTP_URL"]
    database.app.config["XUEJI_SMTP_URL"] = "smtp://127.0.0.1:1"
    with pytest.raises(OSError):
        send()
    assert database.one("select count(*) from mail where state = 'waiting' and attempts = 0") == 2
    database.app.config["XUEJI_SMTP_URL"] = own
    assert send() == {"sent": 2}


def test_refused_for_the_moment_is_tried_again_some_times_and_for_good_is_not(database, postbox):
    write(database, "clerk", "leader", "registry")
    postbox.refuses = {
        "clerk@example.invalid": "451 later",
        "leader@example.invalid": "550 no <leader@example.invalid>",
    }
    assert send() == {"waiting": 1, "failed": 1, "sent": 1}
    for _time in range(3):
        assert send() == {"waiting": 1}
    assert send() == {"failed": 1} and send() == {}
    errors = {row["recipient"]: row["error"] for row in database.rows("select recipient, error from mail")}
    assert "lead" in errors["leader@example.invalid"] and "leader@" not in errors["leader@example.invalid"]  # masked
    assert "550" in errors["leader@example.invalid"] and "451" in errors["clerk@example.invalid"]


def test_a_sender_killed_after_sending_sends_nothing_twice(database, postbox, monkeypatch):
    def killed(*_arguments) -> None:
        raise KeyboardInterrupt

    write(database, "clerk", "leader")
    with monkeypatch.context() as patched:
        patched.setattr(letter, "_settle", killed)
        with pytest.raises(KeyboardInterrupt):
            send()
    assert send() == {"sent": 1}
    assert sorted(got["To"] for got in postbox.letters) == ["clerk@example.invalid", "leader@example.invalid"]


def test_without_a_server_letters_become_files(database):
    write(database, "clerk")
    assert send() == {"sent": 1}
    (path,) = (Path(database.app.config["XUEJI_FILES"]) / "mail").iterdir()
    assert message_from_bytes(path.read_bytes(), policy=policy.default)["To"] == "clerk@example.invalid"


def test_a_person_reads_her_own_notices_alone(app, cast, behind):
    from tests.flows.conftest import acting

    def raise_one(actor):
        return tell([Due("k", (cast.clerk.user_id, cast.leader.user_id), "x", "x")])

    def read(actor):
        return [row.user_id for row in db.session.execute(text("select user_id from notice"))]

    assert acting(cast.leader, lambda actor: (raise_one(actor), db.session.commit())[0]) == 2
    assert acting(cast.clerk, read) == [cast.clerk.user_id]
    assert acting(cast.registry, read) == [] and acting(cast.student, read) == []
