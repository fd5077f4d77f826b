"""Many cases at once, written as the owner: for tests and measurements of batches."""

import json

from sqlalchemy import Connection, text

from app.flows import leave
from app.papers import load_templates

SETTINGS = """
insert into setting (key, kind, value, title_zh, title_en) values ('school_name', 'text', '渝江大学', '', ''),
    ('leave_max_months_once', 'integer', '12', '', ''), ('leave_max_months_total', 'integer', '24', '', ''),
    ('material_max_mb', 'integer', '1', '', ''), ('publicity_days', 'integer', '5', '', ''),
    ('deferral_max_months', 'integer', '12', '', ''), ('deferral_enlisted_months', 'integer', '48', '', ''),
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
select 'leave', 1, 'M' || s.id, s.id, s.college_id, s.college_id, 'open', 'accept', s.name, u.id, 'student', now(),
    'other', '2026-09-02', 2, '2027-09-01'
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
