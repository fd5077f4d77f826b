"""录取 admission: the rows of a checked admissions file become students, all or none."""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import text

from app.access import Actor, Permission
from app.kit import clock
from app.kit.operation import Refused, audit, operation, say_why
from app.models import db
from app.operations.roster import ledger
from app.operations.roster.spelling import spelling

STUDY = ("college_id", "major_id", "study_length")  # what moves through the ledger

INSERT = """
insert into student ({columns}, pinyin, initials, entry_year, grade, entry_date, expected_graduation, status)
select {values}, p.pinyin, p.initials, :year, :year, make_date(:year, 9, 1),
    make_date(:year + cast(ceil(v.study_length) as int), 6, 30), 'admitted'
from {table} v join unnest(cast(:names as text[]), cast(:pinyin as text[]), cast(:initials as text[]))
    as p(name, pinyin, initials) on p.name = v.name
where v.change = 'new' order by v.row_no
"""
UPDATE = """
update student s set ({columns}, pinyin, initials, expected_graduation, version, updated_at) = (select {values},
    p.pinyin, p.initials, make_date(:year + cast(ceil(v.study_length) as int), 6, 30), s.version + 1, :now)
from {table} v join unnest(cast(:names as text[]), cast(:pinyin as text[]), cast(:initials as text[]))
    as p(name, pinyin, initials) on p.name = v.name
where v.change = 'changed' and s.examinee_no = v.examinee_no and s.status = 'admitted'
"""
# The students of one kind of change, and of these only those whose study columns the file changes.
TOUCHED = """
create temp table {into} on commit drop as
select s.id as student_id from {table} v join student s using (examinee_no) where v.change = '{change}'{more}
"""


@operation(needs=Permission.ADMISSION_IMPORT)
def admit(actor: Actor, table: str, columns: dict[str, str], entry_year: int) -> None:
    """Write the rows of a typed import table. `columns` maps its columns to those of students. Raises Refused.

    New ones get status admitted and the ledger's A1; those known already are brought to what the file says.
    """
    run(f"drop table if exists {', '.join(('admitted_new', 'admitted_moved'))}")
    parameters = {"year": entry_year} | spellings(table)
    shape = {
        "table": table,
        "columns": ", ".join(columns.values()),
        "values": ", ".join(f"v.{name}" for name in columns),
    }
    new = run(INSERT.format(**shape), **parameters).rowcount
    touch(table, "admitted_new", "new")
    ledger.enter(actor, "admitted_new", "A1", first=True)
    differs = " or ".join(
        f"s.{theirs} is distinct from v.{ours}" for ours, theirs in columns.items() if theirs in STUDY
    )
    touch(table, "admitted_moved", "changed", f" and ({differs})")
    ledger.remember("admitted_moved")
    say_why(f"{entry_year}年录取名单")
    changed = run(UPDATE.format(**shape), now=clock.now(), **parameters).rowcount
    expected = run(f"select count(*) from {table} where change = 'changed'").scalar_one()  # noqa: S608 (our own table)
    if changed != expected:
        raise Refused(_("Some of these students were registered meanwhile. Check the workbook again."))
    ledger.enter(actor, "admitted_moved", "I1", note="录取名单更正")
    audit(actor, "admission:import", detail={"entry_year": entry_year, "new": new, "changed": changed})
    db.session.expire_all()


def touch(table: str, into: str, change: str, more: str = "") -> None:
    run(TOUCHED.format(table=table, into=into, change=change, more=more))


def spellings(table: str) -> dict[str, list[str]]:
    """Names that will be written, with their pinyin and initials, as three lists."""
    names = list(run(f"select distinct name from {table} where change <> 'unchanged'").scalars())  # noqa: S608 (our own table)
    spelled = [spelling(name) for name in names]
    return {"names": names} | {column: [one[column] for one in spelled] for column in ("pinyin", "initials")}


def run(statement: str, **values: Any):
    return db.session.execute(text(statement), values)
