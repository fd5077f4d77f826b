"""What the tests of flows share: cases brought to a step through the same operations that the screens call."""

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import text

from app.access import Actor, scope_as
from app.flows.leave import leave
from app.kit.flow import FLOWS, Flow, decide, open_case, submit
from tests.conftest import Cast
from tests.flows.many import prepare
from tests.flows.walk import ANSWERS, STUDENT, Walk

LEAVE = {"reason": "other", "leave_from": date(2026, 9, 2), "leave_terms": 2, "statement": "家中有事"}
ILL = LEAVE | {"reason": "illness", "evidence_date": date(2026, 8, 31)}
RETURN = {"return_on": date(2026, 9, 2), "statement": "康复"}
CLASS = {"grade": 2025, "class_group_id": 2}
SIGNERS = {
    "accept": "clerk", "college": "leader", "affairs": "director", "registry": "registry", "report_in": "clerk",
}  # fmt: skip
RECORDS = {"accept": CLASS, "registry": {"originals": True}}


def acting(actor: Actor, verb: Callable, *args, **kwargs):
    """Call an operation as the request of this actor would."""
    with scope_as(actor.scope):
        return verb(actor, *args, **kwargs)


class Cases:
    """Makes cases. `cases.at("affairs")` is the id of a leave of the student that waits for the director."""

    def __init__(self, cast: Cast, behind) -> None:
        self.cast = cast
        self.behind = behind

    def attach(self, case_id: int, *kinds: str) -> None:
        """Materials as rows; their files are the business of test_material.py."""
        for kind in kinds:
            self.behind.run(
                "insert into case_material (case_id, student_id, college_id, student_college_id, kind, file_name,"
                " content_type, size, sha256, path, uploaded_by) select id, student_id, college_id,"
                " student_college_id, :kind, 'a.pdf', 'application/pdf', 1, '', gen_random_uuid()::text, opened_by"
                " from flow_case where id = :id", id=case_id, kind=kind,
            )  # fmt: skip

    def draft(self, flow: Flow = leave, values: dict | None = None, *, by: str = "student", student: int = 101) -> int:
        filled = values or (LEAVE if flow is leave else RETURN)
        return acting(self.cast.__getattr__(by), lambda actor: open_case(actor, flow, student, filled).id)

    def complete(
        self, flow: Flow = leave, values: dict | None = None, *, by: str = "student", student: int = 101
    ) -> int:
        """A draft with every material that could be asked for."""
        case_id = self.draft(flow, values, by=by, student=student)
        self.attach(case_id, *(material.key for material in flow.materials))
        return case_id

    def submitted(
        self, flow: Flow = leave, values: dict | None = None, *, by: str = "student", student: int = 101
    ) -> int:
        case_id = self.complete(flow, values, by=by, student=student)
        acting(self.cast.__getattr__(by), submit, case_id)
        return case_id

    def at(self, step: str, flow: Flow = leave, *, values: dict | None = None, student: int = 101) -> int:
        case_id = self.submitted(flow, values, student=student, by="student" if student == 101 else "clerk")
        for declared in flow.steps:
            if declared.key == step:
                return case_id
            self.sign(case_id, declared.key)
        return case_id

    def sign(self, case_id: int, step: str) -> None:
        for signer in ("library", "finance") if step == "delivery" else (SIGNERS[step],):
            (outcome,) = self.decide(signer, case_id, step)
            assert outcome.done, str(outcome.reason)

    def decide(self, who: str | Actor, case_id: int, step: str, **how):
        actor = self.cast.__getattr__(who) if isinstance(who, str) else who
        how.setdefault("records", RECORDS.get(step))
        return acting(actor, decide, [case_id], expected_step=step, **how)

    def state(self, case_id: int) -> tuple[str, str | None]:
        (row,) = self.behind.rows("select state, step_key from flow_case where id = :id", id=case_id)
        return row["state"], row["step_key"]


@pytest.fixture
def cases(cast: Cast, behind) -> Cases:
    role = behind.connection.execute(text("select current_setting('role')")).scalar()
    behind.connection.execute(text("set local role xueji_owner"))
    prepare(behind.connection)
    behind.connection.execute(text("select set_config('role', :role, true)"), {"role": role})
    return Cases(cast, behind)


@pytest.fixture
def on_leave(cases: Cases) -> int:
    """The student's finished leave; she may come back."""
    return cases.at("end", values=ILL)


@pytest.fixture
def walks(cast, behind):
    """`walks("leave")` walks that flow, its window open and its student ready."""
    behind.connection.execute(text("set local role xueji_owner"))
    prepare(behind.connection)
    for key, item in ANSWERS.items():
        behind.connection.execute(
            text("update department set leaving_items = :i where key = :k"), {"i": [item], "k": key}
        )
    behind.connection.execute(text("set local role none"))
    made: list[Walk] = []

    def walk(key: str, status: str | None = None, student: int = STUDENT) -> Walk:
        made.append(Walk(cast, behind, FLOWS[key], student))
        if len(made) > 1:
            made[-1].days = made[0].days
        made[-1].open_window()
        made[-1].ready(status)
        return made[-1]

    yield walk
    if made:
        made[0].days.close()
