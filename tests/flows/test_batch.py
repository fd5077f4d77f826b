"""Deciding many: as many statements for ten as for five hundred; two at once decide each case once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import create_engine, event, text

from app.access import Actor
from app.kit.flow import batch, decide
from app.models import db
from tests.conftest import Cast
from tests.flows.conftest import RECORDS, SIGNERS, acting
from tests.flows.many import make_leaves


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that reach the database within the block."""
    seen: list[str] = []

    def see(_connection, _cursor, statement, _parameters, _context, executemany):
        assert not executemany, statement  # one statement a row, in the guise of one
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", see)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", see)


@pytest.fixture
def real(own_app: Flask) -> Iterator[Cast]:
    """The cast in a database of its own, with five hundred more students."""
    with own_app.app_context():
        owner = create_engine(own_app.config["XUEJI_OWNER_URL"].replace("postgresql://", "postgresql+psycopg://"))
        with owner.begin() as connection:
            make_leaves(connection, 510)
        owner.dispose()
        yield Cast(own_app)


def ids_of(clerk: Actor) -> list[int]:
    return acting(clerk, lambda _me: list(db.session.scalars(text("select id from flow_case order by id"))))


def test_statements_do_not_grow_with_the_cases(real):
    ids = ids_of(real.clerk)
    assert len(ids) == 510
    for step in ("accept", "college", "affairs", "registry"):
        numbers = []
        for part in (ids[:10], ids[10:]):
            actor, records = getattr(real, SIGNERS[step]), RECORDS.get(step)
            with counted() as seen:
                outcomes = acting(actor, decide, part, expected_step=step, records=records)
            assert all(outcome.done for outcome in outcomes), [str(outcome.reason) for outcome in outcomes[:3]]
            numbers.append(len(seen))
        assert numbers[0] == numbers[1] < 40, (step, numbers)
    assert acting(real.registry, lambda _me: db.session.scalar(text(
        "select count(*) from student s join roster_change r on r.student_id = s.id and r.code = '11'"
        " where s.status = 'on_leave'"
    ))) == 510  # fmt: skip


def test_two_leaders_at_once_decide_each_case_once(real):
    ids = ids_of(real.clerk)
    acting(real.clerk, decide, ids, expected_step="accept")
    results: dict[str, list] = {}
    start = threading.Barrier(2)

    def run(name: str, actor: Actor, part: list[int]) -> None:
        with real.app.app_context():
            start.wait()
            results[name] = acting(actor, decide, part, expected_step="college")

    # in opposite order, so that locking as given would end in a deadlock
    threads = [
        threading.Thread(target=run, args=("leader", real.leader, ids)),
        threading.Thread(target=run, args=("leader_b", real.leader_b, ids[::-1])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = {name: {outcome.case_id for outcome in outcomes if outcome.done} for name, outcomes in results.items()}
    assert not done["leader"] & done["leader_b"]
    assert done["leader"] | done["leader_b"] == set(ids)
    events = "select count(*) from case_event where act = 'approve' and step_key = 'college'"
    assert acting(real.registry, lambda _me: db.session.scalar(text(events))) == 510


def test_what_fails_in_the_middle_changes_nothing(real, monkeypatch):
    ids = ids_of(real.clerk)[:3]
    for step in ("accept", "college", "affairs"):
        acting(getattr(real, SIGNERS[step]), decide, ids, expected_step=step)

    def breaks(_ids: list[int]) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(batch, "open_next", breaks)
    with pytest.raises(RuntimeError):
        acting(real.registry, decide, ids, expected_step="registry", records={"originals": True})
    monkeypatch.undo()
    counts = "select (select count(*) from roster_change where code = '11')"
    assert acting(real.registry, lambda _me: db.session.scalar(text(counts))) == 0
    outcomes = acting(real.registry, decide, ids, expected_step="registry", records={"originals": True})
    assert all(outcome.done for outcome in outcomes)
