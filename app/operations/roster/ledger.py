"""学籍台账 ledger: entries for students whose study columns an operation has just changed, any number at once."""

import json
from datetime import date, datetime

from flask_babel import force_locale
from sqlalchemy import text

from app.access import Actor
from app.kit import clock
from app.models import RosterStatus, db

# What each student was, before an operation changes it.
SNAPSHOT = """
create temp table before_change on commit drop as
select s.id as student_id, s.status, s.college_id, s.major_id, s.class_group_id, s.grade, s.study_length
from student s where s.id in (select student_id from {students})
"""

ENTRIES = """
insert into roster_change (student_id, college_id, student_college_id, code, effective_on, until, reason,
    old_status, new_status, old_college_id, new_college_id, old_major_id, new_major_id,
    old_class_group_id, new_class_group_id, old_grade, new_grade, old_study_length, new_study_length,
    old_text, new_text, note, document_no, recorded_by, recorded_at)
select s.id, coalesce(b.college_id, s.college_id), s.college_id, :code, :day, {until}, {reason},
    b.status, s.status, b.college_id, s.college_id, b.major_id, s.major_id,
    b.class_group_id, s.class_group_id, b.grade, s.grade, b.study_length, s.study_length,
    case when b.student_id is not null then jsonb_build_object('status', cast(:labels as jsonb) ->> b.status,
        'college', bc.name, 'major', bm.name, 'class_group', bg.name, 'grade', b.grade) end,
    jsonb_build_object('status', cast(:labels as jsonb) ->> s.status,
        'college', sc.name, 'major', sm.name, 'class_group', sg.name, 'grade', s.grade),
    :note, :document_no, :who, :now
from student s
left join {before} b on b.student_id = s.id
left join college bc on bc.id = b.college_id
left join major bm on bm.id = b.major_id
left join class_group bg on bg.id = b.class_group_id
join college sc on sc.id = s.college_id
join major sm on sm.id = s.major_id
left join class_group sg on sg.id = s.class_group_id
where s.id in (select student_id from {students})
"""
UNTIL, REASON = "cast(:until as date)", ":reason"
LATEST = """
(select r.{column} from roster_change r where r.student_id = s.id order by r.effective_on desc, r.id desc limit 1)
"""
NOTHING_BEFORE = "(select null::bigint as student_id, student.* from student where false)"


def remember(students: str) -> None:
    """Keep what the students of a table (column student_id) are now; `enter` compares it with what they became."""
    db.session.execute(text("drop table if exists before_change"))
    db.session.execute(text(SNAPSHOT.format(students=students)))


def enter(
    actor: Actor, students: str, code: str, *, note: str | None = None, first: bool = False,
    effective_on: date | None = None, until: date | None = None, reason: str | None = None, goes_on: bool = False,
    document_no: str | None = None, decided: tuple[int, datetime] | None = None,
) -> None:  # fmt: skip
    """Write an entry of today (or of `effective_on`) for each student of a table; `first` when they were not on the roster
    before. Whose leave `goes_on` keeps its end and its reason. `decided`: by whom and when, if not here and now."""
    with force_locale("zh"):
        labels = {status.value: str(status.label) for status in RosterStatus}
    kept = {"until": UNTIL, "reason": REASON}
    if goes_on:
        kept = {column: LATEST.format(column=column) for column in kept}
    statement = ENTRIES.format(students=students, before=NOTHING_BEFORE if first else "before_change", **kept)
    who, when = decided or (actor.user_id, clock.now())
    values = {"code": code, "day": effective_on or clock.today(), "note": note, "document_no": document_no,
              "labels": json.dumps(labels, ensure_ascii=False), "who": who, "now": when}  # fmt: skip
    db.session.execute(text(statement), values if goes_on else values | {"until": until, "reason": reason})
