"""Leave: the strangers first, then the wrong states, then the whole way."""

import io
from datetime import date, timedelta

import pytest

from app.access import acting_for
from app.flows.leave import leave
from app.kit import clock
from app.kit.flow import let_in_late, open_case, save_draft, submit, withdraw
from app.kit.operation import Faulty, NotAllowed, NotFound, Refused
from tests.conftest import TODAY
from tests.flows.conftest import ILL, LEAVE, acting
from tests.flows.test_material import PDF

OPEN = [("accept", "clerk"), ("college", "leader"), ("affairs", "director"), ("registry", "registry")]


# applying


@pytest.mark.parametrize("who", ["classmate", "student2", "clerk2"])
def test_a_stranger_sees_no_student_to_apply_for(cases, cast, who):
    with pytest.raises(NotFound):
        acting(getattr(cast, who), open_case, leave, 101, LEAVE)


@pytest.mark.parametrize("who", ["leader", "director", "auditor", "library", "admin"])
def test_other_roles_do_not_apply(cases, cast, who):
    with pytest.raises((NotAllowed, NotFound)):
        acting(getattr(cast, who), open_case, leave, 101, LEAVE)


def test_the_registry_opens_only_late_exceptions(cases, cast):
    with pytest.raises(NotAllowed):
        acting(cast.registry, open_case, leave, 101, LEAVE)


@pytest.mark.parametrize("status", ["on_leave", "withdrawn", "admitted"])
def test_only_enrolled_students_go_on_leave(cases, cast, behind, status):
    behind.run("update student set status = :s where id = 101", s=status)
    with pytest.raises(Refused, match=r"status|状态"):
        acting(cast.student, open_case, leave, 101, LEAVE)


@pytest.mark.parametrize(
    "values",
    [
        {"state": "done"}, {"reason": "boredom"}, {"leave_from": "yesterday"}, {"leave_terms": "two"},
        {"leave_terms": -1}, {"leave_terms": 99999}, {"statement": "x" * 2001},
    ],
)  # fmt: skip
def test_values_that_do_not_fit_are_refused(cases, cast, values):
    with pytest.raises(Refused):
        acting(cast.student, open_case, leave, 101, LEAVE | values)


def test_a_second_running_case_is_refused(cases, cast):
    cases.draft()
    with pytest.raises(Refused):
        cases.draft(by="clerk")


@pytest.mark.parametrize("field", ["reason", "leave_from", "leave_terms", "statement"])
def test_an_empty_field_is_named(cases, cast, field):
    with pytest.raises(Refused):  # without a reason not even a draft begins
        acting(cast.student, submit, cases.complete(values=LEAVE | {field: None}))


def test_missing_materials_are_named_and_depend_on_the_reason(cases, cast):
    case_id = cases.draft(values=ILL)
    cases.attach(case_id, "application", "id_copies", "enlistment_notice")
    with pytest.raises(Refused):
        acting(cast.student, submit, case_id)
    cases.attach(case_id, "diagnosis")
    acting(cast.student, submit, case_id)
    assert cases.state(case_id) == ("open", "accept")


@pytest.mark.parametrize(("day", "word"), [(date(2026, 8, 28), "2026-08-31"), (date(2026, 10, 8), "2027-03-01")])
def test_too_early_says_when_it_opens(cases, cast, day, word):
    case_id = cases.complete()
    with clock.on(day), pytest.raises(Refused, match=word):
        acting(cast.student, submit, case_id)


def test_too_late_says_since_when_and_the_registry_lets_in(cases, cast, behind):
    case_id = cases.complete(values=LEAVE | {"leave_from": date(2027, 6, 1)})
    with clock.on(date(2027, 6, 1)):
        with pytest.raises(Refused, match="2027-03-14"):
            acting(cast.student, submit, case_id)
        with pytest.raises(NotAllowed):
            acting(cast.clerk, let_in_late, case_id, "住院")
        with pytest.raises(Refused):
            acting(cast.registry, let_in_late, case_id, "  ")
        acting(cast.registry, let_in_late, case_id, "住院")
        acting(cast.student, submit, case_id)
    assert cases.state(case_id) == ("open", "accept")
    assert behind.one("select opinion from case_event where act = 'let_in_late'") == "住院"
    assert behind.one("select count(*) from audit_entry where action = 'case:let_in_late'") == 1


def test_the_registry_hands_in_what_it_let_in(cases, cast, behind):
    """It edits, attaches and hands in its own exception over the pages; a draft of the student's stays hers."""
    late = {
        "late_reason": "住院昏迷",
        "reason": "other",
        "leave_from": "2027-06-01",
        "leave_terms": "1",
        "statement": "住院",
    }
    with clock.on(date(2027, 6, 1)):
        registry = cast.login("registry")
        page = registry.post("/apply/leave/101", data=late)
        assert page.status_code == 302
        case_id = behind.one("select max(id) from flow_case")
        assert registry.get(f"/casescreen/edit/{case_id}").status_code == 200
        assert registry.post(f"/casescreen/edit/{case_id}", data=late | {"statement": "改写"}).status_code == 302
        assert behind.one("select statement from flow_case where id = :id", id=case_id) == "改写"
        for kind in ("application", "id_copies"):
            scan = {"file": (io.BytesIO(PDF), "扫描.pdf")}
            registry.post(f"/casescreen/upload/{case_id}/{kind}", data=scan, content_type="multipart/form-data")
        registry.post(f"/casescreen/decide/{case_id}", data={"act": "submit"})
        assert cases.state(case_id) == ("open", "accept")
        hers = cases.complete(student=102, by="clerk", values=LEAVE | {"leave_from": date(2027, 6, 1)})
        acting(cast.registry, let_in_late, hers, "住院")
        for verb, *more in ((submit,), (save_draft, {"statement": "x"})):
            with pytest.raises(NotAllowed):
                acting(cast.registry, verb, hers, *more)
        with pytest.raises(NotAllowed):
            acting(cast.director, submit, hers)


def test_illness_counts_from_the_diagnosis_and_not_by_the_window(cases, cast):
    with clock.on(date(2026, 11, 1)), pytest.raises(Faulty, match="尚未到来"):  # a diagnosis of tomorrow
        cases.complete(values=ILL | {"evidence_date": date(2026, 11, 2)})
    with clock.on(date(2026, 11, 2)):
        case_id = cases.complete(values=ILL | {"evidence_date": date(2026, 11, 2), "leave_from": date(2026, 11, 10)})
    with clock.on(date(2026, 11, 10)), pytest.raises(Refused, match="2026-11-09"):
        acting(cast.student, submit, case_id)
    with clock.on(date(2026, 11, 9)):
        acting(cast.student, submit, case_id)


def test_one_leave_and_all_leaves_are_limited(cases, cast, behind):
    with pytest.raises(Faulty, match="18"):
        cases.complete(values=LEAVE | {"leave_terms": 3})
    case_id = cases.complete(values=LEAVE | {"leave_terms": 2})
    behind.run("insert into roster_change (student_id, college_id, student_college_id, code, effective_on, until,"
               " new_status, new_college_id, new_major_id, new_grade, new_study_length, new_text)"
               " values (101, 1, 1, '11', '2025-03-01', '2026-08-30', 'on_leave', 1, 1, 2024, 4, '{}')")  # fmt: skip
    with pytest.raises(Refused, match="30"):
        acting(cast.student, submit, case_id)
    acting(cast.student, save_draft, case_id, {"leave_terms": 1})
    acting(cast.student, submit, case_id)


def test_enlistment_is_not_limited(cases, cast, behind):
    case_id = cases.submitted(values=LEAVE | {"reason": "enlistment", "evidence_date": TODAY, "leave_terms": 8})
    # how long it lasts is nobody's to choose: until two years after discharge
    assert behind.rows("select leave_terms, leave_until from flow_case where id = :id", id=case_id) == [
        {"leave_terms": None, "leave_until": None}
    ]


def test_handing_in_twice_is_one_case(cases, cast, behind):
    case_id = cases.submitted()
    with pytest.raises(Refused):
        acting(cast.student, submit, case_id)
    assert behind.one("select count(*) from case_step where case_id = :id", id=case_id) == 6  # two departments


def test_the_registry_opens_late_for_the_student_who_hands_in(cases, cast):
    def verb(me):
        return open_case(me, leave, 101, LEAVE | {"leave_from": date(2027, 5, 20)}, late_reason="住院").id

    with clock.on(date(2027, 6, 1)):
        case_id = acting(cast.registry, verb)
        with pytest.raises(NotAllowed):
            acting(cast.director, submit, case_id)
        with pytest.raises(NotAllowed):  # the clerk has no exceptions to give
            acting(
                cast.clerk,
                lambda me: open_case(me, leave, 102, LEAVE | {"leave_from": date(2027, 6, 1)}, late_reason="住院").id,
            )
        cases.attach(case_id, "application", "id_copies")
        acting(cast.student, submit, case_id)


# deciding


@pytest.mark.parametrize(("step", "who"), OPEN)
def test_everybody_else_is_told_why_not(cases, cast, step, who):
    case_id = cases.at(step)
    others = {"clerk", "leader", "director", "registry", "clerk2", "leader2", "library", "vp", "admissions"} - {who}
    for other in sorted(others):
        (outcome,) = cases.decide(other, case_id, step, records={"originals": True})
        assert not outcome.done and str(outcome.reason), other
    for nobody in ("student", "auditor", "admin"):
        with pytest.raises(NotAllowed):
            cases.decide(nobody, case_id, step)
    assert cases.state(case_id) == ("open", step)


def test_another_colleges_case_is_no_case(cases, cast):
    (outcome,) = cases.decide("leader2", cases.at("college"), "college")
    assert (outcome.done, outcome.number) == (False, "")


def test_a_stale_page_decides_nothing(cases, cast):
    case_id = cases.at("college")
    (outcome,) = cases.decide("leader", case_id, "accept")
    assert not outcome.done
    (outcome,) = cases.decide("clerk", case_id, "accept")  # pressed twice
    assert not outcome.done
    assert cases.state(case_id) == ("open", "college")


def test_the_first_step_wants_the_materials(cases, cast, behind):
    case_id = cases.submitted()
    behind.run("update case_material set removed = true where kind = 'id_copies'")
    (outcome,) = cases.decide("clerk", case_id, "accept")
    assert not outcome.done


@pytest.mark.parametrize("state", ["draft", "withdrawn", "refused", "done"])
def test_a_case_that_is_not_open_is_not_decided(cases, cast, behind, state):
    case_id = cases.at("college")
    behind.run("update flow_case set state = :s where id = :id", s=state, id=case_id)
    (outcome,) = cases.decide("leader", case_id, "college")
    assert not outcome.done


def both_hands(cast, behind):
    """The clerk becomes leader as well, and returns as an actor with both roles."""
    behind.run("insert into identity_role select i.id, r.id from identity i join ab_user u on u.id = i.user_id,"
               " ab_role r where u.username = 'clerk' and r.name = 'college_leader'")  # fmt: skip
    return cast.clerk


@pytest.mark.parametrize("by", ["student", "clerk"])
def test_the_same_hand_does_not_enter_or_accept_and_sign(cases, cast, behind, by):
    clerk = both_hands(cast, behind)
    case_id = cases.submitted(by=by)
    cases.sign(case_id, "accept")
    (outcome,) = cases.decide(clerk, case_id, "college")
    assert not outcome.done
    cases.sign(case_id, "college")


def test_nobody_signs_her_own_case(cases, cast, behind):
    case_id = cases.at("college")
    behind.run("insert into identity (user_id, scope, student_id) select id, 'student', 101 from ab_user"
               " where username = 'leader'")  # fmt: skip
    (outcome,) = cases.decide("leader", case_id, "college")
    assert not outcome.done
    cases.decide("leader_b", case_id, "college")
    assert cases.state(case_id) == ("open", "affairs")


def test_the_registry_needs_the_originals(cases, cast):
    case_id = cases.at("registry")
    (outcome,) = cases.decide("registry", case_id, "registry", records={})
    assert not outcome.done
    assert cases.state(case_id) == ("open", "registry")


def test_a_student_whose_roster_changed_meanwhile_is_left_alone(cases, cast, behind):
    case_id = cases.at("registry")
    behind.run("update student set status = 'withdrawn' where id = 101")
    (outcome,) = cases.decide("registry", case_id, "registry")
    assert not outcome.done
    assert behind.one("select count(*) from roster_change where case_id is not null") == 0


# back, refused, taken back


def test_sent_back_needs_a_reason(cases, cast):
    case_id = cases.at("college")
    with pytest.raises(Refused):
        cases.decide("leader", case_id, "college", act="send_back", opinion=" ")


def test_sent_back_one_step_opens_it_again(cases, cast):
    case_id = cases.at("affairs")
    cases.decide("director", case_id, "affairs", act="send_back", opinion="印章不清")
    assert cases.state(case_id) == ("open", "college")
    cases.sign(case_id, "college")
    assert cases.state(case_id) == ("open", "affairs")


@pytest.mark.parametrize(("step", "who", "to"), [("accept", "clerk", "previous"), ("affairs", "director", "applicant")])
def test_sent_back_to_the_applicant_keeps_what_was_filled_in(cases, cast, behind, step, who, to):
    case_id = cases.at(step)
    cases.decide(who, case_id, step, act="send_back", opinion="补充说明", to=to)
    assert cases.state(case_id) == ("sent_back", None)
    assert behind.one("select statement from flow_case where id = :id", id=case_id) == LEAVE["statement"]
    with pytest.raises(NotFound):
        acting(cast.student2, save_draft, case_id, {"statement": "不是我的"})
    acting(cast.student, save_draft, case_id, {"statement": "说明"})
    with clock.on(date(2026, 12, 1)):  # it came in time once
        acting(cast.student, submit, case_id)
    assert cases.state(case_id) == ("open", "accept")
    for key, _who in OPEN:
        cases.sign(case_id, key)


def test_refused_ends_the_case(cases, cast, behind):
    case_id = cases.at("affairs")
    cases.decide("director", case_id, "affairs", act="refuse", opinion="不符合条件")
    assert cases.state(case_id) == ("refused", None)
    assert behind.one("select count(*) from case_step where state in ('open', 'waiting')") == 0
    assert behind.one("select status from student where id = 101") == "enrolled"
    with pytest.raises(Refused):
        acting(cast.student, submit, case_id)
    cases.draft()  # she may try again


@pytest.mark.parametrize("who", ["classmate", "clerk", "leader", "clerk2", "director"])
def test_only_the_applicant_takes_a_case_back(cases, cast, who):
    case_id = cases.at("college")
    with pytest.raises((Refused, NotFound)):
        acting(getattr(cast, who), withdraw, case_id)


def test_the_clerk_hands_in_no_application_that_a_student_began(cases, cast):
    """Nor fills it in; the student does both, also after it was sent back."""
    case_id = cases.complete()
    for verb, more in ((submit, ()), (save_draft, (LEAVE | {"statement": "代填"},))):
        with pytest.raises(NotAllowed):
            acting(cast.clerk, verb, case_id, *more)
    acting(cast.student, submit, case_id)
    cases.decide("clerk", case_id, "accept", act="send_back", opinion="材料不清", to="applicant")
    with pytest.raises(NotAllowed):
        acting(cast.clerk, submit, case_id)


def test_the_registrys_reason_lets_a_leave_begin_earlier_on_the_page_too(cast, behind):
    day = (TODAY - timedelta(days=5)).isoformat()
    form = {"reason": "other", "leave_from": day, "leave_terms": "1", "statement": "家中有事"}
    assert cast.login("clerk").post("/apply/leave/101", data=form).status_code == 422
    assert cast.login("registry").post("/apply/leave/101", data=form).status_code == 422
    browser = cast.login("registry")
    assert browser.post("/apply/leave/101", data=form | {"late_reason": "住院，家长代报"}).status_code == 302
    assert behind.one("select leave_from::text from flow_case where student_id = 101") == day


def test_the_college_takes_back_what_it_applied_for_and_says_why(cases, cast, behind):
    case_id = cases.submitted(by="clerk", student=102)
    with pytest.raises(Refused, match=r"reason|理由"):
        acting(cast.clerk, withdraw, case_id, " ")
    acting(cast.clerk, withdraw, case_id, "报错了人")
    assert (
        behind.one("select opinion from case_event where case_id = :id and act = 'withdraw'", id=case_id) == "报错了人"
    )


def test_taken_back_until_academic_affairs_has_signed(cases, cast):
    case_id = cases.at("affairs")
    acting(cast.student, withdraw, case_id)
    assert cases.state(case_id) == ("withdrawn", None)
    (outcome,) = cases.decide("director", case_id, "affairs")
    assert not outcome.done
    later = cases.at("registry")
    with pytest.raises(Refused):
        acting(cast.student, withdraw, later)


def test_a_change_made_is_not_sent_back(cases, cast):
    case_id = cases.at("delivery")
    for act in ("send_back", "refuse"):
        (outcome,) = cases.decide("library", case_id, "delivery", act=act, opinion="不")
        assert not outcome.done


# in another's name


def test_a_deputy_signs_in_the_name_of_the_absent(cases, cast, behind):
    case_id = cases.at("affairs")
    (outcome,) = cases.decide("vp", case_id, "affairs")
    assert not outcome.done
    deputy = acting_for(cast.vp, cast.director, cast.director.roles)
    (outcome,) = cases.decide(deputy, case_id, "affairs")
    assert outcome.done
    (event,) = behind.rows("select actor_name, on_behalf_of from case_event where step_key = 'affairs'")
    assert event == {"actor_name": cast.vp.name, "on_behalf_of": cast.director.name}


def test_a_deputy_is_still_one_person(cases, cast):
    case_id = cases.at("college")
    (outcome,) = cases.decide(acting_for(cast.clerk, cast.leader, cast.leader.roles), case_id, "college")
    assert not outcome.done


# the whole way


@pytest.mark.parametrize(
    ("reason", "status", "code", "reason_code"),
    [("other", "on_leave", "11", "99"), ("illness", "on_leave", "11", "10"), ("enlistment", "retained", "19", "34"),
     ("startup", "on_leave", "11", "24")],
)  # fmt: skip
def test_approved_it_changes_ledger_and_student(cases, cast, behind, reason, status, code, reason_code):
    case_id = cases.at("delivery", values=LEAVE | {"reason": reason, "evidence_date": TODAY})
    (row,) = behind.rows("select * from roster_change where case_id = :id", id=case_id)
    assert (row["code"], row["reason"], row["effective_on"]) == (code, reason_code, TODAY)
    assert (row["old_status"], row["new_status"]) == ("enrolled", status)
    until = None if reason == "enlistment" else date(2027, 8, 29)
    assert (row["until"], row["approved_on"]) == (until, TODAY)
    (paper,) = behind.rows("select number, body, subject from paper where case_id = :id", id=case_id)
    assert row["document_no"] == paper["number"] == "YD-2026-0001"
    assert "学生11" in paper["body"] and ("2027年8月29日" if until else "退役后规定期限届满") in paper["body"]
    assert row["old_text"]["college"] == "计算机学院" and row["new_text"]["class_group"] == "计科2024-1班"
    assert behind.one("select status from student where id = 101") == status
    assert behind.one("select why from field_change where student_id = 101 and field = 'status'") == "休学"
    assert cases.state(case_id) == ("open", "delivery")
    cases.decide("library", case_id, "delivery")
    assert cases.state(case_id) == ("open", "delivery")
    (again,) = cases.decide("library", case_id, "delivery")
    assert not again.done
    cases.decide("finance", case_id, "delivery")
    assert cases.state(case_id) == ("done", None)
    assert behind.one("select count(*) from case_event where case_id = :id", id=case_id) == 8
    assert behind.one("select count(*) from audit_entry where subject_id = :id and action = 'case:approve'",
                      id=case_id) == 6  # fmt: skip


def test_due_dates_are_working_days(cases, cast, behind):
    with clock.on(date(2026, 9, 4)):  # a Friday
        case_id = cases.submitted(values=LEAVE | {"leave_from": date(2026, 9, 4)})
    assert behind.one(
        "select due_on from case_step where case_id = :id and state = 'open'", id=case_id
    ).isoformat() == ("2026-09-07")
