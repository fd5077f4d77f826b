"""P08: the day of something that has happened is never one to come, in whatever form it is entered."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Date

from app.kit import clock
from app.kit.flow import FLOWS, decide
from app.kit.operation import Refused
from app.models import Absence, Model
from app.operations.proceedings.dismissals import end_absence, record_absence
from app.operations.proceedings.meetings import record_meeting
from app.operations.proceedings.publicity import publish, record_objection
from app.operations.roster.discharge import record_discharge
from app.papers import issue_document
from tests.conftest import TODAY
from tests.flows.conftest import ILL, acting

# Every column with a day that is no case's: what it says, and for a fact the form below that enters it.
FORMS = {
    "meeting.held_on", "absence.since", "absence.ended_on", "objection.received_on", "document.dated",
    "roster_change.effective_on",  # the discharge from the army enters one
}  # fmt: skip
IMPORTED = {"student.birth_date", "student.entry_date"}  # from the workbook of admissions, whose rules bound them
FOLLOWS = {  # what operations reckon, or plan; nobody enters the day of a fact here
    "academic_year", "calendar_day", "case_step", "code", "dated_effect", "dated_task", "delegation", "legal_clock",
    "publicity", "registration", "reorganisation", "task_event", "term", "roster_change.until",
    "roster_change.approved_on", "identity.ended_on", "student.expected_graduation",
}  # fmt: skip


def test_every_day_of_every_table_is_known_here():
    """A new column with a day is a fact with a form in this module, or it follows."""
    named = {f"{table.name}.{column.name}" for table in Model.metadata.tables.values() for column in table.c
             if isinstance(column.type, Date) and table.name != "flow_case"}  # fmt: skip
    left = {name for name in named if name not in FORMS | IMPORTED | FOLLOWS and name.split(".")[0] not in FOLLOWS}
    assert left == set()


@pytest.fixture
def tomorrow() -> date:
    return clock.today() + timedelta(days=1)


def test_a_meeting(walks, tomorrow):
    walk = walks("voluntary_withdrawal")
    said = {"number": "第1次", "participants": "全体", "resolution": "同意"}
    with pytest.raises(Refused):
        walk.act("clerk", record_meeting, held_on=tomorrow, **said)
    walk.act("clerk", record_meeting, held_on=clock.today(), **said)


def test_an_absence(walks, tomorrow, behind):
    walk = walks("voluntary_withdrawal")
    with pytest.raises(Refused):
        walk.act("clerk", record_absence, walk.student, tomorrow)
    absence: Absence = walk.act("clerk", record_absence, walk.student, clock.today())
    number = behind.one("select max(id) from absence")
    with pytest.raises(Refused):
        walk.act("clerk", end_absence, number, tomorrow)
    walk.act("clerk", end_absence, number, clock.today())
    assert absence is not None


def test_an_objection(walks):
    walk = walks("dismissal")
    case_id = walk.at("publicity")
    number = walk.act("registry", lambda actor: publish(actor, [case_id], "公示", "异议请提出。").id)
    said = {"objector": "李某", "text": "情况不符"}
    with pytest.raises(Refused):
        walk.act("registry", record_objection, number, received_on=clock.today() + timedelta(days=1), **said)
    walk.act("registry", record_objection, number, received_on=clock.today(), **said)


def test_a_discharge(cases, cast, tomorrow):
    cases.at("end", values=ILL | {"reason": "enlistment"})
    with pytest.raises(Refused):
        acting(cast.registry, record_discharge, 101, tomorrow)
    acting(cast.registry, record_discharge, 101, TODAY)


def test_a_document_is_of_the_day_on_which_it_is_issued(walks, behind):
    walk = walks("dismissal")
    case_id = walk.at("document")
    walk.act("registry", issue_document, [case_id], step="document", title="")
    assert behind.one("select dated from document") == clock.today()


RECORDED = [(key, step.key, name) for key, flow in FLOWS.items() for step in flow.steps for name in step.records
            if flow.model.__mapper__.columns[name].info.get("day") == "fact"]  # fmt: skip


@pytest.mark.parametrize(("key", "step", "name"), RECORDED)
def test_what_a_step_records(walks, key, step, name):
    """Told, heard, delivered, examined: in every flow that records it."""
    walk = walks(key)
    case_id = walk.at(step)
    said = walk.records(step)
    (outcome,) = walk.act(walk.signer(step), decide, [case_id], expected_step=step,
                          records=said | {name: (clock.today() + timedelta(days=1)).isoformat()})  # fmt: skip
    assert not outcome.done and str(outcome.reason)
    assert walk.sign(case_id, step)[0].done
