"""Each flow against its row in the manual: who, in which order, with what, when, from which state; what it changes."""

from datetime import date, timedelta

import pytest

from app.access import Role
from app.demo.people import check_character
from app.kit import clock
from app.kit.flow import FLOWS, open_case, submit
from app.kit.operation import Faulty, Refused
from app.papers.application_form import form_of
from app.papers.change_notice import basis
from tests.conftest import TODAY
from tests.flows.walk import FILLED, STUDENT

CLERK, LEADER, ADMISSIONS, REGISTRY = "college_clerk", "college_leader", "admissions", "registry"
DIRECTOR, VP, DEPARTMENT = "affairs_director", "vice_president", "department"
# flow → the hands in order, as the row has them; what stands in brackets is a word that its step carries
HANDS = {
    "admission_cancellation": [(CLERK, "records"), (CLERK, "meeting"), (LEADER, "seal"), (ADMISSIONS,), (DIRECTOR,),
                               (REGISTRY, "records"), (REGISTRY, "meeting", "records"),
                               (REGISTRY, "document", "takes_effect"), (CLERK, "records"), (DEPARTMENT, "checklist")],
    "admission_deferral": [(LEADER,), (ADMISSIONS,), (REGISTRY, "takes_effect")],
    "admission_resumption": [(LEADER,), (ADMISSIONS,), (REGISTRY, "takes_effect")],
    "admission_waiver": [(CLERK, "meeting"), (LEADER, "seal"), (DIRECTOR,), (REGISTRY, "takes_effect"),
                         (DEPARTMENT, "checklist")],
    "voluntary_withdrawal": [(CLERK, "meeting"), (LEADER, "seal"), (DIRECTOR,), (VP,), (REGISTRY, "takes_effect"),
                             (DEPARTMENT, "checklist")],
    "voluntary_downgrade": [(CLERK, "records"), (LEADER, "seal"), (DIRECTOR,), (REGISTRY, "takes_effect"), (DEPARTMENT,)],
    "leave": [(CLERK,), (LEADER, "seal"), (DIRECTOR,), (REGISTRY, "takes_effect"), (DEPARTMENT,)],
    "return": [(CLERK, "records"), (LEADER, "seal"), (DIRECTOR,), (REGISTRY, "takes_effect"), (DEPARTMENT,), (CLERK,)],
    "dismissal": [(CLERK, "records"), (CLERK, "meeting"), (LEADER, "seal"), (DIRECTOR,), (VP,), (REGISTRY,),
                  (REGISTRY, "records"), (REGISTRY, "meeting", "records"),
                  (REGISTRY, "publicity"), (REGISTRY, "document", "takes_effect"), (CLERK, "records"),
                  (DEPARTMENT, "checklist")],
    "appeal": [(REGISTRY, "meeting", "natural_days", "records"), (VP, "meeting"), (REGISTRY, "takes_effect"), (CLERK, "records")],
    "info_change": [(CLERK, "meeting"), (LEADER, "seal"), (DIRECTOR,), (REGISTRY, "takes_effect")],
    "cancellation": [(CLERK,), (LEADER, "seal"), (DIRECTOR,), (REGISTRY, "takes_effect")],
    "correction": [(LEADER, "seal"), (REGISTRY,), (DIRECTOR,), (REGISTRY, "takes_effect")],
}  # fmt: skip
WITH_ADMISSIONS = ("admission_cancellation", "admission_deferral", "admission_resumption")
WORDS = ("meeting", "seal", "takes_effect", "checklist", "publicity", "document", "records", "natural_days")
MATERIALS = {
    "admission_cancellation": {"ineligible": "cancellation_form evidence", "deferral_expired": "cancellation_form evidence"},
    "admission_deferral": {"illness": "application diagnosis admission_letter id_card", "other": "application",
                           "enlistment": "enlisted_form admission_letter"},
    "admission_resumption": {"illness": "application recovery", "enlistment": "application discharge",
                             "other": "application"},
    "leave": {"illness": "application id_copies diagnosis", "enlistment": "application id_copies enlistment_notice",
              "startup": "application id_copies", "other": "application id_copies"},
    "return": {"illness": "application recovery", "enlistment": "application discharge", "other": "application"},
    "admission_waiver": {None: "application id_copies"}, "voluntary_withdrawal": {None: "application id_copies"},
    "voluntary_downgrade": {None: "application id_copies"}, "cancellation": {None: "application death_certificate"},
    "dismissal": {"absence": "declaration evidence", "leave_expired": "declaration evidence"},
    "info_change": {None: "application police_certificate"}, "appeal": {None: "appeal_letter"},
    "correction": {None: "proof_of_mistake"},
}  # fmt: skip
WINDOWS = {
    "admission_deferral": "admission_deferral", "admission_resumption": "freshman_checkin",
    "admission_waiver": "admission_waiver", "voluntary_withdrawal": "voluntary_withdrawal",
    "voluntary_downgrade": "autumn_downgrade spring_downgrade", "leave": "autumn_leave spring_leave",
    "return": "autumn_return spring_return", "dismissal": "autumn_dismissal spring_dismissal",
    "cancellation": "cancellation",
}  # fmt: skip
# flow → what the ledger says: code, reason, status after
LEDGER = {
    "admission_cancellation": ("16", "99", "admission_cancelled"),
    "admission_deferral": ("14", "10", "deferred"), "admission_resumption": ("15", "99", "admitted"),
    "admission_waiver": ("W1", None, "waived"), "voluntary_withdrawal": ("31", "21", "withdrawn"),
    "voluntary_downgrade": ("03", None, "enrolled"), "leave": ("11", "99", "on_leave"),
    "return": ("12", "99", "enrolled"), "dismissal": ("31", "99", "withdrawn"), "appeal": ("17", None, "enrolled"),
    "cancellation": ("51", None, "cancelled"), "correction": ("17", None, "enrolled"),
}  # fmt: skip
ROWS = sorted(HANDS)


def test_every_row_is_here():
    assert set(ROWS) <= set(FLOWS) and len(ROWS) == 13


@pytest.mark.parametrize("key", ROWS)
def test_the_hands_and_their_order(key):
    steps = [(step.role.value, *sorted(word for word in WORDS if getattr(step, word))) for step in FLOWS[key].steps]
    assert steps == [(role, *sorted(words)) for role, *words in HANDS[key]]
    leader = next((step for step in FLOWS[key].steps if step.role == Role.COLLEGE_LEADER), None)
    assert leader is None or "submit" in leader.hands_differ_from
    effective = next(step for step in FLOWS[key].steps if step.takes_effect)
    assert effective.originals or effective.document  # approval is not effect: the originals are at hand


@pytest.mark.parametrize("key", ROWS)
def test_the_materials_of_each_reason(key):
    for reason, expected in MATERIALS[key].items():
        case = FLOWS[key].model(reason=reason)
        assert {material.key for material in FLOWS[key].materials_for(case)} == set(expected.split()), reason


@pytest.mark.parametrize("key", ROWS)
def test_the_windows(key):
    window = FLOWS[key].window
    assert " ".join(window.keys if window else ()) == WINDOWS.get(key, "")


@pytest.mark.parametrize("key", sorted(LEDGER))
def test_the_entry_in_the_ledger(walks, behind, key):
    walk = walks(key)
    case_id = walk.at("end")
    (entry,) = behind.rows("select * from roster_change where case_id = :id", id=case_id)
    assert (entry["code"], entry["reason"], entry["new_status"]) == LEDGER[key]
    known = "select count(*) from code where set_key = 'roster_change' and code = :code"
    assert behind.one(known, code=entry["code"]) == 1
    notice = behind.one("select body from paper where case_id = :id and kind = 'change_notice'", id=case_id)
    assert basis(FLOWS[key]) in notice
    if entry["until"]:
        assert ("恢复入学资格申请" if key == "admission_deferral" else "复学申请") in notice


def test_departments_receive_what_the_manual_sends_them(app, behind):
    told = {key for key, flow in FLOWS.items() if any(step.role == Role.DEPARTMENT for step in flow.steps)}
    leaving = {key for key in ROWS if any(step.checklist for step in FLOWS[key].steps)}
    assert leaving == {"admission_cancellation", "admission_waiver", "voluntary_withdrawal", "dismissal"}
    behind.run("delete from department where not exists (select from identity where department_id = department.id)")
    for row in behind.rows("select receives, leaving_items from department where receives <> '{}'"):
        assert set(ROWS) & told <= set(row["receives"]) and row["leaving_items"]


# before formal 学籍


@pytest.mark.parametrize("key", ["admission_deferral", "admission_waiver"])
def test_a_freshman_who_has_arrived_may_until_the_electronic_registration(walks, behind, key):
    walk = walks(key, "enrolled")
    with pytest.raises(Refused, match=r"registered|已注册"):
        walk.draft()
    behind.run("update student set registered = false where id = :id", id=STUDENT)
    case_id = walk.at("end")
    assert behind.one("select old_status from roster_change where case_id = :id", id=case_id) == "enrolled"


def test_registered_meanwhile_it_takes_no_effect(walks, behind):
    walk = walks("admission_waiver")
    case_id = walk.at("registry")
    behind.run("update student set status = 'enrolled', registered = true where id = :id", id=STUDENT)
    (outcome,) = walk.sign(case_id, "registry")
    assert not outcome.done and walk.roster()["status"] == "enrolled"


def test_who_resumes_enters_with_the_new_cohort(walks, behind):
    walk = walks("admission_resumption")
    behind.run("update student set entry_year = 2024, entry_date = '2024-09-01', expected_graduation = '2028-06-30'"
               " where id = :id", id=STUDENT)  # fmt: skip
    walk.at("end")
    (student,) = behind.rows("select entry_year, entry_date, grade, class_group_id, expected_graduation from student"
                             " where id = :id", id=STUDENT)  # fmt: skip
    assert student == {"entry_year": 2026, "entry_date": date(2026, 9, 1), "grade": 2026, "class_group_id": None,
                       "expected_graduation": date(2030, 6, 30)}  # fmt: skip


@pytest.mark.parametrize("months", [12, 24])
def test_the_place_is_kept_as_long_as_the_settings_say(walks, behind, months):
    """Until the freshmen of that year have arrived; the calendar does not know their days yet."""
    behind.run("update setting set value = :m where key = 'deferral_max_months'", m=str(months))
    walk = walks("admission_deferral")
    behind.run("update student set entry_year = 2026 where id = :id", id=STUDENT)
    case_id = walk.act(walk.applicant, lambda me: open_case(me, walk.flow, STUDENT, {"reason": "illness"}).id)
    kept = behind.one("select deferred_until from flow_case where id = :id", id=case_id)
    assert kept == date(2026 + months // 12, 9, 30)


@pytest.mark.parametrize(
    ("reason", "code", "status"), [("ineligible", "16", "admission_cancelled"), ("deferral_expired", "W1", "waived")]
)
def test_who_does_not_come_back_has_given_the_place_up(walks, behind, reason, code, status):
    """P30: cancelled is the admission of who proves ineligible alone (order 41, articles 9 to 11)."""
    walk = walks("admission_cancellation", "deferred")
    behind.run("insert into roster_change (student_id, college_id, student_college_id, code, effective_on, until,"
               " new_status, new_college_id, new_major_id, new_grade, new_study_length, new_text) select id, college_id,"
               " college_id, '14', '2025-09-01', '2026-08-31', status, college_id, major_id, grade, study_length, '{}'"
               " from student where id = :id", id=STUDENT)  # fmt: skip
    case_id = walk.draft(reason=reason)
    walk.attach(case_id, "cancellation_form", "evidence")
    walk.act("clerk", submit, case_id)
    for step in walk.flow.steps:
        if step.key == "told":
            break
        for outcome in walk.sign(case_id, step.key):
            assert outcome.done, outcome.reason
    assert walk.roster()["status"] == status
    assert behind.one("select code from roster_change where case_id = :id", id=case_id) == code
    letters = " ".join(row["body"] for row in behind.rows("select body from paper where case_id = :id", id=case_id))
    assert ("视为放弃入学资格" in letters) == (reason == "deferral_expired")


def test_a_place_is_not_lost_while_it_is_kept(walks, behind):
    walk = walks("admission_cancellation", "deferred")
    case_id = walk.draft(reason="deferral_expired")
    walk.attach(case_id, "cancellation_form", "evidence")
    kept = ("insert into roster_change (student_id, college_id, student_college_id, code, effective_on, until,"
            " new_status, new_college_id, new_major_id, new_grade, new_study_length, new_text) select id, college_id,"
            " college_id, '14', '2025-09-01', '2026-08-31', status, college_id, major_id, grade, study_length, '{}'"
            " from student where id = :id")  # fmt: skip
    behind.run(kept, id=STUDENT)
    with clock.on(date(2026, 8, 31)), pytest.raises(Refused, match=r"保留|kept"):
        walk.act("clerk", submit, case_id)
    with clock.on(date(2026, 9, 1)):
        walk.act("clerk", submit, case_id)
    for day, done in ((date(2026, 8, 31), False), (date(2026, 9, 1), True)):  # looked at again when it is signed
        with clock.on(day):
            (outcome,) = walk.sign(case_id, "hearing")
            assert outcome.done is done
            assert done or "保留" in str(outcome.reason) or "kept" in str(outcome.reason)


# what a form prints


@pytest.mark.parametrize("key", ROWS)
def test_the_form_has_room_for_those_who_sign_and_for_nobody_else(app, key):
    with app.test_request_context():
        form = form_of(FLOWS[key])
    declared = key in ("dismissal", "admission_cancellation")
    assert form.title.endswith("申报表" if declared else "申请表")
    assert ("学生本人签名" in form.wording) == (Role.STUDENT in FLOWS[key].applicants)
    assert not any(word in form.wording for word in ("公示</th>", "发文</th>", "送达学生", "离校手续", "报到</th>"))
    assert ("招生就业工作处意见" in form.wording) == (key in WITH_ADMISSIONS)


def test_form_and_notice_show_the_old_value_and_the_new(walks, cast, behind):
    walk = walks("info_change")
    case_id = walk.submitted()
    page = cast.login("clerk").get(f"/casescreen/show/{case_id}").text
    assert "学生11 → 张山" in page
    printed = cast.login("clerk").get(f"/paperscreen/application/{case_id}").text
    assert "学生11 → 张山" in printed
    for step in walk.flow.steps:
        walk.sign(case_id, step.key)
    assert "学生11 → 张山" in behind.one("select body from paper where case_id = :id", id=case_id)
    assert behind.one("select old from field_change where field = 'name'") == "学生11"
    behind.run("update student set name = '张三丰' where id = :id", id=STUDENT)  # who is called otherwise again later
    for path in (f"/casescreen/show/{case_id}", f"/paperscreen/application/{case_id}"):
        assert "学生11 → 张山" in cast.login("clerk").get(path).text, "what stood when it was decided"
    assert behind.one("select was from flow_case where id = :id", id=case_id) == {"name": "学生11"}


def test_the_form_names_who_signed_when_and_what_the_meeting_said(walks, cast, behind):
    """What the system knows stands on the form; who has still to sign has room for a hand."""
    walk = walks("info_change")
    case_id = walk.submitted()

    def row(title: str) -> str:
        printed = cast.login("registry").get(f"/paperscreen/application/{case_id}").text
        return printed.split(f"<th>{title}</th>")[1].split("</tr>")[0]

    blank = "年　　月　　日第　　次会议研究，同意。"
    assert blank in row("学院受理") and "签名：　" in row("学院受理") and "年　　月　　日" in row("学生本人签名")
    walk.sign(case_id, "accept")
    (step,) = behind.rows("select records from case_step where case_id = :id and key = 'accept'", id=case_id)
    meeting = step["records"]["meeting"]
    assert meeting and f"经{meeting}研究：" in row("学院受理") and blank not in row("学院受理")
    assert "签名：clerk" in row("学院受理") and "2026年9月2日" in row("学院受理") and "签名：　" in row("学院意见")
    (outcome,) = walk.decide("leader", case_id, "college", act="send_back", opinion="再核实")
    assert outcome.done and "签名：clerk" not in row("学院受理"), "what was sent back is not signed"
    assert behind.one("select count(*) from case_event where act = 'approve'") == 1


def test_the_number_that_stands_now_is_masked_on_the_page(walks, cast, behind):
    walk = walks("info_change")
    digits = "left(id_number, 14) || '11' || case sex when '1' then '1' else '2' end"
    sound = behind.one(f"select {digits} from student where id = :id", id=STUDENT)
    walk.draft(new_name=None, new_id_number=sound + check_character(sound))
    case_id = behind.one("select max(id) from flow_case")
    page = cast.login("clerk").get(f"/casescreen/show/{case_id}").text
    now = behind.one("select id_number from student where id = :id", id=STUDENT)
    assert now not in page and "5001**********" in page


# one change at a time, in the order of days


def test_two_changes_of_one_student_at_once_are_refused(walks, behind):
    """A withdrawal while a leave is under way; a draft may wait, and what has taken effect is under way no more."""
    first = walks("leave")
    leave = first.submitted()
    other = walks("voluntary_withdrawal")
    draft = other.draft()
    other.attach(draft, "application", "id_copies")
    number = behind.one("select number from flow_case where id = :id", id=leave)
    with pytest.raises(Refused, match=number):
        other.act("student", submit, draft)
    assert other.state(draft) == ("draft", None)
    assert behind.one("select count(*) from case_step where case_id = :id", id=draft) == 0
    for step in ("accept", "college", "affairs", "registry"):
        first.sign(leave, step)
    other.act("student", submit, draft)
    assert first.state(leave) == ("open", "delivery") and other.state(draft) == ("open", "accept")


def test_correcting_a_name_is_no_change_of_the_roster(walks):
    walks("leave").submitted()
    walks("info_change").submitted()


@pytest.mark.parametrize(
    ("key", "field", "status"), [("leave", "leave_from", None), ("return", "return_on", "on_leave")]
)
def test_a_change_dated_before_the_last_one_is_refused(walks, behind, key, field, status):
    walk = walks(key, status)
    behind.run("update roster_change set effective_on = :day where student_id = :id", id=STUDENT, day=TODAY)
    with pytest.raises(Faulty, match="最近一次学籍异动的日期 2026-09-02"):
        walk.draft(**{field: TODAY - timedelta(days=1)})
    case_id = walk.draft(**{field: TODAY})
    walk.attach(case_id, *(material.key for material in walk.flow.materials))
    walk.act("student", submit, case_id)


def test_a_ledger_that_is_ahead_of_today_takes_no_entry_of_today(walks, behind):
    walk = walks("voluntary_withdrawal")
    case_id = walk.at("registry")
    behind.run("update roster_change set effective_on = :day where student_id = :id", id=STUDENT,
               day=TODAY + timedelta(days=1))  # fmt: skip
    (outcome,) = walk.sign(case_id, "registry")
    assert not outcome.done and str(TODAY + timedelta(days=1)) in str(outcome.reason)
    assert walk.roster()["status"] == "enrolled"
    assert behind.one("select count(*) from paper where case_id = :id", id=case_id) == 0


def test_filled_covers_every_row():
    assert set(ROWS) <= set(FILLED)
