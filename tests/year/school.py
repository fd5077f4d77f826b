"""The school of the year: the standing cast, a third college, some three hundred students and their accounts."""

from sqlalchemy import Connection, text
from werkzeug.security import generate_password_hash

from app.reference import load_reference
from tests.cast import PASSWORD, account
from tests.flows.many import prepare

STAFF: dict[str, tuple[str, str, int | None]] = {
    "clerk3": ("college_clerk", "college", 3), "leader3": ("college_leader", "college", 3),
    "clerk_b": ("college_clerk", "college", 1), "leader2_b": ("college_leader", "college", 2),
    "clerk2_b": ("college_clerk", "college", 2), "leader3_b": ("college_leader", "college", 3),
    "director_b": ("affairs_director", "school", None), "vp_c": ("vice_president", "school", None),
    "registry_d": ("registry", "school", None),
}  # fmt: skip
ORGANISATION = (
    "insert into college (id, code, name, name_en) values (3, '03', '经济学院', 'Economics')",
    "insert into major (id, code, national_code, name, college_id, study_length) values"
    " (4, '01', '020101', '经济学', 3, 4), (5, '02', '630201', '金融管理', 3, 3)",
    "insert into dated_task (rule_id, key, occurrence, college_id, year, season, opens_on, due_on, planned_opens_on,"
    " planned_due_on, owners, students) select rule_id, key, occurrence, 3, year, season, opens_on, due_on,"
    " planned_opens_on, planned_due_on, owners, students from dated_task where college_id = 2",
    "insert into class_group (id, code, name, grade, major_id, college_id)"
    " select 100 * m.id + 10 * (g - 2022) + n, '1' || n, m.name || g || '-' || n || '班', g, m.id, m.college_id"
    " from major m, generate_series(2023, 2026) g, generate_series(1, 2) n",
)
# Eight in each class of the grades 2023 to 2026; those of 2026 have just been admitted.
STUDENTS = """
insert into student (id, name, pinyin, initials, sex, birth_date, id_number, entry_year, entry_date, student_no, examinee_no,
    college_id, major_id, class_group_id, grade, status, registered, study_length, expected_graduation)
select 10 * g.id + n, '生' || g.id || '之' || n, 'x', 'x', '1', '2006-01-01', lpad((10 * g.id + n)::text, 18, '7'), g.grade,
    make_date(g.grade, 9, 1), lpad((10 * g.id + n)::text, 10, '6'), lpad((10 * g.id + n)::text, 14, '8'),
    g.college_id, g.major_id, g.id, g.grade, case g.grade when 2026 then 'admitted' else 'enrolled' end, g.grade < 2026,
    m.study_length, make_date(g.grade + cast(m.study_length as int), 6, 30)
from class_group g join major m on m.id = g.major_id, generate_series(1, 8) n where g.id > 100
"""
ENTRIES = """
insert into roster_change (student_id, college_id, student_college_id, code, effective_on, new_status, new_college_id,
    new_major_id, new_class_group_id, new_grade, new_study_length, new_text, recorded_at)
select id, college_id, college_id, 'A2', entry_date, status, college_id, major_id, class_group_id, grade, study_length,
    '{}', '2026-08-01 12:00+08' from student where id > 1000;
update roster_change set recorded_at = '2026-08-01 12:00+08'
"""
# The last of every class of 2024 is on leave until some day of autumn or spring, one in five of them in the army.
LEAVES = """
with gone as (
    update student set status = case when class_group_id % 5 = 1 then 'retained' else 'on_leave' end
    where id > 1000 and grade = 2024 and id % 10 >= 7 returning *)
insert into roster_change (student_id, college_id, student_college_id, code, reason, effective_on, until, old_status,
    new_status, old_college_id, new_college_id, old_major_id, new_major_id, old_class_group_id, new_class_group_id,
    old_grade, new_grade, old_study_length, new_study_length, old_text, new_text, recorded_at)
select id, college_id, college_id, case status when 'retained' then '19' else '11' end,
    case when status = 'retained' then '34' when id % 2 = 1 then '10' else '99' end, '2025-09-03',
    case when status = 'on_leave' then date '2026-09-02' + cast(7 * (id % 30) as int) end, 'enrolled', status,
    college_id, college_id, major_id, major_id, class_group_id, class_group_id, grade, grade, study_length, study_length,
    '{}', '{}', '2025-09-01 12:00+08'
from gone
"""
ACCOUNTS = """
with person as (
    insert into ab_user (first_name, last_name, username, email, password, active)
    select name, '', 's' || id, 's' || id || '@example.invalid', :hashed, true from student where id > 1000
    returning id, username
), who as (
    insert into identity (user_id, scope, student_id) select id, 'student', substr(username, 2)::bigint from person
    returning id
)
insert into identity_role (identity_id, role_id)
select who.id, ab_role.id from who, ab_role where ab_role.name = 'student'
"""
OVERLONG = """
update student set entry_year = 2020, entry_date = '2020-09-01' where id in (1121, 3121, 4121);
update roster_change set effective_on = '2020-09-01' where student_id in (1121, 3121, 4121)
"""
LEAVING_ITEMS = "update department set leaving_items = case key when 'library' then '{图书}' else '{费用}' end::text[]"


def build_school(connection: Connection) -> None:
    """Write it as the owner, beside the cast."""
    load_reference(connection)
    prepare(connection)
    for statement in ORGANISATION:
        connection.execute(text(statement))
    for part in (STUDENTS, ENTRIES, LEAVES, OVERLONG, LEAVING_ITEMS):
        for statement in part.split(";"):
            connection.execute(text(statement))
    for table in ("college", "major", "class_group", "student"):
        connection.execute(text(f"select setval(pg_get_serial_sequence('{table}', 'id'), 10000)"))
    hashed = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
    connection.execute(text(ACCOUNTS), {"hashed": hashed})
    for username, (role, scope, college) in STAFF.items():
        account(connection, hashed, username, role, scope, college=college)
