"""A major goes over to another college (P17): with everything that is its own, on its day, and never by the plain form."""

from datetime import date, timedelta

import pytest
from sqlalchemy import event

from app.access import scope_as
from app.flows.leave import leave
from app.jobs.daily import run_sources
from app.kit import clock
from app.kit.operation import NotAllowed, NotFound, Refused
from app.models import RosterChange, Student, as_of, db
from app.operations.roster.reorganisation import annul, foresee, reorganise
from tests.conftest import TODAY
from tests.flows.conftest import Cases, acting

LATER = TODAY + timedelta(days=20)
MAJOR, OLD, NEW = 1, 1, 2  # 计算机科学与技术 goes to 文学院, where 01 is taken


def move(cast, on: date = TODAY, code: str = "09", who: str = "registry"):
    given = (MAJOR, NEW, on, "学科调整", "校发〔2026〕9号", code)
    return acting(getattr(cast, who), lambda actor: reorganise(actor, *given).id)


def college_of(behind, student: int = 101) -> int:
    return behind.one("select college_id from student where id = :id", id=student)


def entries(behind) -> list[dict]:
    return behind.rows("select * from roster_change where code = '26' order by student_id")


def test_students_classes_ledger_and_history_go_along(cast, behind):
    behind.run("update student set status = 'graduated' where id = 106")
    move(cast)
    assert behind.rows("select college_id, code from major where id = 1") == [{"college_id": NEW, "code": "09"}]
    assert behind.one("select count(*) from class_group where major_id = 1 and college_id = 2") == 2
    assert [college_of(behind, number) for number in (101, 105, 106)] == [NEW, NEW, OLD]
    written = entries(behind)
    assert [one["student_id"] for one in written] == [101, 102, 103, 104, 105]
    first = written[0]
    assert (first["old_college_id"], first["new_college_id"], first["effective_on"]) == (OLD, NEW, TODAY)
    assert (first["old_text"]["college"], first["new_text"]["college"]) == ("计算机学院", "文学院")
    assert (first["document_no"], first["recorded_by"]) == ("校发〔2026〕9号", cast.registry.user_id)
    why = behind.one("select why from field_change where student_id = 101 and field = 'college_id'")
    assert why == "院系调整（校发〔2026〕9号）：学科调整"
    acts = behind.rows("select action from audit_entry where subject = 'reorganisation' order by id")
    assert [act["action"] for act in acts] == ["reorganisation:decide", "reorganisation:apply"]
    told = behind.rows("select username from notice join ab_user u on u.id = user_id where key like 'reorganisation:%'")
    assert {one["username"] for one in told} == {"clerk", "leader", "leader_b", "clerk2", "leader2"}
    told = behind.rows(
        "select username, title_zh from notice join ab_user u on u.id = user_id where key like 'reorganised:%'"
    )
    assert {one["username"]: one["title_zh"] for one in told} == dict.fromkeys(
        ("student", "classmate"), "您现在属于文学院"
    )  # those who moved, and nobody else


def test_the_new_college_sees_them_and_the_old_one_the_history_alone(cast, behind):
    move(cast)

    def seen(actor, model) -> set[int]:
        column = model.id if model is Student else model.student_id
        with scope_as(actor.scope):
            return set(db.session.scalars(db.select(column).where(column.in_((101, 102)))))

    assert seen(cast.clerk, Student) == set() and seen(cast.clerk2, Student) == {101, 102}
    assert seen(cast.clerk, RosterChange) == {101, 102} == seen(cast.clerk2, RosterChange)
    assert cast.login("clerk").get("/studentscreen/show/101").status_code == 404
    assert cast.login("clerk2").get("/studentscreen/show/101").status_code == 200


def test_on_a_day_to_come_nothing_moves_before_and_as_of_knows_both(cast, behind):
    move(cast, LATER)
    assert college_of(behind) == OLD and entries(behind) == []
    run_sources(LATER - timedelta(days=1))
    assert college_of(behind) == OLD
    for _twice in range(2):
        with clock.on(LATER):
            run_sources(LATER)
    assert college_of(behind) == NEW and len(entries(behind)) == 6
    assert {one["recorded_at"].date() for one in entries(behind)} == {TODAY}
    with scope_as(cast.registry.scope):
        stood = [db.session.scalar(as_of(day).where(RosterChange.student_id == 101)).new_college_id
                 for day in (LATER - timedelta(days=1), LATER)]  # fmt: skip
    assert stood == [OLD, NEW]


def test_the_first_reader_of_the_day_finds_it_made(cast, behind):
    move(cast, LATER)
    with clock.on(LATER):
        assert cast.login("clerk2").get("/studentscreen/show/101").status_code == 200


def test_it_is_annulled_before_its_day_and_never_on_it(cast, behind):
    waits = move(cast, LATER)
    with pytest.raises(NotAllowed):
        acting(cast.leader, annul, waits, "不调整了")
    with pytest.raises(Refused):
        acting(cast.registry, annul, waits, "  ")
    acting(cast.registry, annul, waits, "不调整了")
    with clock.on(LATER):
        run_sources(LATER)
    assert college_of(behind) == OLD
    done = move(cast)
    with pytest.raises(Refused):
        acting(cast.registry, annul, done, "不调整了")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"code": ""}, r"汉语言文学"), ({"on": TODAY - timedelta(days=1)}, r"today|今天"),
        ({"who": "clerk"}, r"role|角色"), ({"who": "auditor"}, r"role|角色"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(cast, behind, change, why):
    with pytest.raises(Refused, match=why):
        move(cast, **change)
    assert college_of(behind) == OLD and behind.one("select count(*) from reorganisation") == 0


def test_a_second_move_the_same_college_and_none_are_refused(cast):
    move(cast, LATER)
    with pytest.raises(Refused, match=str(LATER)):
        move(cast)
    for major, college, kind in ((1, 1, Refused), (2, 4711, Refused), (4711, 2, NotFound)):
        with pytest.raises(kind):
            acting(cast.registry, reorganise, major, college, TODAY, "学科调整")


def test_a_code_taken_meanwhile_lets_it_lapse_and_is_told(cast, behind):
    move(cast, LATER)
    behind.run("update major set code = '09' where id = 3")
    with clock.on(LATER):
        run_sources(LATER)
    assert behind.rows("select state, students from reorganisation") == [{"state": "lapsed", "students": None}]
    assert college_of(behind) == OLD
    assert behind.one("select count(*) from notice join ab_user u on u.id = user_id where username = 'registry'"
                      " and key like 'reorganisation:%'") == 1  # fmt: skip


def test_a_leave_goes_on_with_its_end_and_open_steps_follow(cast, behind):
    cases = Cases(cast, behind)
    behind.run("update student set status = 'on_leave' where id = 102")
    behind.run("insert into roster_change (student_id, college_id, student_college_id, code, effective_on, until, reason,"
               " new_status, new_college_id, new_major_id, new_grade, new_study_length, new_text)"
               " values (102, 1, 1, '11', '2026-03-01', '2027-02-28', '10', 'on_leave', 1, 1, 2024, 4, '{}')")  # fmt: skip
    case_id = cases.submitted(leave)
    before = behind.rows("select since, due_on from legal_clock where kind = 'leave'")
    move(cast)
    assert behind.rows("select since, due_on from legal_clock where kind = 'leave'") == before != []
    (entry,) = [one for one in entries(behind) if one["student_id"] == 102]
    assert (entry["until"], entry["reason"], entry["new_status"]) == (date(2027, 2, 28), "10", "on_leave")
    assert not cases.decide("clerk", case_id, "accept", records={})[0].done
    assert cases.decide("clerk2", case_id, "accept", records={})[0].done


def test_the_preview_counts_and_changes_nothing(cast, behind):
    Cases(cast, behind).submitted(leave)
    behind.run("update student set status = 'graduated' where id = 106")
    seen = acting(cast.registry, foresee, MAJOR, NEW, TODAY, "学科调整", "", "09")
    assert (seen.students, seen.left, seen.classes, seen.cases) == ([("enrolled", 5)], 1, 2, 1)
    with pytest.raises(Refused, match="汉语言文学"):
        acting(cast.registry, foresee, MAJOR, NEW, TODAY, "学科调整", "", "")
    assert college_of(behind) == OLD


def test_the_page_previews_says_what_is_wrong_beside_the_field_and_moves(cast, behind):
    browser = cast.login("registry")
    form = {"major_id": "1", "college_id": "2", "effective_on": str(TODAY), "reason": "<i>学科</i>调整", "new_code": ""}
    answer = browser.post("/reorganisations/preview", data=form)
    assert answer.status_code == 422 and 'id="new_code-fault"' in answer.text
    answer = browser.post("/reorganisations/preview", data=form | {"new_code": "09"})
    assert "将随之调整的内容" in answer.text and "<i>学科" not in answer.text and college_of(behind) == OLD
    nonsense = browser.post("/reorganisations/decide", data={"major_id": "x", "effective_on": "bald"})
    assert nonsense.status_code == 422
    answer = browser.post("/reorganisations/decide", data=form | {"new_code": "09"}, follow_redirects=True)
    assert answer.status_code == 200 and "6 名学生" in answer.text and college_of(behind) == NEW
    for reader, sees in (("clerk", 200), ("clerk2", 200), ("student", 403), ("admissions", 403)):
        answer = cast.login(reader).get("/reorganisations/")
        assert (answer.status_code == 200) == (sees == 200)
        assert "确认调整" not in answer.text and 'name="major_id"' not in answer.text
    assert cast.login("clerk").post("/reorganisations/decide", data=form).status_code in (302, 403)


def test_the_plain_forms_move_no_major_and_no_class_that_is_used(cast, behind):
    browser = cast.login("registry")
    form = {"name": "计算机科学与技术", "code": "09", "national_code": "080901", "education_level": "05",
            "study_length": "4", "active": "y"}  # fmt: skip
    answer = browser.post("/majorscreen/edit/1", data=form | {"college": "2"})
    assert "院系调整" in answer.text and behind.one("select college_id from major where id = 1") == OLD
    assert browser.post("/majorscreen/edit/1", data=form | {"college": "1"}).status_code == 302
    unused = form | {"name": "软件工程", "code": "02", "national_code": "080902", "college": "2"}
    assert browser.post("/majorscreen/edit/2", data=unused).status_code == 302
    assert behind.one("select college_id from major where id = 2") == NEW
    group = {"name": "计科2024-1班", "grade": "2024", "major": "1", "code": "01", "capacity": "40"}
    browser.post("/classgroupscreen/edit/1", data=group | {"college": "2"})
    assert behind.one("select college_id from class_group where id = 1") == OLD
    assert browser.post("/classgroupscreen/edit/1", data=group | {"college": "1", "capacity": "41"}).status_code == 302


def test_an_application_for_the_major_is_its_new_colleges(cast, behind):
    behind.run("insert into transfer_round (id, title, state) values (1, '批次', 'ranking')")
    behind.run("insert into flow_case (id, number, flow, flow_version, student_id, college_id, student_college_id, state,"
               " subject, opened_by, opened_by_role, round_id, first_major_id, target_college_id)"
               " select 900, 'ZZ900', 'major_transfer', 1, 201, 2, 2, 'open', 'x', id, 'student', 1, 2, 1"
               " from ab_user where username = 'student2'")  # fmt: skip
    behind.run("insert into transfer_choice (round_id, place, major_id, from_major_id, grade, subject, case_state, case_id,"
               " student_id, college_id, student_college_id, target_college_id)"
               " values (1, 1, 2, 3, 2024, 'x', 'open', 900, 201, 2, 2, 1)")  # fmt: skip
    acting(cast.registry, reorganise, 2, NEW, TODAY, "学科调整")
    assert behind.one("select target_college_id from transfer_choice where case_id = 900") == NEW
    assert behind.one("select target_college_id from flow_case where id = 900") == NEW


def test_a_thousand_students_take_as_many_statements_as_six(cast, behind):
    def statements() -> int:
        seen: list[str] = []

        def count(_c, _cursor, statement, *_rest):
            seen.append(statement)

        event.listen(behind.connection, "before_cursor_execute", count)
        move(cast)
        event.remove(behind.connection, "before_cursor_execute", count)
        return len(seen)

    few = statements()
    behind.run("update major set college_id = 1, code = '01' where id = 1")
    behind.run("insert into student (id, name, sex, birth_date, id_number, entry_year, student_no, college_id, major_id,"
               " grade, status) select n, '学生' || n, '1', '2006-01-01', 'M' || n, 2024, 'N' || n, 1, 1, 2024, 'enrolled'"
               " from generate_series(50001, 51000) n")  # fmt: skip
    assert statements() <= few + 2
    assert behind.one("select count(*) from student where id > 50000 and college_id = 2") == 1000
    assert behind.one("select count(*) from roster_change where student_id > 50000 and code = '26'") == 1000
