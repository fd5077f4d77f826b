"""Many cases at once, written as the owner: for tests and measurements of batches."""

import json

from sqlalchemy import Connection, text

from app.flows.leave import leave
from app.flows.major_transfer import major_transfer
from app.papers import load_templates

SETTINGS = """
insert into setting (key, kind, value, title_zh, title_en) values ('school_name', 'text', '渝江大学', '', ''),
    ('leave_max_months_once', 'integer', '12', '', ''), ('leave_max_months_total', 'integer', '24', '', ''),
    ('material_max_mb', 'integer', '1', '', ''), ('publicity_days', 'integer', '5', '', ''),
    ('deferral_max_months', 'integer', '12', '', ''), ('discharge_months', 'integer', '24', '', ''),
    ('document_prefix', 'text', '教学籍', '', ''), ('appeal_days', 'integer', '10', '', '') on conflict (key) do update set value = excluded.value
"""
STUDENTS = """
insert into student (name, sex, birth_date, id_number, entry_year, student_no, college_id, major_id, class_group_id,
    grade, status, registered)
select '学生' || n, '1', '2006-01-01', lpad(n::text, 18, '5'), 2024, 'M' || n, 1, 1, 1, 2024, 'enrolled', true
from generate_series(1, :many) n
"""
CASES = """
insert into flow_case (flow, flow_version, number, student_id, college_id, student_college_id, state, step_key, subject,
    opened_by, opened_by_role, submitted_at, reason, leave_from, leave_terms, leave_until)
select 'leave', 1, 'M' || s.id, s.id, s.college_id, s.college_id, 'open', 'accept', s.name, u.id, 'student', timestamptz '2026-09-02 09:00+08',
    'other', '2026-09-02', 2, '2027-08-29'
from student s, ab_user u where s.student_no like 'M%' and u.username = 'student'
"""
STEPS = """
insert into case_step (case_id, student_id, college_id, student_college_id, position, key, role, days, declared, state,
    department_id, opened_at, signing_college_id)
select c.id, c.student_id, c.college_id, c.college_id, d.place, d.step ->> 'key', d.step ->> 'role', 1, d.step,
    case d.place when 1 then 'open' else 'waiting' end, e.id, now(), c.college_id
from flow_case c cross join jsonb_array_elements(cast(:steps as jsonb)) with ordinality d(step, place)
left join department e on (d.step ->> 'each_department')::boolean and 'leave' = any(e.receives)
where c.number like 'M%'
"""
MATERIALS = """
insert into case_material (case_id, student_id, college_id, student_college_id, kind, file_name, content_type, size,
    sha256, path, uploaded_by)
select c.id, c.student_id, c.college_id, c.college_id, k, 'a.pdf', 'application/pdf', 1, '', gen_random_uuid()::text,
    c.opened_by
from flow_case c, unnest(array['application', 'id_copies']) k where c.number like 'M%'
"""


def prepare(connection: Connection) -> None:
    """Settings and wordings that the flows need, where they are not there yet."""
    connection.execute(text(SETTINGS))
    load_templates(connection)


def make_leaves(connection: Connection, many: int) -> None:
    """So many students of college 1, each with a leave handed in that waits for the clerk."""
    after, steps = False, []
    for step in leave.steps:
        steps.append(step.to_json() | {"after_effect": after, "items": []})
        after = after or step.takes_effect
    prepare(connection)
    connection.execute(text(STUDENTS), {"many": many})
    connection.execute(text(CASES))
    connection.execute(text(STEPS), {"steps": json.dumps(steps)})
    connection.execute(text(MATERIALS))
    connection.execute(text("analyze"))


def make_transfers(connection: Connection, many: int, colleges: int, majors: int, *, places: int) -> None:
    """A round that is being ranked: so many applications of students of all colleges, examined, with scores.

    Each names two majors of other colleges. Scores are all different; the clerks and leaders of the cast stay those of
    the first two colleges.
    """
    prepare(connection)
    for statement in UNIVERSITY:
        connection.execute(text(statement), {"colleges": colleges, "majors": majors, "many": many, "places": places})
    steps = [step.to_json() | {"after_effect": False, "items": []} for step in major_transfer.steps]
    connection.execute(text(TRANSFER_STEPS), {"steps": json.dumps(steps), "panel": PANEL})
    connection.execute(text("analyze"))


PANEL = [step.key for step in major_transfer.steps].index("panel") + 1
OTHER = "500 + ((n + {turn}) % :majors)"  # the major that the nth student names: every college in turn
UNIVERSITY = (
    "insert into college (id, code, name, name_en) select 500 + n, 'X' || n, '学院' || n, 'College ' || n"
    " from generate_series(0, :colleges - 1) n",
    "insert into major (id, code, national_code, name, college_id)"
    " select 500 + n, 'X' || n, 'X' || n, '专业' || n, 500 + n % :colleges from generate_series(0, :majors - 1) n",
    "insert into class_group (id, code, name, grade, major_id, college_id)"
    " select 5000 + n, '0' || n % 2 + 1, '班' || n, 2024, 500 + n / 2, 500 + (n / 2) % :colleges from generate_series(0, 2 * :majors - 1) n",
    "insert into student (id, name, sex, birth_date, id_number, entry_year, student_no, college_id, major_id,"
    " class_group_id, grade, status, registered) select 90000 + n, '学生' || n, '1', '2006-01-01',"
    " lpad(n::text, 18, '7'), 2024, 'T' || n, 500 + (n % :majors) % :colleges, 500 + n % :majors,"
    " 5000 + 2 * (n % :majors), 2024, 'enrolled', true from generate_series(1, :many) n",
    "insert into transfer_round (id, title, state, choices) values (1, '2027年转专业', 'ranking', 2)",
    "insert into transfer_quota (round_id, major_id, places) select 1, 500 + n, :places from generate_series(0, :majors - 1) n",
    "insert into flow_case (id, flow, flow_version, number, student_id, college_id, student_college_id,"
    " target_college_id, state, step_key, subject, opened_by, opened_by_role, submitted_at, round_id, first_major_id,"
    f" second_major_id, score, statement) select 90000 + n, 'major_transfer', {major_transfer.version}, 'T' || n, s.id, s.college_id,"
    f" s.college_id, m.college_id, 'open', 'panel', s.name, u.id, 'student', timestamptz '2026-09-02 09:00+08', 1, m.id, {OTHER.format(turn=2)},"
    " 60 + n * 0.01, '兴趣所在' from generate_series(1, :many) n"
    f" join student s on s.id = 90000 + n join major m on m.id = {OTHER.format(turn=1)} join ab_user u on u.username = 'student'",
    "insert into transfer_choice (round_id, place, major_id, from_major_id, grade, subject, case_state, passed, examined_by,"
    " confirmed_by, case_id, target_college_id, student_id, college_id, student_college_id)"
    " select 1, p.place, m.id, s.major_id, s.grade, c.subject, 'open', true, u.id, v.id, c.id, m.college_id, s.id,"
    " s.college_id, s.college_id from flow_case c join student s on s.id = c.student_id"
    " cross join lateral (values (1, c.first_major_id), (2, c.second_major_id)) p(place, major_id)"
    " join major m on m.id = p.major_id join ab_user u on u.username = 'clerk' join ab_user v on v.username = 'leader'"
    " where c.round_id = 1",
)
TRANSFER_STEPS = """
insert into case_step (case_id, student_id, college_id, student_college_id, target_college_id, position, key, role, days,
    declared, state, opened_at, signing_college_id, decided_at, decided_by)
select c.id, c.student_id, c.college_id, c.college_id, c.target_college_id, d.place, d.step ->> 'key',
    d.step ->> 'role', 1, d.step, case when d.place < :panel then 'done' when d.place = :panel then 'open'
    else 'waiting' end, now(), c.college_id, case when d.place < :panel then now() end,
    case when d.place < :panel then c.opened_by end
from flow_case c cross join jsonb_array_elements(cast(:steps as jsonb)) with ordinality d(step, place)
where c.round_id = 1
"""
