"""The database decides which rows a person reaches, with no help from Python."""

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import ProgrammingError

from app.access import NO_SCOPE, scope, scope_as
from app.access.scope import ScopeChanged
from app.models import Case, RosterChange, Student, db


def students(scope) -> set[int]:
    with scope_as(scope):
        return set(db.session.scalars(select(Student.id)))


def test_nobody_reaches_no_rows(app):
    with scope_as(NO_SCOPE), pytest.raises(ProgrammingError, match="permission denied"):
        db.session.scalar(select(func.count(Student.id)))


def test_each_reaches_their_own(cast):
    ours, theirs = set(range(101, 107)), set(range(201, 207))
    assert students(cast.registry.scope) == ours | theirs
    assert students(cast.auditor.scope) == ours | theirs
    assert students(cast.clerk.scope) == ours
    assert students(cast.clerk2.scope) == theirs
    assert students(cast.student.scope) == {101}
    assert students(cast.admissions.scope) == set()  # nobody waits for registration


def test_a_clerk_changes_contact_data_of_her_own_students_alone(cast, behind):
    with scope_as(cast.clerk.scope):
        changed = db.session.execute(update(Student).where(Student.id.in_([101, 201])).values(phone="1"))
        db.session.commit()
    assert changed.rowcount == 1
    assert behind.one("select phone from student where id = 201") == "13800000000"


@pytest.mark.parametrize("column", ["status", "student_no", "college_id", "name"])
def test_a_clerk_cannot_change_what_only_flows_change(cast, column):
    with scope_as(cast.clerk.scope), pytest.raises(ProgrammingError, match="permission denied"):
        db.session.execute(text(f"update student set {column} = {column} where id = 101"))


def test_an_auditor_writes_nothing(cast):
    with scope_as(cast.auditor.scope), pytest.raises(ProgrammingError, match="permission denied"):
        db.session.execute(update(Student).values(phone="1"))


def test_nobody_changes_the_ledger(cast):
    for person in ("registry", "clerk", "student"):
        with scope_as(getattr(cast, person).scope), pytest.raises(ProgrammingError, match="permission denied"):
            db.session.execute(update(RosterChange).values(note="x"))


def test_a_case_for_a_hidden_student_is_refused_although_the_key_is_right(cast):
    values = {
        "number": "X1", "flow": "leave", "flow_version": 1, "student_id": 201, "college_id": 1,
        "student_college_id": 2, "subject": "x", "opened_by": cast.clerk.user_id, "opened_by_role": "college_clerk",
    }  # fmt: skip
    with scope_as(cast.clerk.scope), pytest.raises(ProgrammingError, match="row-level security"):
        db.session.execute(insert(Case.__table__).values(values))


def test_history_names_who_what_and_why(cast, behind):
    with scope_as(cast.clerk.scope):
        db.session.execute(text("select set_config('app.why', 'moved house', true)"))
        db.session.execute(update(Student).where(Student.id == 101).values(address="新路 2 号"))
        db.session.commit()
    (row,) = behind.rows("select field, old, new, why, changed_by, changed_by_name from field_change")
    assert row == {
        "field": "address", "old": "某路 1 号", "new": "新路 2 号", "why": "moved house",
        "changed_by": cast.clerk.user_id, "changed_by_name": cast.clerk.name,
    }  # fmt: skip


def test_the_scope_cannot_change_inside_a_transaction(cast):
    registry = cast.registry
    db.session.scalar(select(func.now()))
    token = scope._background.set(registry.scope)
    try:
        with pytest.raises(ScopeChanged):
            db.session.scalar(select(func.now()))
    finally:
        scope._background.reset(token)
