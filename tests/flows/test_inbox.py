"""The inbox and the buttons: each identity sees what it can act on, and nothing else."""

from datetime import date, timedelta
from xml.etree.ElementTree import fromstring

import pytest

from app.access import acting_for
from app.flows.leave import leave
from app.kit import clock
from app.kit.flow import may, select_done_by, select_open_steps, select_sent_back, step_for, what_next
from app.kit.flow.diagram import case_diagram, flow_diagram
from app.kit.operation import NotAllowed, NotFound, Refused
from app.models import Case, db
from app.operations.accounts.delegation import as_deputy, delegate, revoke
from tests.conftest import TODAY
from tests.flows.conftest import LEAVE, acting


def inbox(actor):
    return acting(actor, lambda me: [case.id for _step, case in db.session.execute(select_open_steps(me))])


def buttons(actor, case_id):
    return acting(actor, lambda me: may(me, db.session.get(Case, case_id)))


@pytest.mark.parametrize(
    ("step", "who"),
    [("accept", "clerk"), ("college", "leader"), ("affairs", "director"), ("registry", "registry"),
     ("delivery", "library")],
)  # fmt: skip
def test_the_step_waits_for_one_role_alone(cases, cast, step, who):
    case_id = cases.at(step)
    everyone = {"clerk", "leader", "director", "registry", "library", "clerk2", "leader2", "vp", "auditor", "student"}
    for other in sorted(everyone - {who}):
        assert inbox(getattr(cast, other)) == [], other
    assert inbox(getattr(cast, who)) == [case_id]
    assert "approve" in buttons(getattr(cast, who), case_id)


def test_overdue_comes_first(cases, cast):
    with clock.on(TODAY + timedelta(days=2)):
        later = cases.at("college", student=102, values=LEAVE | {"leave_from": TODAY + timedelta(days=2)})
    earlier = cases.at("college", student=103)
    assert inbox(cast.leader) == [earlier, later]


def test_buttons_follow_the_state(cases, cast, behind):
    case_id = cases.complete()
    assert buttons(cast.student, case_id) == {"save", "submit", "add_material", "withdraw"}
    assert buttons(cast.clerk, case_id) == set()  # it is the student's to fill in, hand in and take back
    assert buttons(cast.registry, case_id) == {"let_in_late"}
    assert buttons(cast.leader, case_id) == set()
    case_id = cases.at("college", student=102)
    assert buttons(cast.leader, case_id) == {"approve", "send_back", "refuse"}
    for step in ("college", "affairs", "registry"):
        cases.sign(case_id, step)
    assert buttons(cast.library, case_id) == {"approve"}
    cases.sign(case_id, "delivery")
    assert all(buttons(getattr(cast, who), case_id) == set() for who in ("clerk", "leader", "registry", "library"))


def test_what_was_sent_back_and_what_was_done(cases, cast):
    case_id = cases.at("affairs")
    cases.decide("director", case_id, "affairs", act="send_back", opinion="补充", to="applicant")

    def sent_back(me):
        return [case.id for case in db.session.scalars(select_sent_back(me))]

    def done(me):
        return [(case.id, step.key) for step, case in db.session.execute(select_done_by(me))]

    assert acting(cast.student, sent_back) == [case_id]
    assert acting(cast.classmate, sent_back) == acting(cast.clerk, sent_back) == []
    assert acting(cast.director, done) == [(case_id, "affairs")]
    assert acting(cast.leader, done) == [(case_id, "college")]
    assert acting(cast.leader_b, done) == []


def test_what_happens_next_and_by_when(cases, cast):
    case_id = cases.at("college")

    def following(_me):
        return [(item.by, str(item.who)) for item in what_next(db.session.get(Case, case_id))]

    ((by, who),) = acting(cast.student, following)
    assert by == date(2026, 9, 4) and who
    assert acting(cast.leader, lambda me: step_for(me, db.session.get(Case, case_id)).key) == "college"


# delegation


def test_a_delegation_holds_between_its_dates_for_its_deputy(cases, cast, behind):
    behind.run("update setting set value = 'affairs_director: vice_president' where key = 'deputy_roles'")
    case_id = cases.at("affairs")
    vp, director = cast.vp, cast.director
    given = acting(director, lambda me: delegate(me, vp.user_id, date(2026, 9, 7), date(2026, 9, 8), "出差").id)
    for stranger, day in ((cast.leader, date(2026, 9, 7)), (vp, date(2026, 9, 6)), (vp, date(2026, 9, 9))):
        with clock.on(day), pytest.raises(NotAllowed):
            acting(stranger, as_deputy, given)
    with clock.on(date(2026, 9, 8)):
        deputy = acting(vp, as_deputy, given)
        assert inbox(deputy) == [case_id]
        assert buttons(deputy, case_id) == {"approve", "send_back", "refuse"}
        with pytest.raises(NotFound):
            acting(vp, revoke, given)
        acting(director, revoke, given)
        with pytest.raises(NotAllowed):
            acting(vp, as_deputy, given)


def test_a_delegation_is_dated_reasoned_and_not_passed_on(cases, cast, behind):
    behind.run("update setting set value = 'affairs_director: vice_president' where key = 'deputy_roles'")
    director, vp = cast.director, cast.vp
    for deputy, start, end, why in (
        (director.user_id, TODAY, TODAY, "x"), (vp.user_id, TODAY, TODAY - timedelta(1), "x"),
        (vp.user_id, TODAY, TODAY + timedelta(400), "x"), (vp.user_id, TODAY, TODAY, " "), (10**6, TODAY, TODAY, "x"),
    ):  # fmt: skip
        with pytest.raises(Refused):
            acting(director, delegate, deputy, start, end, why)
    with pytest.raises(NotAllowed):
        acting(acting_for(vp, director, director.roles), delegate, cast.leader.user_id, TODAY, TODAY, "x")
    with pytest.raises(NotAllowed):
        acting(cast.student, delegate, vp.user_id, TODAY, TODAY, "x")


# the diagram


def test_the_diagram_shows_where_the_case_is_and_ways_back(cases, cast, behind):
    case_id = cases.at("affairs")
    behind.run("update ab_user set first_name = '<script>' where username = 'leader'")
    cases.decide("director", case_id, "affairs", act="send_back", opinion="补充")

    def drawn(_me):
        return [str(case_diagram(db.session.get(Case, case_id), tall=tall)) for tall in (False, True)]

    for svg in acting(cast.student, drawn):
        tree = fromstring(svg)  # noqa: S314  (our own)
        boxes = [box.get("class") for box in tree.iter("g")]
        assert boxes == ["sr-node done", "sr-node done", "sr-node current", *["sr-node todo"] * 3]
        assert svg.count('class="sr-edge ret"') == 1
        assert "style=" not in svg and "<script" not in svg


def test_the_diagram_of_a_refused_case_says_refused(cases, cast):
    case_id = cases.at("affairs")
    cases.decide("director", case_id, "affairs", act="refuse", opinion="条件不符")
    for tall in (False, True):
        svg = acting(cast.student, lambda _me, tall=tall: str(case_diagram(db.session.get(Case, case_id), tall=tall)))
        assert svg.count('class="sr-node refused"') == 1 and "returned" not in svg
        assert "不同意 09-02" in svg and "退回" not in svg and "director" in svg


def test_a_flow_is_drawn_without_a_case(app):
    assert str(flow_diagram(leave)).count('class="sr-node todo"') == 6
