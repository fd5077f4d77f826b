"""The demo university and the admissions workbook: what they invent must be as true as a real office's data."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, time

import pytest
from alembic import command
from alembic.config import Config
from python_calamine import CalamineWorkbook
from sqlalchemy import Connection, create_engine, select, text

from app import cluster
from app.access.roles import Role
from app.demo import make_demo, sample_accounts, write_admissions_file
from app.demo.organisation import plan
from app.demo.terms import open_terms
from app.kit import clock
from app.kit.pinyin import romanise
from app.models import Code, CodeSet, Setting, as_of
from app.reference import load_reference
from tests.conftest import ROOT, TODAY, Bed

STUDENTS = 1200
EARLY = time(7, 10)
DAYS = [TODAY, date(2026, 8, 1), date(2026, 11, 23), date(2027, 1, 31), date(2027, 3, 7), date(2027, 7, 31)]


@pytest.fixture(scope="module")
def database(bed: Bed) -> Iterator[str]:
    """A migrated database with nobody in it."""
    name = f"university_{next(bed.numbers)}"
    cluster.create_database(bed.admin, name)
    owner = bed.cluster.url(cluster.OWNER, name)
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["url"] = owner
    command.upgrade(config, "head")
    yield owner
    cluster.drop_database(bed.admin, name)


@pytest.fixture(scope="module")
def university(database: str) -> Iterator[Connection]:
    engine = create_engine(database)
    with engine.connect() as connection:
        with clock.on(TODAY, EARLY):  # before the hour at which people sign in it
            make_demo(connection, STUDENTS, TODAY, lambda username: "a hash")
        yield connection
        connection.rollback()
    engine.dispose()


def rows(connection: Connection, statement: str, **values: object) -> list:
    return list(connection.execute(text(statement), values))


def number(connection: Connection, statement: str, **values: object) -> int:
    return connection.execute(text(statement), values).scalar_one()


def checks(id_number: str) -> bool:
    """GB 11643 written down a second time: ISO 7064 MOD 11-2."""
    total = sum(2 ** (17 - place) * int(digit) for place, digit in enumerate(id_number[:17]))
    return id_number[17] == "10X98765432"[total % 11]


# the students


def test_there_are_as_many_students_as_asked_for(university):
    assert number(university, "select count(*) from student") == STUDENTS
    assert number(university, "select nextval(pg_get_serial_sequence('student', 'id'))") == STUDENTS + 1


def test_identity_numbers_check_and_agree_with_birth_date_and_sex(university):
    cards = rows(university, "select id_number, birth_date, sex from student where id_type = '1'")
    assert len(cards) > STUDENTS * 0.98
    for id_number, born, sex in cards:
        assert checks(id_number), id_number
        assert id_number[6:14] == f"{born:%Y%m%d}"
        assert int(id_number[16]) % 2 == int(sex) % 2


def test_numbers_are_unique_and_follow_the_rule(university):
    assert number(university, "select count(distinct id_number) from student") == STUDENTS
    assert number(university, "select count(distinct examinee_no) from student") == STUDENTS
    wrong = rows(
        university,
        """select s.student_no from student s join college c on c.id = s.college_id join major m on m.id = s.major_id
        where s.student_no is not null
          and s.student_no !~ ('^' || s.entry_year || c.code || m.code || '[0-9]{4}$')""",
    )
    assert wrong == []


def test_students_classes_majors_and_colleges_belong_together(university):
    wrong = rows(
        university,
        """select s.id from student s join major m on m.id = s.major_id
        left join class_group g on g.id = s.class_group_id
        where m.college_id <> s.college_id or g.major_id <> s.major_id or g.college_id <> s.college_id
           or g.grade <> s.grade or m.study_length <> s.study_length or m.education_level <> s.education_level
           or (s.student_no is null) <> (s.status in ('admitted', 'deferred', 'waived'))
           or (s.class_group_id is null) <> (s.student_no is null)""",
    )
    assert wrong == []


@pytest.mark.parametrize(
    "column", ["sex", "id_type", "ethnic_group", "political_status", "education_level", "study_form", "entry_kind"]
)
def test_every_code_is_of_its_set(university, column):
    unknown = f"select count(*) from student where {column} not in (select code from code where set_key = :key)"
    assert number(university, unknown, key=column) == 0


def test_every_change_and_reason_is_of_its_set(university):
    for column, key in (("code", "roster_change"), ("reason", "change_reason")):
        unknown = (
            f"select count(*) from roster_change where {column} not in (select code from code where set_key = :key)"
        )
        assert number(university, unknown, key=key) == 0


def test_names_are_spelled_and_as_varied_as_in_life(university):
    names = rows(university, "select name, pinyin, initials, ethnic_group from student")
    for name, pinyin, initials, _ in names:
        assert (pinyin, initials) == romanise(name)
        assert pinyin.isascii() and pinyin.isalnum()
    lengths = Counter(len(name) for name, *_ in names)
    assert lengths[3] > lengths[2] > STUDENTS * 0.08
    assert len({name for name, *_ in names}) > STUDENTS * 0.85
    assert any("·" in name for name, *_ in names)


@pytest.mark.parametrize(
    ("name", "spelled"),
    [("曾小贤", ("zengxiaoxian", "zxx")), ("欧阳吕", ("ouyanglv", "oyl")), ("艾力·买买提", ("ailimaimaiti", "almmt"))],
)
def test_pinyin_knows_surnames_and_signs(name, spelled):
    assert romanise(name) == spelled


# their ledger


def test_the_ledger_ends_where_the_student_stands(university):
    standing = as_of(TODAY).subquery()
    last = {row.student_id: row for row in university.execute(select(standing))}
    students = rows(university, "select id, status, college_id, major_id, class_group_id, grade from student")
    for key, *expected in students:
        entry = last[key]
        assert [
            entry.new_status, entry.new_college_id, entry.new_major_id, entry.new_class_group_id, entry.new_grade,
        ] == expected  # fmt: skip


CHAIN = """
select student_id from (select *, lag(new_status) over w as status, lag(new_class_group_id) over w as class_group,
    lag(new_grade) over w as grade, lag(effective_on) over w as day
    from roster_change window w as (partition by student_id order by id)) entry
where old_status is distinct from status or old_class_group_id is distinct from class_group
   or old_grade is distinct from grade or effective_on < day or effective_on > :today"""


@pytest.mark.parametrize("today", DAYS)
def test_the_ledger_is_a_chain_whose_dates_go_up_whenever_it_is_made(university, today):
    with university.begin_nested() as savepoint:
        university.execute(text("truncate college, ab_user, term, transfer_round cascade"))
        make_demo(university, STUDENTS, today, lambda username: "a hash")
        assert rows(university, CHAIN, today=today) == []
        savepoint.rollback()


def test_about_two_in_a_hundred_are_on_leave_and_some_are_overdue(university):
    away = number(university, "select count(*) from student where status in ('on_leave', 'retained')")
    assert 0.005 < away / STUDENTS < 0.04
    untils = [
        until for (until,) in rows(
            university,
            "select distinct on (student_id) until from roster_change join student s on s.id = student_id"
            " where s.status = 'on_leave' order by student_id, effective_on desc",
        )
    ]  # fmt: skip
    assert None not in untils
    assert any(until < TODAY for until in untils) and any(until > TODAY for until in untils)


def test_cohorts_have_left_when_their_time_is_over(university):
    still_here = number(
        university,
        "select count(*) from student where status = 'enrolled' and entry_year + study_length <= 2026",
    )
    statuses = {status for (status,) in rows(university, "select distinct status from student")}
    assert still_here == 0
    assert {"admitted", "enrolled", "on_leave", "graduated", "completed"} <= statuses


# cases under way


def test_no_page_of_a_procedure_is_empty(university):
    """Cases at steps of several kinds, each with its steps in order; lists, meetings, a document, absences."""
    steps = {(row.flow, row.step_key) for row in rows(university, "select flow, step_key from flow_case")}
    expected = {("dismissal", "publicity"), ("dismissal", "document"), ("dismissal", None), ("leave", "accept"),
                ("leave", "college"), ("voluntary_withdrawal", "school"), ("info_change", "accept")}  # fmt: skip
    assert expected <= steps
    for table in ("meeting", "publicity", "publicity_entry", "objection", "document", "absence", "dismissal_exemption",
                  "case_event"):  # fmt: skip
        assert number(university, f"select count(*) from {table}") > 0, table
    wrong = rows(
        university,
        """
        select c.number from flow_case c where c.state = 'open' and (
            not exists (select from case_step s where s.case_id = c.id and s.state = 'open' and s.key = c.step_key
                and s.due_on is not null)
            or exists (select from case_step s join case_step o on o.case_id = s.case_id and o.state = 'open'
                where s.case_id = c.id and (s.state = 'done') <> (s.position < o.position)))""",
    )
    assert wrong == []
    alone = "select student_id from flow_case where state <> 'done' group by 1 having count(*) > 1"
    assert rows(university, alone) == []
    running = "select count(*) from publicity where :today between opens_on and closes_on"
    assert number(university, running, today=TODAY) == 1
    candidates = "select count(*) from legal_clock where kind in ('leave', 'absence') and due_on < :today"
    assert number(university, candidates, today=TODAY) > 1


def test_there_are_enough_cases_to_try_a_batch(university):
    """Fewer in this small university than in the demo, which has thirty."""
    steps = rows(university, "select c.step_key, count(*) as n from flow_case c where c.flow = 'leave' group by 1")
    assert {row.step_key: row.n >= 20 for row in steps if row.n > 1} == {"accept": True, "college": True}


def test_what_happened_to_a_case_happened_in_order(university):
    """Handed in, met about, published, signed: nothing before what it rests on."""
    assert not rows(university, """
        select c.number, s.key from flow_case c join case_step s on s.case_id = c.id left join meeting m on m.id = s.meeting_id
        where s.decided_at < s.opened_at or s.opened_at < c.submitted_at or c.submitted_at < c.opened_at
            or m.held_on not between (c.submitted_at at time zone 'Asia/Shanghai')::date
                and (s.decided_at at time zone 'Asia/Shanghai')::date""")  # fmt: skip
    assert not rows(university, """
        select c.number from publicity p join publicity_entry e on e.publicity_id = p.id join flow_case c on c.id = e.case_id
        join case_step s on s.case_id = c.id and s.key = 'publicity'
        where p.published_at < s.opened_at or s.state = 'done' and s.decided_at::date <= p.closes_on""")  # fmt: skip


def test_nothing_was_signed_after_the_moment_at_which_it_is_made(university):
    last = number(university, """
        select max(at at time zone 'Asia/Shanghai') from (
            select decided_at as at from case_step union all select opened_at from case_step
            union all select opened_at from flow_case union all select submitted_at from flow_case
            union all select at from case_event union all select published_at from publicity
            union all select answered_at from objection) moments""")  # fmt: skip
    assert last.date() == TODAY, "somebody signs on the day itself"
    assert last.time() == EARLY


def test_scans_of_its_cases_are_there(university, tmp_path):
    with university.begin_nested() as savepoint:
        university.execute(text("truncate college, ab_user, term, transfer_round cascade"))
        make_demo(university, STUDENTS, TODAY, lambda username: "a hash", tmp_path)
        paths = [path for (path,) in rows(university, "select path from case_material")]
        assert paths and all((tmp_path / path).read_bytes().startswith(b"%PDF") for path in paths)
        savepoint.rollback()


# accounts and calendar


def test_every_role_and_every_college_has_somebody(university):
    held = rows(
        university,
        "select r.name, i.college_id, i.scope from identity i join identity_role on identity_id = i.id"
        " join ab_role r on r.id = role_id",
    )
    assert {name for name, *_ in held} == {role.value for role in Role}
    assert all(scope == Role(name).scope for name, _, scope in held)
    colleges = {key for (key,) in rows(university, "select id from college")}
    for role in (Role.COLLEGE_CLERK, Role.COLLEGE_LEADER):
        assert {college for name, college, _ in held if name == role} == colleges


def test_accounts_need_no_new_password_and_some_have_two_identities(university):
    assert number(university, "select count(*) from ab_user") == number(
        university, "select count(*) from password_state where not must_change"
    )
    twice = rows(
        university, "select u.username from identity join ab_user u on u.id = user_id group by 1 having count(*) > 1"
    )
    assert {name for (name,) in twice} == {"clerk01", "clerk02", "clerk03"}
    known = {name for name, _ in sample_accounts(university)}
    assert {"registry", "clerk08", "leader08", "admin"} <= known


def test_students_log_in_with_their_own_number_and_reach_their_own_row(university):
    wrong = rows(
        university,
        "select u.username from identity i join ab_user u on u.id = i.user_id join student s on s.id = i.student_id"
        " where u.username <> s.student_no or u.last_name || u.first_name <> s.name",
    )
    assert wrong == []
    assert number(university, "select count(*) from identity where scope = 'student'") > 60


@pytest.mark.parametrize("today", DAYS)
def test_leave_and_return_are_open_whenever_it_is_tried(university, today):
    with university.begin_nested() as savepoint:
        open_terms(university, today)
        current = rows(
            university,
            "select distinct substr(key, 8) from dated_task where :today between opens_on and due_on"
            " and (key like '%\\_leave' or key like '%\\_return')",
            today=today,
        )
        assert sorted(key.strip("_") for (key,) in current) == ["leave", "return"]
        assert not open_terms(university, today)
        savepoint.rollback()


# again, and at any size


def test_a_second_run_changes_nothing(university):
    def content() -> list:
        tables = [name for (name,) in rows(university, "select relname from pg_class where relkind = 'r' and"
                                           " relnamespace = 'public'::regnamespace order by 1")]  # fmt: skip
        return [
            (name, number(university, f"select coalesce(sum(hashtextextended(t::text, 0)), 0) from {name} t"))
            for name in tables
        ]

    before = content()
    again = make_demo(university, 5, TODAY, lambda username: "another hash")
    assert (again.students, again.accounts, again.total, again.changed) == (0, 0, STUDENTS, False)
    assert content() == before


def test_the_same_seed_makes_the_same_university(university, bed):
    def people(connection: Connection) -> list:
        return rows(connection, "select name, id_number, student_no, status from student order by id")

    expected = people(university)
    with university.begin_nested() as savepoint:
        university.execute(text("truncate college, ab_user, transfer_round cascade"))
        make_demo(university, STUDENTS, TODAY, lambda username: "a hash")
        assert people(university) == expected
        savepoint.rollback()


@pytest.mark.parametrize("students", [0, 1, 300, 24_000, 1_000_000])
def test_the_plan_adds_up(students):
    cohorts = plan(students, 2026)
    assert sum(cohort.size for cohort in cohorts) == students
    assert all(sum(cohort.class_sizes()) == cohort.size - cohort.waiting for cohort in cohorts)
    assert all(size <= 99 for cohort in cohorts for size in cohort.class_sizes())


def test_more_students_than_numbers_are_refused():
    with pytest.raises(ValueError, match="too many"):
        plan(10_000_000, 2026)


# reference data


def test_reference_data_keeps_what_the_school_has_edited(university):
    with university.begin_nested() as savepoint:
        university.execute(text("update setting set value = '18' where key = 'leave_max_months_once'"))
        university.execute(text("update code set name_en = 'M' where set_key = 'sex' and code = '1'"))
        university.execute(text("update department set receives = '{}' where key = 'library'"))
        load_reference(university)
        assert university.scalar(select(Setting.value).where(Setting.key == "leave_max_months_once")) == "18"
        assert university.scalar(select(Code.name_en).where(Code.set_key == "sex", Code.code == "1")) == "M"
        assert number(university, "select cardinality(receives) from department where key = 'library'") == 0
        savepoint.rollback()


def test_a_new_version_of_a_code_set_renews_it_and_retires_what_it_lacks(university):
    with university.begin_nested() as savepoint:
        university.execute(text("update code_set set version = 'older' where key = 'sex'"))
        university.execute(text("update code set name_en = 'M' where set_key = 'sex' and code = '1'"))
        university.execute(text("insert into code (set_key, code, name_zh, name_en) values ('sex', '7', '旧', 'Old')"))
        load_reference(university)
        assert university.scalar(select(CodeSet.version).where(CodeSet.key == "sex")) == "GB/T 2261.1-2003"
        assert university.scalar(select(Code.name_en).where(Code.set_key == "sex", Code.code == "1")) == "Male"
        retired = rows(university, "select code from code where set_key = 'sex' and valid_until is not null")
        assert [code for (code,) in retired] == ["7"]
        savepoint.rollback()


def test_integer_settings_lie_between_their_bounds(university):
    wrong = rows(
        university,
        "select key from setting where kind = 'integer'"
        " and not coalesce(value::int between minimum and maximum, false)",
    )
    assert wrong == []
    assert number(university, "select count(*) from code where set_key = 'ethnic_group'") == 58


def test_the_admissions_workbook_has_none_of_its_people(university, tmp_path):
    path = tmp_path / "freshmen.xlsx"
    write_admissions_file(path, STUDENTS, 0, TODAY)
    _, header, *people = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    card, examinee = header.index("证件号码"), header.index("考生号")
    query = "select count(*) from student where id_number = any(:cards) or examinee_no = any(:examinees)"
    values = {"cards": [row[card] for row in people], "examinees": [row[examinee] for row in people]}
    assert number(university, query, **values) == 0
