"""Legal clocks and dismissals by rule: who is proposed, declared, exempted; what the daily job tells, once."""

import io
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from app.access import scope_as
from app.jobs.daily import run_sources
from app.kit import clock
from app.kit.operation import NotAllowed, NotFound, Refused
from app.models import ClockKind, LegalClock, db
from app.operations.proceedings.dismissals import (
    attach_to_drafts,
    declare,
    end_absence,
    exempt,
    hand_in_drafts,
    record_absence,
    select_candidates,
)
from tests.conftest import TODAY
from tests.flows.test_material import PDF

ENDED = TODAY - timedelta(days=3)


def act(actor, verb, *args):
    with scope_as(actor.scope):
        return verb(actor, *args)


def candidates(actor, today=TODAY):
    with scope_as(actor.scope):
        return [(one.student_id, one.kind) for one in db.session.scalars(select_candidates(today))]


@pytest.fixture
def expired(behind):
    """Student 101's leave ended three days ago; 201's as well, in the other college."""
    for student in (101, 201):
        behind.run("update student set status = 'on_leave' where id = :id", id=student)
        behind.run(
            "insert into roster_change (student_id, college_id, student_college_id, code, effective_on, until,"
            " new_status, new_college_id, new_major_id, new_grade, new_study_length, new_text)"
            " select id, college_id, college_id, '11', '2025-09-01', :until, 'on_leave', college_id, major_id, grade,"
            " study_length, '{}' from student where id = :id", id=student, until=ENDED,
        )  # fmt: skip
    return f"leave:101:{ENDED}"


def test_each_college_sees_its_own_candidates(cast, expired):
    assert candidates(cast.clerk) == [(101, "leave")]
    assert candidates(cast.clerk2) == [(201, "leave")]
    assert sorted(candidates(cast.registry)) == [(101, "leave"), (201, "leave")]


def test_before_the_day_nobody_is_proposed(cast, expired):
    assert candidates(cast.clerk, ENDED) == []


def test_strangers_and_those_who_may_not_declare(cast, expired):
    with pytest.raises(Refused):
        act(cast.clerk2, declare, [expired], "")
    with pytest.raises(NotAllowed):
        act(cast.leader, declare, [expired], "")
    with pytest.raises(Refused):
        act(cast.clerk2, exempt, expired, "已联系")


def test_declared_once_with_the_evidence_in_the_statement(cast, expired, behind):
    act(cast.clerk, declare, [expired], "多次联系未果")
    (row,) = behind.rows("select flow, state, reason, statement from flow_case where student_id = 101")
    assert (row["flow"], row["state"], row["reason"]) == ("dismissal", "draft", "leave_expired")
    assert str(ENDED) in row["statement"] and "多次联系未果" in row["statement"]
    assert candidates(cast.clerk) == []
    with pytest.raises(Refused):
        act(cast.clerk, declare, [expired], "")


@pytest.fixture
def drafts(cast, expired, behind) -> list[int]:
    """Two drafts of the college: one by the rule, one that the clerk adds."""
    act(cast.clerk, declare, [expired], "多次联系未果")
    act(cast.clerk, record_absence, 102, TODAY)
    with clock.on(TODAY + timedelta(days=15)):
        act(cast.clerk, declare, [f"absence:102:{TODAY + timedelta(days=14)}"], "")
    return [row["id"] for row in behind.rows("select id from flow_case order by id")]


def attach(actor, ids, files, kind="evidence", content=PDF):
    return act(actor, lambda me: attach_to_drafts(me, ids, kind, io.BytesIO(content), "佐证.pdf", files_root=files))


def test_one_scan_is_attached_to_several_drafts(cast, drafts, behind, tmp_path):
    assert attach(cast.clerk, drafts, tmp_path) == 2
    rows = behind.rows("select case_id, kind, path from case_material order by case_id")
    assert [(row["case_id"], row["kind"]) for row in rows] == [(case, "evidence") for case in drafts]
    assert [(tmp_path / row["path"]).read_bytes() for row in rows] == [PDF, PDF]
    with pytest.raises(Refused, match=r"学生11"):  # the declaration is still missing
        act(cast.clerk, hand_in_drafts, drafts)
    attach(cast.clerk, drafts, tmp_path, "declaration")
    with clock.on(date(2026, 9, 14)), pytest.raises(Refused, match=r"ground|理由"):  # she has not been away long enough
        act(cast.clerk, hand_in_drafts, drafts)
    with clock.on(date(2026, 9, 17)):
        assert act(cast.clerk, hand_in_drafts, drafts) == 2
    assert behind.one("select count(*) from flow_case where state = 'open'") == 2
    with pytest.raises(Refused):
        attach(cast.clerk, drafts, tmp_path)


def test_attached_to_all_or_to_none(cast, drafts, behind, tmp_path):
    for actor, ids, kind, content in (
        (cast.clerk2, drafts, "evidence", PDF), (cast.leader, drafts, "evidence", PDF), (cast.clerk, [], "evidence", PDF),
        (cast.clerk, [*drafts, 10**9], "evidence", PDF), (cast.clerk, drafts, "diagnosis", PDF),
        (cast.clerk, drafts, "evidence", b"MZ"), (cast.clerk, [*range(51)], "evidence", PDF),
    ):  # fmt: skip
        with pytest.raises(Refused):
            attach(actor, ids, tmp_path, kind, content)
    assert behind.one("select count(*) from case_material") == 0
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with pytest.raises(Refused):
        act(cast.clerk2, hand_in_drafts, drafts)


def test_outside_the_window_none_is_handed_in(cast, drafts, behind, tmp_path):
    for kind in ("evidence", "declaration"):
        attach(cast.clerk, drafts, tmp_path, kind)
    with pytest.raises(Refused, match="2026-09-14"):  # of the third week
        act(cast.clerk, hand_in_drafts, drafts)
    assert behind.one("select count(*) from flow_case where state = 'draft'") == 2


def test_from_the_page(cast, drafts, behind):
    clerk = cast.login("clerk")
    assert "学生11" in clerk.get("/dismissals/").text
    form = {"case": [str(case) for case in drafts], "kind": "evidence", "act": "attach"}
    assert clerk.post("/dismissals/drafts", data=form).status_code == 422
    answer = clerk.post("/dismissals/drafts", data=form | {"file": (io.BytesIO(PDF), "a.pdf")}, follow_redirects=True)
    assert answer.status_code == 200 and answer.text.count("缺退学处理申报表") == 2
    assert clerk.post("/dismissals/drafts", data=form | {"act": "hand_in"}).status_code == 422
    assert cast.login("clerk2").post("/dismissals/drafts", data=form | {"act": "hand_in"}).status_code == 422


def test_exempted_with_a_reason_until_a_later_day_asks_anew(cast, expired, behind):
    with pytest.raises(Refused):
        act(cast.clerk, exempt, expired, " ")
    act(cast.clerk, exempt, expired, "正在办理复学")
    assert candidates(cast.clerk) == []
    behind.run("update roster_change set until = until + 1 where student_id = 101 and code = '11'")
    assert candidates(cast.clerk) == [(101, "leave")]


def test_two_weeks_of_absence_are_a_ground(cast):
    with pytest.raises(NotFound):
        act(cast.clerk2, record_absence, 101, TODAY)
    with pytest.raises(Refused):
        act(cast.clerk, record_absence, 101, TODAY + timedelta(days=1))
    absence = act(cast.clerk, lambda actor: record_absence(actor, 101, TODAY).id)
    with pytest.raises(Refused):
        act(cast.clerk, record_absence, 101, TODAY)
    assert candidates(cast.clerk, TODAY + timedelta(days=14)) == []
    assert candidates(cast.clerk, TODAY + timedelta(days=15)) == [(101, "absence")]
    with clock.on(TODAY + timedelta(days=5)):
        act(cast.clerk, end_absence, absence, TODAY + timedelta(days=5))
    assert candidates(cast.clerk, TODAY + timedelta(days=15)) == []


@pytest.mark.parametrize("status", ["withdrawn", "on_leave", "cancelled"])
def test_who_has_left_is_absent_no_more_and_not_from_then_on_when_she_is_back(cast, behind, status):
    act(cast.clerk, record_absence, 101, TODAY)
    act(cast.clerk, record_absence, 102, TODAY)
    behind.run("update student set status = :status where id = 101", status=status)
    assert candidates(cast.clerk, TODAY + timedelta(days=15)) == [(102, "absence")]
    assert "学生11" not in cast.login("clerk").get("/dismissals/").text
    with pytest.raises(Refused):
        act(cast.clerk, record_absence, 101, TODAY)
    behind.run("update student set status = 'enrolled' where id = 101")
    assert candidates(cast.clerk, TODAY + timedelta(days=15)) == [(102, "absence")]


def test_the_longest_time_of_study(cast, behind):
    behind.run("update student set entry_year = 2020, entry_date = '2020-09-01' where id = 102")
    assert (102, "study") in candidates(cast.clerk)
    behind.run("update student set entry_date = '2020-10-01' where id = 102")
    assert candidates(cast.clerk) == []


def test_what_ends_is_told_once_to_college_and_student(cast, expired, behind):
    run_sources(TODAY)
    first = behind.rows(
        "select u.username, n.key from notice n join ab_user u on u.id = n.user_id where key like 'clock:%'"
    )
    assert {row["username"] for row in first} >= {"clerk", "leader", "student", "clerk2"}
    run_sources(TODAY)
    again = behind.one("select count(*) from notice where key like 'clock:%'")
    assert again == len(first)


def test_a_student_sees_her_own_clocks_alone(cast, expired):
    with scope_as(cast.student.scope):
        assert [one.student_id for one in db.session.scalars(select(LegalClock))] == [101]
    with scope_as(cast.student2.scope):
        assert [one.student_id for one in db.session.scalars(select(LegalClock))] == [201]


def test_every_kind_says_what_follows():
    assert all(kind.label and kind.follows for kind in ClockKind)
