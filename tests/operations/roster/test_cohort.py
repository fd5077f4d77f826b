"""Classes and numbers for a cohort: strangers and refusals first, then the result, then a second run."""

import pytest
from sqlalchemy import event

from app.access import scope_as
from app.kit.operation import NotAllowed, Refused
from app.models import db
from app.operations.roster.cohort import Placed, assign_classes, assign_numbers, preview_classes, preview_numbers
from app.operations.roster.number_rule import read_rule

YEAR = 2026


@pytest.fixture
def freshmen(behind):
    """Make `count` freshmen of a major, every second a woman."""

    def make(count: int, major: int = 1, college: int = 1, start: int = 0, **columns: object) -> None:
        values = {"status": "admitted", "year": YEAR} | columns
        behind.run(
            "insert into student (name, pinyin, sex, birth_date, id_number, entry_year, examinee_no, college_id,"
            " major_id, grade, status) select '新生' || n, 'x' || lpad(n::text, 6, '0'), (1 + n % 2)::text,"
            " '2008-01-01', 'F' || :mark || n, :year, '26' || :mark || lpad(n::text, 9, '0'), :college, :major,"
            " :year, :status from generate_series(cast(:first as int), cast(:last as int)) n",
            first=start + 1, last=start + count, mark=str(major), major=major, college=college, **values,
        )  # fmt: skip

    return make


@pytest.fixture
def registry(cast):
    actor = cast.registry
    with scope_as(actor.scope):
        yield actor


def sizes(behind, major: int = 1) -> list[tuple[int, int]]:
    rows = behind.rows(
        "select g.code, count(*) n, count(*) filter (where s.sex = '1') men from student s join class_group g"
        " on g.id = s.class_group_id where s.entry_year = :y and s.major_id = :m group by 1 order by 1",
        y=YEAR, m=major,
    )  # fmt: skip
    return [(row["n"], row["men"]) for row in rows]


@pytest.mark.parametrize("name", ["clerk", "admissions", "student", "admin", "auditor", "director"])
@pytest.mark.parametrize("verb", [preview_classes, assign_classes, preview_numbers, assign_numbers])
def test_only_the_registry_places_a_cohort(cast, name, verb):
    actor = getattr(cast, name)
    with scope_as(actor.scope), pytest.raises(NotAllowed):
        verb(actor, YEAR)


def test_a_freshman_whose_major_is_another_colleges_is_named(registry, freshmen, behind):
    freshmen(3)
    freshmen(1, major=3, college=1)
    with pytest.raises(Refused, match="新生1 "):
        assign_classes(registry, YEAR)
    assert sizes(behind) == []


def test_numbers_wait_for_classes(registry, freshmen):
    freshmen(7)
    with pytest.raises(Refused, match=r"新生1 .* \(7\)"):
        preview_numbers(registry, YEAR)


def test_a_stale_page_places_nobody(registry, freshmen, behind):
    freshmen(5)
    with pytest.raises(Refused):
        assign_classes(registry, YEAR, expected=4)
    assert sizes(behind) == []


def test_classes_are_even_in_size_and_sex(registry, freshmen, behind):
    freshmen(81)
    freshmen(10, major=3, college=2)
    planned = preview_classes(registry, YEAR)
    assert [group.size for group in planned] == [27, 27, 27, 10]
    assert assign_classes(registry, YEAR) == Placed(91, 4)
    assert [n for n, _men in sizes(behind)] == [27, 27, 27]
    assert {men for _n, men in sizes(behind)} <= {13, 14}
    names = behind.rows(
        "select name, code, capacity from class_group where grade = :y and major_id = 1 order by code", y=YEAR
    )
    assert names[0] == {"name": "计算机科学与技术2026级1班", "code": "01", "capacity": 40}


def test_placing_is_in_ledger_history_and_audit(registry, freshmen, behind):
    freshmen(2)
    assign_classes(registry, YEAR)
    (entry, _other) = behind.rows(
        "select * from roster_change where student_id in (select id from student where entry_year = :y)", y=YEAR
    )
    assert entry["code"] == "A3"  # of its own kind: no datum was corrected
    assert entry["old_class_group_id"] is None and entry["new_class_group_id"]
    assert entry["new_text"]["class_group"] == "计算机科学与技术2026级1班"
    assert behind.one("select distinct why from field_change where field = 'class_group_id'") == "2026级新生编班"
    assert behind.one("select detail from audit_entry where action = 'cohort:assign_classes'")["students"] == 2


def test_late_comers_fill_the_emptiest_classes_first(registry, freshmen, behind):
    freshmen(41)
    assign_classes(registry, YEAR)
    before = behind.rows("select id, class_group_id from student where entry_year = :y order by id", y=YEAR)
    freshmen(5, start=100)
    assert assign_classes(registry, YEAR) == Placed(5, 0)
    assert [n for n, _men in sizes(behind)] == [23, 23]
    after = behind.rows("select id, class_group_id from student where entry_year = :y order by id", y=YEAR)
    assert after[: len(before)] == before


def test_a_second_run_changes_nothing(registry, freshmen, behind):
    freshmen(50)
    assign_classes(registry, YEAR)
    assign_numbers(registry, YEAR)
    before = behind.rows("select id, class_group_id, student_no, version from student order by id")
    assert assign_classes(registry, YEAR) == Placed(0)
    assert assign_numbers(registry, YEAR) == Placed(0)
    assert behind.rows("select id, class_group_id, student_no, version from student order by id") == before


def test_who_is_not_arriving_gets_nothing(registry, freshmen, behind):
    freshmen(2)
    freshmen(2, start=10, status="deferred")
    freshmen(2, start=20, year=2025)
    assert assign_classes(registry, YEAR).students == 2
    assert assign_numbers(registry, YEAR).students == 2


def test_numbers_follow_the_rule_and_skip_those_given(registry, freshmen, behind):
    freshmen(4)
    assign_classes(registry, YEAR)
    behind.run("update student set student_no = '202601010102' where id = 101")
    behind.run("update student set student_no = '202601010103' where id = 102")
    behind.run("update student set student_no = '202401010999' where id = 102")  # its old number stays given
    (major,) = preview_numbers(registry, YEAR)
    assert (major.students, major.first, major.last) == (4, "202601010101", "202601010106")
    assign_numbers(registry, YEAR)
    given = behind.rows("select student_no from student where entry_year = :y order by pinyin", y=YEAR)
    assert [row["student_no"][-2:] for row in given] == ["01", "04", "05", "06"]
    assert (
        behind.one("select distinct why from field_change where field = 'student_no' and student_id > 1000")
        == "2026级新生编学号"
    )


def test_a_serial_that_is_used_up_is_refused(registry, freshmen, behind):
    behind.run("update setting set value = '{entry_year}{college}{serial:01}' where key = 'student_number_rule'")
    freshmen(10)
    with pytest.raises(Refused, match="202601·"):
        assign_numbers(registry, YEAR)
    assert behind.one("select count(student_no) from student where entry_year = :y", y=YEAR) == 0


@pytest.mark.parametrize(
    "rule",
    [
        "", "{serial}", "{entry_year}", "{serial:02}{serial:02}", "{college.__class__}{serial:02}", "{serial:02!r}",
        "{0}{serial:02}", "{college!r}{serial:02}", "{college:>9}{serial:02}", "{serial:02", "20'26{serial:02}",
        "{serial:099}", "{password}{serial:02}", "{{{serial:02}", "{serial:02}-",
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_read_is_refused(app, rule):
    with pytest.raises(Refused):
        read_rule(rule)


def test_numbers_too_long_are_refused(registry, freshmen, behind):
    rule = "{entry_year}{college}{major}{class}ABC{serial:03}"
    behind.run("update setting set value = :rule where key = 'student_number_rule'", rule=rule)
    freshmen(1)
    assign_classes(registry, YEAR)
    with pytest.raises(Refused, match="16"):
        assign_numbers(registry, YEAR)


def test_a_rule_that_mixes_colleges_up_is_refused(registry, freshmen, behind):
    behind.run("update setting set value = '{entry_year}{major}1{serial:02}' where key = 'student_number_rule'")
    behind.run("update major set code = '011' where id = 3")
    behind.run("update setting set value = '{major}{serial:01}' where key = 'student_number_rule'")
    behind.run("update major set code = '1' where id = 1")
    behind.run("update major set code = '1' where id = 3")
    freshmen(3)
    freshmen(3, major=3, college=2)
    assign_numbers(registry, YEAR)  # one serial for both
    assert behind.one("select count(distinct student_no) from student where entry_year = :y", y=YEAR) == 6


def test_statements_do_not_grow_with_the_cohort(registry, freshmen):
    def counted(verb) -> int:
        seen = []
        engine = db.session.connection().engine
        listen = lambda *args: seen.append(args[2])  # noqa: E731
        event.listen(engine, "before_cursor_execute", listen)
        verb(registry, YEAR)
        event.remove(engine, "before_cursor_execute", listen)
        return len(seen)

    freshmen(2)
    few = counted(assign_classes), counted(assign_numbers)
    freshmen(300, start=1000)
    freshmen(200, major=3, college=2, start=5000)
    assert (counted(assign_classes), counted(assign_numbers)) == few
    assert few[0] > 5
