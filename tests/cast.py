"""The standing cast: two colleges, their students, and one person for each part that a test needs.

College 1 is "ours": student, clerk, leader. College 2 is the stranger's: clerk2, leader2, student2.
"""

from datetime import date

from sqlalchemy import Connection, text
from werkzeug.security import generate_password_hash

from app.operations.calendar.schedule import TermDates
from app.operations.calendar.year_plan import date_year

PASSWORD = "Cast-password-1"
STUDENTS = 6  # in each college
AUTUMN, SPRING = TermDates(date(2026, 8, 31), 20), TermDates(date(2027, 3, 1), 20)

# username → (role, scope, college, department)
STAFF: dict[str, tuple[str, str, int | None, str | None]] = {
    "registry": ("registry", "school", None, None),
    "registry_b": ("registry", "school", None, None),
    "registry_c": ("registry", "school", None, None),
    "director": ("affairs_director", "school", None, None),
    "vp": ("vice_president", "school", None, None),
    "vp_b": ("vice_president", "school", None, None),
    "admissions": ("admissions", "freshmen", None, None),
    "panel": ("transfer_panel", "transfers", None, None),
    "admin": ("admin", "none", None, None),
    "auditor": ("auditor", "auditor", None, None),
    "clerk": ("college_clerk", "college", 1, None),
    "leader": ("college_leader", "college", 1, None),
    "leader_b": ("college_leader", "college", 1, None),
    "clerk2": ("college_clerk", "college", 2, None),
    "leader2": ("college_leader", "college", 2, None),
    "library": ("department", "department", None, "library"),
    "finance": ("department", "department", None, "finance"),
}

ORGANISATION = """
insert into college (id, code, name, name_en) values (1, '01', '计算机学院', 'Computing'), (2, '02', '文学院', 'Letters');
insert into major (id, code, national_code, name, college_id) values
    (1, '01', '080901', '计算机科学与技术', 1), (2, '02', '080902', '软件工程', 1), (3, '01', '050101', '汉语言文学', 2);
insert into class_group (id, code, name, grade, major_id, college_id) values
    (1, '01', '计科2024-1班', 2024, 1, 1), (2, '01', '计科2025-1班', 2025, 1, 1), (3, '01', '中文2024-1班', 2024, 3, 2);
"""

STUDENT = text("""
insert into student (id, name, pinyin, initials, sex, birth_date, id_number, entry_year, entry_date, student_no,
    examinee_no, college_id, major_id, class_group_id, grade, status, registered, phone, address)
values (:id, :name, :pinyin, 'x', '1', '2006-01-01', :id_number, 2024, '2024-09-01', :no, :examinee, :college, :major,
    :class, 2024, 'enrolled', true, '13800000000', '某路 1 号')
""")
LEDGER = text("""
insert into roster_change (student_id, college_id, student_college_id, code, effective_on, new_status, new_college_id,
    new_major_id, new_class_group_id, new_grade, new_study_length, new_text)
select id, college_id, college_id, 'A2', '2024-09-01', 'enrolled', college_id, major_id, class_group_id, grade,
    study_length, '{}' from student
""")


def build_cast(connection: Connection, today: date) -> None:
    """Write the cast as the owner. Ids are fixed: students 101… in college 1, 201… in college 2."""
    # two departments that receive notices are enough, and make the number of steps known
    connection.execute(text("update department set receives = '{}' where key not in ('library', 'finance')"))
    # a walk hears a student and goes on the same day; tests/flows/test_hearing.py asks for the days between
    connection.execute(text("update setting set value = '0' where key = 'defence_days'"))
    for statement in ORGANISATION.strip().split(";\n"):
        connection.execute(text(statement))
    for college, major, class_group in ((1, 1, 1), (2, 3, 3)):
        for number in range(1, STUDENTS + 1):
            connection.execute(STUDENT, {
                "id": college * 100 + number, "name": f"学生{college}{number}", "pinyin": f"xuesheng{college}{number}",
                "id_number": f"50010120060101{college}{number:03}", "no": f"2024{college:02}01{number:04}",
                "examinee": f"245000{college}{number:05}", "college": college, "major": major, "class": class_group,
            })  # fmt: skip
    connection.execute(text("insert into academic_year (year) values (2026)"))
    date_year(connection, 2026, AUTUMN, SPRING)
    connection.execute(LEDGER)
    for table in ("college", "major", "class_group", "student"):
        connection.execute(text(f"select setval(pg_get_serial_sequence('{table}', 'id'), 1000)"))
    hashed = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
    for username, (role, scope, college, department) in STAFF.items():
        account(connection, hashed, username, role, scope, college=college, department=department)
    account(connection, hashed, "student", "student", "student", student=101)
    account(connection, hashed, "classmate", "student", "student", student=102)
    account(connection, hashed, "student2", "student", "student", student=201)


def account(connection: Connection, hashed: str, username: str, role: str, scope: str, *, college: int | None = None,
            student: int | None = None, department: str | None = None) -> None:  # fmt: skip
    """A user with one identity, who has chosen a password already."""
    values = {"u": username, "h": hashed, "s": scope, "c": college, "st": student, "d": department, "r": role}
    connection.execute(text("""
        with person as (
            insert into ab_user (first_name, last_name, username, email, password, active)
            values (cast(:u as text), '', cast(:u as text), cast(:u as text) || '@example.invalid', :h, true) returning id
        ), chosen as (
            insert into password_state (user_id, must_change) select id, false from person
        ), who as (
            insert into identity (user_id, scope, college_id, student_id, department_id)
            select id, :s, :c, :st, (select id from department where key = :d) from person returning id
        )
        insert into identity_role (identity_id, role_id)
        select who.id, ab_role.id from who, ab_role where ab_role.name = :r
    """), values)  # fmt: skip
