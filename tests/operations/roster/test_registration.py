"""Term registration: recorded by the college in one act, confirmed by the student, and missed with what follows."""

import re
from datetime import date

import pytest
from sqlalchemy import select

from app.access import scope_as
from app.jobs.daily import run_sources
from app.kit import clock
from app.kit.operation import NotAllowed, NotFound, Refused
from app.models import LegalClock, db
from app.operations.proceedings.dismissals import declare, select_candidates
from app.operations.roster.registration import (
    confirm,
    last_act,
    latest_check_in,
    register,
    select_unrecorded,
    take_back,
)

ENDS, AFTER = date(2026, 9, 13), date(2026, 9, 14)  # of the check-in of returning students: two weeks from 31 August
OURS = [f"2024010100{number:02}" for number in range(1, 7)]


def act(actor, verb, *args, **how):
    with scope_as(actor.scope):
        return verb(actor, *args, **how)


@pytest.fixture
def states(behind):
    """`states()` is the state of each student whose registration is recorded, and until when she may register."""

    def read() -> dict[int, tuple[str, date | None]]:
        rows = behind.rows("select student_id, state, due_on from registration order by student_id")
        return {row["student_id"]: (row["state"], row["due_on"]) for row in rows}

    return read


def clocks(actor) -> set[tuple[int, str, date]]:
    with scope_as(actor.scope):
        return {(one.student_id, one.kind, one.due_on) for one in db.session.scalars(select(LegalClock))}


def candidates(actor, today: date) -> list[tuple[int, str]]:
    with scope_as(actor.scope):
        return [(one.student_id, one.kind) for one in db.session.scalars(select_candidates(today))]


@pytest.mark.parametrize("who", ["student", "leader", "registry", "auditor", "admin", "library"])
def test_only_a_clerk_records(cast, states, who):
    with pytest.raises(NotAllowed):
        act(getattr(cast, who), register, "registered", OURS[:1])
    assert states() == {}


def test_students_of_another_college_are_refused_by_number_and_nobody_is_recorded(cast, states):
    with pytest.raises(Refused, match="20240201"):
        act(cast.clerk, register, "registered", [OURS[0], "20240201" + "0001"])
    assert states() == {}


def test_recorded_by_number_then_all_the_rest(cast, behind, states):
    behind.run("update student set status = 'on_leave' where id = 106")  # has nothing to register for
    behind.run("update student set entry_year = 2026 where id = 105")  # a freshman arrives by a procedure of its own
    assert act(cast.clerk, register, "missing", OURS[:1]) == 1
    with scope_as(cast.clerk.scope):
        rest = [one.student_no for one in db.session.scalars(select_unrecorded(latest_check_in(1, clock.today()), 1))]
    assert rest == OURS[1:4]
    with pytest.raises(Refused, match=OURS[0]):  # somebody has recorded her meanwhile
        act(cast.clerk, register, "registered", OURS[:4], unrecorded=True)
    assert act(cast.clerk, register, "registered", rest, unrecorded=True) == 3
    assert states() == {101: ("missing", ENDS), **{one: ("registered", None) for one in (102, 103, 104)}}
    assert behind.one("select count(*) from audit_entry where action = 'registration:record'") == 4


def test_recorded_twice_it_stands_once_and_a_later_word_counts(cast, states, behind):
    assert [act(cast.clerk, register, "registered", OURS[:1]) for _again in range(2)] == [1, 0]
    act(cast.student, confirm, behind.one("select id from registration"))
    assert act(cast.clerk, register, "registered", OURS[:1]) == 0
    assert behind.one("select confirmed_at is not null from registration")
    act(cast.clerk, register, "deferred", OURS[:1], until=date(2026, 10, 8))
    assert states() == {101: ("deferred", date(2026, 10, 8))}


def test_an_act_is_taken_back_and_what_stood_before_stands_again(cast, behind, states):
    act(cast.clerk, register, "deferred", OURS[:1], until=date(2026, 10, 8))
    before = states()
    act(cast.clerk, register, "registered", OURS[:3])
    last = act(cast.clerk, last_act)
    assert (last.students, last.state) == (3, "registered")
    for who in ("leader", "student", "registry"):
        with pytest.raises(NotAllowed):
            act(getattr(cast, who), take_back, last.id)
    with pytest.raises(Refused):
        act(cast.clerk2, take_back, last.id)
    act(cast.classmate, confirm, behind.one("select id from registration where student_id = 102"))
    assert act(cast.clerk, take_back, last.id) == 2
    assert states() == before | {102: ("registered", None)}
    with pytest.raises(Refused):
        act(cast.clerk, take_back, last.id)
    assert act(cast.clerk, take_back, act(cast.clerk, last_act).id) == 1  # the deferral
    assert states() == {102: ("registered", None)} and act(cast.clerk, last_act) is None
    assert behind.one("select count(*) from audit_entry where action = 'registration:take_back'") == 3


@pytest.mark.parametrize("until", [None, ENDS, date(2026, 12, 14)])
def test_a_deferral_has_its_bounds(cast, states, until):
    with pytest.raises(Refused, match=r"2026-12-13"):
        act(cast.clerk, register, "deferred", OURS[:1], until=until)
    assert states() == {}


def test_nothing_is_recorded_before_the_check_in(cast, states):
    with clock.on(date(2026, 8, 30)), pytest.raises(Refused):
        act(cast.clerk, register, "registered", OURS[:1])
    with pytest.raises(Refused):
        act(cast.clerk, register, "elsewhere", OURS[:1])
    with pytest.raises(Refused):
        act(cast.clerk, register, "registered", [])
    assert states() == {}


def test_whoever_is_not_recorded_in_time_has_not_reported(cast, states):
    act(cast.clerk, register, "registered", OURS[:4])
    run_sources(ENDS)
    assert set(states()) == {101, 102, 103, 104}  # the last day is not over
    for _again in range(2):
        run_sources(AFTER)
    assert states()[105] == states()[106] == ("missing", ENDS)
    assert 201 not in states()  # a college that has recorded nobody keeps its registrations elsewhere
    assert candidates(cast.clerk, AFTER) == [(105, "registration"), (106, "registration")]
    assert candidates(cast.clerk2, AFTER) == []


def test_a_prolonged_check_in_prolongs_the_time(cast, behind, states):
    act(cast.clerk, register, "missing", OURS[:1])
    behind.run("update dated_task set due_on = '2026-09-20' where key = 'returning_checkin' and college_id = 1")
    run_sources(AFTER)
    assert states() == {101: ("missing", date(2026, 9, 20))}
    assert candidates(cast.clerk, AFTER) == []


def test_the_clock_runs_until_she_registers_or_leaves_or_a_later_term_counts(cast, behind):
    act(cast.clerk, register, "deferred", OURS[:1], until=date(2026, 10, 8))
    running = {(101, "registration", date(2026, 10, 8))}
    assert clocks(cast.clerk) == clocks(cast.student) == running
    assert clocks(cast.clerk2) == clocks(cast.student2) == set()
    behind.run("update student set status = 'on_leave' where id = 101")
    assert clocks(cast.clerk) == set()
    behind.run("update student set status = 'enrolled' where id = 101")
    with clock.on(date(2027, 3, 1)):
        act(cast.clerk, register, "registered", OURS[:1])
    assert clocks(cast.clerk) == set()
    behind.run("delete from registration where season = 'spring'")
    act(cast.clerk, register, "registered", OURS[:1])
    assert clocks(cast.clerk) == set()


def test_not_registered_in_time_is_a_ground_of_dismissal(cast, behind):
    act(cast.clerk, register, "missing", OURS[:1])
    assert candidates(cast.clerk, ENDS) == []
    with clock.on(AFTER):
        act(cast.clerk, declare, [f"registration:101:{ENDS}"], "多次联系未果")
    (case,) = behind.rows("select reason, statement from flow_case where flow = 'dismissal'")
    assert case["reason"] == "unregistered" and str(ENDS) in case["statement"]


def test_she_confirms_her_own_data_once(cast, behind):
    act(cast.clerk, register, "registered", OURS[:2])
    mine = behind.one("select id from registration where student_id = 101")
    for who in ("classmate", "student2"):
        with pytest.raises(NotFound):
            act(getattr(cast, who), confirm, mine)
    with pytest.raises(NotAllowed):
        act(cast.clerk, confirm, mine)
    act(cast.student, confirm, mine)
    with pytest.raises(Refused):
        act(cast.student, confirm, mine)
    assert behind.one("select count(*) from registration where confirmed_at is not null") == 1


def test_who_has_not_registered_has_nothing_to_confirm(cast, behind):
    act(cast.clerk, register, "missing", OURS[:1])
    with pytest.raises(Refused):
        act(cast.student, confirm, behind.one("select id from registration"))


def test_from_the_pages(cast, behind):
    clerk, student = cast.login("clerk"), cast.login("student")
    assert "请你确认" not in student.get("/").text
    form = {"state": "registered", "numbers": f"{OURS[0]}；{OURS[1]}\n{OURS[2]}"}
    assert clerk.post("/registrationscreen/record", data=form | {"numbers": "99"}).status_code == 422
    assert clerk.post("/registrationscreen/record", data={"state": "deferred", "until": "x"}).status_code == 422
    assert "已登记 3 名学生" in clerk.post("/registrationscreen/record", data=form, follow_redirects=True).text
    page = student.get("/").text
    assert "2026-2027 秋季 已注册" in page and "请你确认" in page
    path = f"/registrationscreen/confirm/{behind.one('select id from registration where student_id = 101')}"
    assert clerk.post(path).status_code in (302, 403)
    assert cast.login("classmate").post(path).status_code == 404
    assert "已确认，谢谢" in student.post(path, follow_redirects=True).text
    assert "请你确认" not in student.get("/").text
    assert student.get("/registrationscreen/list/").status_code in (302, 403)
    listed = cast.login("leader").get("/registrationscreen/list/").text
    assert "学生11" in listed and "已注册" in listed
    assert "学生11" not in cast.login("leader2").get("/registrationscreen/list/").text


def test_the_rest_is_named_before_it_is_recorded(cast, behind, states):
    clerk, record = cast.login("clerk"), "/registrationscreen/record"
    clerk.post(record, data={"state": "registered", "numbers": OURS[0]})
    shown = clerk.post(record, data={"state": "registered", "rest": "y"})
    assert shown.status_code == 200 and len(states()) == 1
    named = re.findall('name="number" value="([^"]+)"', shown.text)
    assert named == OURS[1:] and all(f"学生1{number}" in shown.text for number in range(2, 7))
    assert clerk.post(record, data={"state": "registered", "number": [*named, "2024020100" + "01"]}).status_code == 422
    page = clerk.post(record, data={"state": "registered", "number": named[1:]}, follow_redirects=True).text
    assert "已登记 4 名学生" in page and "您最近一次登记：4 名学生" in page and 102 not in states()
    taken = {"act": re.search('name="act" value="([^"]+)"', page)[1]}
    assert cast.login("leader").post("/registrationscreen/take_back", data=taken).status_code in (302, 403)
    assert (
        "已撤销 4 名学生的登记" in clerk.post("/registrationscreen/take_back", data=taken, follow_redirects=True).text
    )
    assert set(states()) == {101}
    clerk.post(record, data={"state": "registered", "number": named})
    assert clerk.post(record, data={"state": "registered", "rest": "y"}).status_code == 422  # nobody is left
