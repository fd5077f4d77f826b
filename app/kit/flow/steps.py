"""The steps of a case: copied from its flow when it is handed in, opened one position after the other."""

import json
from collections.abc import Iterable
from datetime import date

from sqlalchemy import Date, any_, cast, func, literal, select, text, update

from app.access import Actor, Role
from app.kit import clock
from app.kit.calendar import DAY, end_of_term, overrides, working_days_after
from app.kit.flow.declare import Flow
from app.kit.flow.registry import LONGEST_STEP
from app.models import Case, CaseStep, Department, StepState, among, db


def due_dates(opened_on: date | None = None) -> dict[str, str]:
    """Number of days → the day on which a step opened then (or today) is due, as JSON; `n5` are five natural days."""
    begins, own = opened_on or clock.today(), overrides()
    working = working_days_after(begins, LONGEST_STEP, own)
    found = {str(number): day.isoformat() for number, day in enumerate(working, start=1)}
    natural = {f"n{n}": end_of_term(begins + n * DAY, own).isoformat() for n in range(1, LONGEST_STEP + 1)}
    return found | natural


def copy_steps(case: Case, flow: Flow) -> None:
    """Give the case the steps of its flow as they are declared today; a later version will not disturb it."""
    receives = select(Department.id, Department.leaving_items).where(literal(flow.key) == any_(Department.receives))
    receiving = list(db.session.execute(receives.order_by(Department.id)))
    effective = False
    for position, step in enumerate(flow.steps, start=1):
        for department_id, items in receiving if step.each_department else [(None, [])]:
            declared = step.to_json() | {"after_effect": effective, "items": items if step.checklist else []}
            db.session.add(CaseStep(
                case_id=case.id, student_id=case.student_id, college_id=case.college_id,
                student_college_id=case.student_college_id, target_college_id=case.target_college_id,
                signing_college_id=case.target_college_id if step.target else case.college_id,
                position=position, key=step.key, role=step.role, days=step.days, department_id=department_id,
                declared=declared, state=StepState.WAITING,
            ))  # fmt: skip
        effective = effective or step.takes_effect
    db.session.flush()


# the day of the case by which a step is due at the latest; nothing where it has none
AT_THE_LATEST = """case when s.declared ->> 'due_by' is not null then
    (select (to_jsonb(f) ->> (s.declared ->> 'due_by'))::date from flow_case f where f.id = s.case_id) end"""
# the key of `due_dates` for a step
DAYS = "(case when (s.declared ->> 'natural_days')::boolean then 'n' else '' end || s.days)"
_OPEN_NEXT = text(f"""
    update case_step s set state = 'open', opened_at = :now, due_on = least((cast(:due as jsonb) ->> {DAYS})::date, {AT_THE_LATEST})
    where s.case_id = any(:ids) and s.state = 'waiting'
        and s.position = (select min(w.position) from case_step w where w.case_id = s.case_id and w.state = 'waiting')
        and not exists (select from case_step o where o.case_id = s.case_id and o.state = 'open')
""")  # noqa: S608 (our own text)
_REOPEN_PREVIOUS = text(f"""
    update case_step s set state = 'open', opened_at = :now, due_on = least((cast(:due as jsonb) ->> {DAYS})::date, {AT_THE_LATEST})
    where s.case_id = any(:ids) and s.state = 'done'
        and s.position = (select max(d.position) from case_step d where d.case_id = s.case_id and d.state = 'done')
""")  # noqa: S608 (our own text)
_FOLLOW_STEPS = text("""
    update flow_case c set version = c.version + 1, step_key = o.key,
        state = case when o.key is not null then 'open'
            when exists (select from case_step r where r.case_id = c.id and r.state = 'closed' and r.decided_at is not null)
            then 'refused' else 'done' end,
        closed_at = case when o.key is null then cast(:now as timestamptz) end
    from flow_case same left join lateral
        (select key from case_step s where s.case_id = same.id and s.state = 'open' order by s.id limit 1) o on true
    where same.id = c.id and c.id = any(:ids)
""")


def open_next(case_ids: list[int]) -> None:
    """Where nothing is open any more, open the next position; a case without one is done, or refused where it was."""
    _run(_OPEN_NEXT, case_ids)
    _run(_FOLLOW_STEPS, case_ids)
    count_from_their_day(case_ids)


def count_from_their_day(case_ids: list[int]) -> None:
    """The days of an open step that has a day of its own count from that, where it is still to come."""
    step, case = CaseStep.__table__.c, Case.__table__
    day = cast(func.to_jsonb(case.table_valued()).op("->>")(step.declared["timed"].as_string()), Date)
    timed = select(step.id, step.days, day.label("day")).join(case, case.c.id == step.case_id)
    timed = timed.where(among(step.case_id, case_ids), step.state == StepState.OPEN, day > clock.today())
    found: dict[tuple[date, int], list[int]] = {}
    for row in db.session.execute(timed):
        found.setdefault((row.day, row.days), []).append(row.id)
    own = overrides() if found else {}
    for (begins, days), ids in found.items():
        due = working_days_after(begins, days, own)[-1]
        db.session.execute(update(CaseStep.__table__).where(among(step.id, ids)).values(due_on=due))


def reopen_previous(case_ids: list[int]) -> None:
    """Open the last position that was signed again."""
    _run(_REOPEN_PREVIOUS, case_ids)
    _run(_FOLLOW_STEPS, case_ids)
    count_from_their_day(case_ids)


def _run(statement, case_ids: list[int]) -> None:
    named = statement.compile().params
    values = {"ids": case_ids, "now": clock.now()} | ({"due": json.dumps(due_dates())} if "due" in named else {})
    db.session.execute(statement, {name: values[name] for name in named})


def is_mine(actor: Actor, step) -> bool:
    """Whether the actor's identity is one that signs this step (a CaseStep, or a row of its table)."""
    if step.role not in actor.roles or step.assigned_to not in (None, actor.signs_as):
        return False
    if step.role == Role.DEPARTMENT:
        return step.department_id == actor.scope.department_id
    return Role(step.role).scope != "college" or step.signing_college_id == actor.scope.college_id


def was_refused(steps: Iterable[CaseStep]) -> bool:
    """Whether one of a case's steps refused it; the case goes on where its student has still to be told."""
    return any(step.state == StepState.CLOSED and step.decided_at is not None for step in steps)


def is_overdue(step: CaseStep, today: date) -> bool:
    return step.state == StepState.OPEN and step.due_on is not None and step.due_on < today
