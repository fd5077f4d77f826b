"""期限重算 due days follow the calendar of working days: what is known of it later moves what is not over yet."""

import json
from collections.abc import Iterator
from datetime import date

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select, text

from app.access import Actor, Permission, Role
from app.kit.calendar import end_of_term, exchanges_known, overrides, working_days_after
from app.kit.flow.steps import AT_THE_LATEST, DAYS, due_dates
from app.kit.jobs.due import Due, Staff, due_source
from app.kit.operation import audit, audit_many, operation
from app.models import AcademicYear, AppealCase, Case, CaseState, CaseStep, Publicity, StepState, db
from app.operations.calendar.schedule import year_name
from app.operations.proceedings.appeals import last_day_to_appeal
from app.operations.roster.leave_terms import follow_calendar

OPENED = "cast(timezone('Asia/Shanghai', s.opened_at) as date)"
DUE = f"least((cast(:due as jsonb) -> {OPENED}::text ->> {DAYS})::date, {AT_THE_LATEST})"
STEPS = text(f"""
    update case_step s set due_on = {DUE} where s.state = 'open' and s.due_on <> {DUE}
        and s.declared ->> 'timed' is null
""")  # noqa: S608 (our own text)
APPEALS = text("""
    update flow_case f set appeal_until = (cast(:days as jsonb) ->> f.delivered_on::text)::date
    where f.delivered_on is not null and f.appeal_until >= :today
        and f.appeal_until < (cast(:days as jsonb) ->> f.delivered_on::text)::date
    returning f.id, f.college_id, f.appeal_until
""")


@operation(needs=Permission.CALENDAR_WRITE)
def recompute(actor: Actor, today: date) -> int:
    """Date the open steps anew, and lengthen lists before the public and times to appeal where days off have come to be
    known: what was told to people is never shortened. Returns how many moved."""
    moved = lengthen_reviews(actor, today)  # steps are due by the last day of their review
    opened = func.timezone("Asia/Shanghai", CaseStep.opened_at).cast(Publicity.opens_on.type)
    days = db.session.scalars(select(opened).where(CaseStep.state == StepState.OPEN, opened.is_not(None)).distinct())
    due = {day.isoformat(): due_dates(day) for day in days}
    moved += db.session.execute(STEPS, {"due": json.dumps(due)}).rowcount if due else 0
    told = select(Case.__table__.c.delivered_on).where(Case.__table__.c.appeal_until >= today).distinct()
    ends = {day.isoformat(): last_day_to_appeal(day).isoformat() for day in db.session.scalars(told) if day}
    if ends:
        longer = db.session.execute(APPEALS, {"days": json.dumps(ends), "today": today}).all()
        moved += len(longer)
        audit_many(actor, "case:lengthen", [
            {"subject": "flow_case", "subject_id": row.id, "college_id": row.college_id, "old": None,
             "new": {"appeal_until": str(row.appeal_until)}, "detail": None} for row in longer
        ])  # fmt: skip
    own = overrides()
    running = select(Publicity).where(Publicity.closes_on >= today, Publicity.days.is_not(None))
    for one in db.session.scalars(running):
        closes_on = working_days_after(one.opens_on, one.days or 1, own)[-1]
        if closes_on > one.closes_on:
            one.closes_on, moved = closes_on, moved + 1
    if moved:
        audit(actor, "calendar:recompute", detail={"moved": moved})
    return moved


def lengthen_reviews(actor: Actor, today: date) -> int:
    """Move the last day of reviews under way that has turned out to be a day off. Returns how many moved."""
    running = select(AppealCase).where(AppealCase.state == CaseState.OPEN, AppealCase.review_until >= today)
    own, moved = overrides(), 0
    for case in db.session.scalars(running.order_by(AppealCase.id)):
        assert case.review_until is not None  # the query says so
        until = end_of_term(case.review_until, own)
        if until > case.review_until:
            audit(actor, "case:lengthen", subject="flow_case", subject_id=case.id, college_id=case.college_id,
                  old={"review_until": str(case.review_until)}, new={"review_until": str(until)})  # fmt: skip
            case.review_until, moved = until, moved + 1
    db.session.flush()
    return moved


@due_source("due_days")
def due_days(actor: Actor, today: date) -> Iterator[Due]:
    """Once a day or more: dates that follow, and a word to the registry when a year's exchanged days become known."""
    recompute(actor, today)
    yield from follow_calendar(actor, today)
    own, registry = overrides(), Staff().holding(Role.REGISTRY)
    for year in db.session.scalars(select(AcademicYear.year).where(AcademicYear.year >= today.year - 1)):
        for one in (year, year + 1):
            if one <= today.year or not exchanges_known(one, own):
                continue
            yield Due(
                key=f"exchanged:{one}", users=registry,
                title=_("The exchanged days of %(year)s are known", year=one),
                text=_("Due dates follow by themselves. Look at what the tasks of %(year)s would do under “Years and"
                       " terms”.", year=year_name(year)),
                path=f"/years/{year}",
            )  # fmt: skip
