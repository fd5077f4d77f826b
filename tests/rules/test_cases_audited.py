"""Every change of a case is audited: the watch under all tests of operations, and what it lets nobody forget (P25)."""

import pytest
from sqlalchemy import text, update

from app.access import Permission
from app.kit.operation import audit, operation
from app.models import Case, CaseStep, StepState, db
from app.operations.transfers.preparing import set_scores
from tests.flows.conftest import acting, cases, walks  # noqa: F401 - fixtures
from tests.watching import Unaudited


@operation(needs=Permission.CASE_DECIDE)
def meddle(actor, case_id, values, *, noting=None):
    """An operation that changes a case, and audits the case `noting`."""
    db.session.execute(update(Case.__table__).where(Case.__table__.c.id == case_id).values(**values))
    if noting is not None:
        audit(actor, "case:save", subject="flow_case", subject_id=noting)


@operation(needs=Permission.CASE_DECIDE)
def close_steps(actor, case_id):
    db.session.execute(update(CaseStep.__table__).where(CaseStep.case_id == case_id).values(state=StepState.CLOSED))


@pytest.mark.parametrize("values", [{"state": "refused"}, {"step_key": "registry"}, {"took_effect": True},
                                    {"statement": "别的"}, {"college_id": 2}])  # fmt: skip
def test_an_operation_that_forgets_the_audit_changes_nothing(cases, cast, behind, values):  # noqa: F811
    case_id = cases.submitted()
    before = behind.rows("select * from flow_case where id = :id", id=case_id)
    for noting in (None, case_id + 1):  # nothing, or another case
        with pytest.raises(Unaudited, match=next(iter(values))):
            acting(cast.registry, meddle, case_id, values, noting=noting)
    assert behind.rows("select * from flow_case where id = :id", id=case_id) == before
    acting(cast.registry, meddle, case_id, values, noting=case_id)


def test_nor_does_one_that_changes_steps(cases, cast):  # noqa: F811
    case_id = cases.submitted()
    with pytest.raises(Unaudited, match=r"case_step\(state\)"):
        acting(cast.registry, close_steps, case_id)
    assert cases.state(case_id) == ("open", "accept")


def test_what_follows_from_elsewhere_is_audited_case_by_case(cases, cast, behind):  # noqa: F811
    case_id = cases.at("affairs")
    behind.run("update case_step set assigned_to = :me where case_id = :id and key = 'college'", id=case_id,
               me=cast.leader.user_id)  # fmt: skip
    behind.run("update student set college_id = 2, major_id = 3, class_group_id = null where id = 101")
    (row,) = behind.rows("select old, new from audit_entry where action = 'case:follow' and subject_id = :id",
                         id=case_id)  # fmt: skip
    assert row["old"] != {"college": row["new"]["college"]}


def test_each_application_of_a_round_keeps_its_score(walks, behind):  # noqa: F811
    walk = walks("major_transfer")
    case_id = walk.at("panel")

    def score(actor):
        db.session.execute(text("create temp table ranked on commit drop as select student_no, 81.5::numeric as score"
                                " from student where id = 101"))  # fmt: skip
        set_scores.__wrapped__(actor, 1, "ranked", ["student_no", "score"])
        db.session.commit()

    walk.act("registry", score)
    (row,) = behind.rows("select subject_id, new from audit_entry where action = 'case:score'")
    assert row["subject_id"] == case_id and row["new"]["score"].startswith("81.5")
