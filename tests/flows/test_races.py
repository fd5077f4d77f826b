"""Two at once upon the same case, in real connections: the second waits for the first, then sees what it did."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, event, text
from sqlalchemy.orm import Session

from app.access import Actor
from app.flows.leave import leave
from app.flows.voluntary_withdrawal import voluntary_withdrawal
from app.kit.flow import decide, open_case, submit, withdraw
from app.kit.operation import NotFound, Refused, get
from app.models import db
from app.operations.cases.batches import decide_at_once
from tests.conftest import TODAY, Cast
from tests.flows.conftest import LEAVE, acting
from tests.flows.many import make_leaves

PATIENCE = 10
ATTACH = """
insert into case_material (case_id, student_id, college_id, student_college_id, kind, file_name, content_type, size,
    sha256, path, uploaded_by)
select id, student_id, college_id, student_college_id, k, 'a.pdf', 'application/pdf', 1, '', gen_random_uuid()::text,
    opened_by from flow_case, unnest(array['application', 'id_copies']) k where id = any(:ids)
"""
Act = tuple[str, Callable[..., Any]]


class Race:
    """The cast on a database of its own, with five leaves that wait for the clerk and one draft."""

    def __init__(self, app: Flask) -> None:
        self.app, self.cast = app, Cast(app)
        self.owner = create_engine(app.config["XUEJI_OWNER_URL"].replace("postgresql://", "postgresql+psycopg://"))
        with self.owner.begin() as connection:
            make_leaves(connection, 5)
        self.cases = [row[0] for row in self.rows("select id from flow_case order by id")]

    def rows(self, statement: str) -> list[tuple]:
        with self.owner.begin() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]

    def one(self, statement: str) -> Any:
        ((value,),) = self.rows(statement)
        return value

    def do(self, who: str, verb: Callable[[Actor], Any]) -> Any:
        with self.app.app_context():
            return acting(getattr(self.cast, who), verb)

    def run_as_owner(self, statement: str) -> None:
        with self.owner.begin() as connection:
            connection.execute(text(statement))

    def run(self, first: Act, second: Act) -> tuple[Any, Any]:
        """What both came to: the first is held before its commit until the second waits for it, or has ended."""
        held, going_on = threading.Event(), threading.Event()
        results: dict[str, Any] = {}

        def hold(session: Session) -> None:
            if session.in_nested_transaction():  # a savepoint's end
                return
            held.set()
            assert going_on.wait(PATIENCE)

        def act(place: str, who: str, verb: Callable[[Actor], Any]) -> None:
            def watched(actor: Actor) -> Any:
                if place == "first":
                    event.listen(db.session(), "before_commit", hold)
                return verb(actor)

            try:
                results[place] = self.do(who, watched)
            except Refused as refused:
                results[place] = refused

        one, two = (threading.Thread(target=act, args=(place, *what)) for place, what in
                    (("first", first), ("second", second)))  # fmt: skip
        one.start()
        assert held.wait(PATIENCE), results
        two.start()
        waiting = "select count(*) from pg_locks where not granted"
        while two.is_alive() and not self.one(waiting):
            two.join(0.02)
        going_on.set()
        for thread in (one, two):
            thread.join(PATIENCE)
        return results["first"], results["second"]


@pytest.fixture
def race(own_app: Flask) -> Iterator[Race]:
    made = Race(own_app)
    yield made
    made.owner.dispose()


def approving(case_ids: list[int], step: str) -> Callable[[Actor], Any]:
    return lambda actor: [one.done for one in decide(actor, case_ids, expected_step=step)]


def withdrawing(case_id: int) -> Callable[[Actor], Any]:
    return lambda actor: withdraw(actor, case_id, "误报").state


def test_two_leaders_upon_one_case(race):
    case = race.cases[0]
    race.do("clerk", approving([case], "accept"))
    leaders = (("leader", approving([case], "college")), ("leader_b", approving([case], "college")))
    assert race.run(*leaders) == ([True], [False])
    assert race.one("select count(*) from case_event where act = 'approve' and step_key = 'college'") == 1
    assert race.rows(f"select state, step_key from flow_case where id = {case}") == [("open", "affairs")]


def test_a_double_click_on_a_batch(race):
    """Both answers have a result page; the second says of each case that it was decided already."""

    def batch(actor: Actor) -> dict:
        return decide_at_once(actor, "批量", {"accept": race.cases}, act="approve").result

    first, second = race.run(("clerk", batch), ("clerk", batch))
    assert (first["decided"], first["refused"]) == (5, 0)
    assert (second["decided"], second["refused"]) == (0, 5)
    assert all(reason for *_case, done, reason in second["rows"])
    assert race.one("select count(*) from case_event where act = 'approve'") == 5
    assert race.one("select count(*) from audit_entry where action = 'case:approve'") == 5


def test_approved_by_one_while_sent_back_by_another(race):
    case = race.cases[0]
    race.do("clerk", approving([case], "accept"))

    def back(actor: Actor) -> list[bool]:
        return [one.done for one in decide(actor, [case], expected_step="college", act="send_back", opinion="重填")]

    assert race.run(("leader", back), ("leader_b", approving([case], "college"))) == ([True], [False])
    assert race.rows(f"select state, step_key from flow_case where id = {case}") == [("open", "accept")]


def test_taken_back_while_the_director_signs(race):
    """Whoever comes first has done it; the other is told, and nothing is half done."""
    first, second = race.cases[:2]
    race.run_as_owner("update flow_case set opened_by_role = 'college_clerk'")
    for who, step in (("clerk", "accept"), ("leader", "college")):
        race.do(who, approving([first, second], step))
    signs, takes_back = approving([first], "affairs"), withdrawing(first)
    assert race.run(("clerk", takes_back), ("director", signs)) == ("withdrawn", [False])
    assert race.one(f"select count(*) from case_step where case_id = {first} and state in ('open', 'waiting')") == 0
    done, refused = race.run(("director", approving([second], "affairs")), ("clerk", withdrawing(second)))
    assert done == [True] and isinstance(refused, Refused), refused
    assert race.rows(f"select state, step_key from flow_case where id = {second}") == [("open", "registry")]


def test_opened_twice_at_once_is_one_case(race):
    def opening(actor: Actor) -> int:
        return open_case(actor, leave, 101, LEAVE).id

    opened, refused = race.run(("student", opening), ("clerk", opening))
    assert isinstance(refused, Refused), refused
    assert race.rows("select id from flow_case where student_id = 101") == [(opened,)]


def test_handed_in_twice_at_once_is_handed_in_once(race):
    case = race.do("student", lambda actor: open_case(actor, leave, 101, LEAVE).id)
    with race.owner.begin() as connection:
        connection.execute(text(ATTACH), {"ids": [case]})

    def handing_in(actor: Actor) -> str:
        return submit(actor, case).state

    done, refused = race.run(("student", handing_in), ("student", handing_in))
    assert done == "open" and isinstance(refused, Refused), refused
    assert race.one(f"select count(*) from case_event where case_id = {case} and act = 'submit'") == 1
    steps = race.one(f"select count(*) from case_step where case_id = {case}")
    assert steps == race.one(f"select count(*) from case_step where case_id = {race.cases[0]}")


def test_two_different_changes_handed_in_at_once_are_one(race):
    """A leave and a withdrawal of the same student: the second waits for the first, then is told of it."""
    ids = [race.do("student", lambda actor, flow=flow, values=values: open_case(actor, flow, 101, values).id)
           for flow, values in ((leave, LEAVE), (voluntary_withdrawal, {"statement": "另有打算"}))]  # fmt: skip
    with race.owner.begin() as connection:
        connection.execute(text(ATTACH), {"ids": ids})
    first, second = (lambda actor, case=case: submit(actor, case).state for case in ids)
    done, refused = race.run(("student", first), ("clerk", second))
    assert done == "open" and isinstance(refused, Refused), refused
    assert race.rows("select state from flow_case where student_id = 101 order by id") == [("open",), ("draft",)]


def test_a_page_that_grew_old_decides_nothing_and_says_so(race):
    """Over HTTP, as two windows of the same leader would: the second shows a step that has passed."""
    case = race.cases[0]
    race.do("clerk", approving([case], "accept"))
    with race.app.app_context():
        leader = race.cast.login("leader")
    form = {"act": "approve", "expected_step": "college", "opinion": ""}
    said = [leader.post(f"/casescreen/decide/{case}", data=form, follow_redirects=True) for _window in range(2)]
    assert [answer.status_code for answer in said] == [200, 409]
    assert "alert-success" in said[0].text and "alert-danger" not in said[0].text
    assert "alert-danger" in said[1].text
    assert race.one("select count(*) from case_event where act = 'approve' and step_key = 'college'") == 1


LOCKED = sorted(
    (
        mapper
        for mapper in db.Model.registry.mappers
        if not mapper.class_.__tablename__.startswith("ab_") and not mapper.local_table.info.get("view")
    ),
    key=lambda mapper: mapper.class_.__name__,
)


@pytest.mark.parametrize("mapper", LOCKED, ids=lambda mapper: mapper.class_.__name__)
def test_each_model_can_be_locked(app, behind, mapper):
    """PostgreSQL locks no row on the outer side of a join: what a model loads with it must not be locked."""
    numbers = {int: 30_000, str: "nothing"}
    key = tuple(numbers.get(column.type.python_type, TODAY) for column in mapper.primary_key)
    db.session.execute(text("set local role xueji_owner"))
    with pytest.raises(NotFound):
        get(mapper.class_, key if len(key) > 1 else key[0], lock=True)
