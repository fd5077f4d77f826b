"""Grounds that are looked at more than once: the level to which a change of major leads."""

import pytest

from app.demo import transfers as demo_transfers
from app.kit.operation import Refused
from app.operations.transfers.decision import propose


def another_level(behind, back: bool = False) -> None:
    behind.run("update major set education_level = :l where id = 3", l="05" if back else "06")


@pytest.mark.parametrize("step", ["accept", "placing", "placed", "document"])
def test_the_level_of_the_new_major_is_looked_at_at_every_signature(walks, behind, step):
    walk = walks("major_transfer")
    case_id = walk.at(step)
    another_level(behind)
    if step == "document":
        with pytest.raises(Refused, match=r"level|层次"):
            walk.sign(case_id, step)
    else:
        (outcome,) = walk.decide(walk.signer(step), case_id, step)
        assert not outcome.done and "层次" in str(outcome.reason)
    another_level(behind, back=True)
    walk.sign(case_id, step)
    assert walk.state(case_id)[1] != step


def test_a_round_admits_nobody_to_another_level(walks, behind):
    walk = walks("major_transfer")
    case_id = walk.at("panel")
    another_level(behind)
    choices = [row["id"] for row in behind.rows("select id from transfer_choice where case_id = :id", id=case_id)]
    behind.run("update transfer_choice set passed = true, examined_by = 1, confirmed_by = 1 where id = any(:ids)",
               ids=choices)  # fmt: skip
    behind.run("update flow_case set score = 80 where id = :id", id=case_id)
    walk.act("registry", lambda _actor: None)
    assert case_id in walk.act("panel", lambda _actor: propose(1).refused)
    another_level(behind, back=True)
    assert case_id in walk.act("panel", lambda _actor: propose(1).admitted)


def test_the_form_offers_majors_of_her_level_alone(walks, behind, cast):
    walks("major_transfer")
    student = cast.login("student")
    assert "汉语言文学" in student.get("/apply/major_transfer/101").text
    another_level(behind)
    page = student.get("/apply/major_transfer/101").text
    assert "汉语言文学" not in page and "软件工程" in page


def test_the_demo_asks_for_the_level():
    assert "education_level" in str(demo_transfers.GOALS)
