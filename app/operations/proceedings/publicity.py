"""公示 publicity: lists put before the public, objections recorded and answered."""

from datetime import date

from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from sqlalchemy import Select, exists, func, insert, literal, select
from sqlalchemy import case as first_that_holds

from app.access import Actor, Permission
from app.kit import clock
from app.kit.calendar import working_days_after
from app.kit.flow import Flow, by_flow
from app.kit.operation import NotAllowed, Refused, audit, get, operation
from app.kit.sensitive import SENSITIVE
from app.models import (
    Case,
    CaseState,
    CaseStep,
    College,
    Objection,
    Publicity,
    PublicityEntry,
    StepState,
    Student,
    among,
    db,
    setting_int,
)

LONGEST_TEXT = 2000


def select_to_publish() -> Select[Case, CaseStep]:
    """Cases that wait at a step of publicity and are on no list."""
    listed = exists().where(PublicityEntry.case_id == Case.id, ~PublicityEntry.removed)
    waiting = CaseStep.declared["publicity"].as_boolean()
    return (
        select(Case, CaseStep)
        .join(CaseStep, CaseStep.case_id == Case.id)
        .where(Case.state == CaseState.OPEN, CaseStep.state == StepState.OPEN, waiting, ~listed)
        .order_by(Case.flow, Case.id)
    )


@operation(needs=Permission.PUBLICITY_WRITE)
def publish(actor: Actor, case_ids: list[int], title: str, notice: str, *, days: int | None = None) -> Publicity:
    """Put cases on one list, from today for so many working days. All of them, or none with the reason."""
    days = days or setting_int("publicity_days")
    if not title.strip() or len(title.strip()) > 80 or not notice.strip() or len(notice) > LONGEST_TEXT:
        raise Refused(_("A publicity needs a title (at most 80 characters) and a text that says where to object."))
    if days < setting_int("publicity_days"):
        raise Refused(_("A publicity lasts at least %(days)s working days.", days=setting_int("publicity_days")))
    ids = sorted(set(case_ids))
    waiting = select_to_publish().where(among(Case.id, ids)).with_for_update(of=Case)
    found = {case.id: case for case, _step in db.session.execute(waiting)}
    if not ids or len(found) < len(ids):
        raise Refused(_("Some of these cases no longer wait to be published. Reload the page and select again."))
    if len({case.flow for case in found.values()}) > 1:
        raise Refused(_("A list is about one procedure. Publish those of each procedure by themselves."))
    day = clock.today()
    publicity = Publicity(
        title=title.strip(), notice=notice.strip(), opens_on=day, closes_on=working_days_after(day, days)[-1], days=days,
        published_by=actor.user_id, published_at=clock.now(),
    )  # fmt: skip
    db.session.add(publicity)
    db.session.flush()
    _write_entries(publicity, list(found.values()))
    audit(actor, "publicity:publish", subject="publicity", subject_id=publicity.id,
          new={"title": publicity.title, "closes_on": str(publicity.closes_on), "cases": len(ids)})  # fmt: skip
    return publicity


def _write_entries(publicity: Publicity, cases: list[Case]) -> None:
    """One INSERT a flow: the name, the number masked in its middle, and what is to change, in words."""
    for flow, ids in by_flow(sorted(cases, key=lambda case: (case.flow, case.flow_version))):
        no = func.coalesce(Student.student_no, Student.examinee_no, "")
        hidden = func.overlay(no, "****", 5, func.greatest(func.length(no) - 6, 0), type_=no.type)
        columns = {
            "publicity_id": literal(publicity.id), "name": Student.name, "masked_no": func.left(hidden, 20),
            "college_name": College.name, "case_id": Case.id, "student_id": Case.student_id,
            "college_id": Case.college_id, "student_college_id": Case.student_college_id,
            "target_college_id": Case.target_college_id, "matter": func.left(matter(flow, ids), 200),
        }  # fmt: skip
        source: Select = (
            select(*(value.label(name) for name, value in columns.items()))
            .join(Student, Student.id == Case.student_id)
            .join(College, College.id == Case.college_id)
            .where(among(Case.id, ids))
            .order_by(College.code, Student.student_no)
        )
        db.session.execute(insert(PublicityEntry.__table__).from_select(list(columns), source))


def matter(flow: Flow, case_ids: list[int]):
    """What a case is about, in Chinese, as an SQL expression over Case: the flow, and what of the roster changes."""
    with force_locale("zh"):
        title = str(flow.title)
    changes = getattr(flow.effect, "changes", None)
    if changes is None:
        return literal(title)
    change = changes(case_ids).subquery()
    parts = [
        func.concat("：", change.c.old_text[name].as_string(), " → ", change.c.new_text[name].as_string())
        for name in ("major", "grade", "status")
    ]
    differs = [change.c.old_text[name].as_string() != change.c.new_text[name].as_string()
               for name in ("major", "grade", "status")]  # fmt: skip
    words = first_that_holds(*zip(differs, parts, strict=True), else_="")
    return func.concat(title, select(words).where(change.c.case_id == Case.id).scalar_subquery())


@operation(needs=Permission.PUBLICITY_WRITE)
def record_objection(
    actor: Actor, publicity_id: int, *, objector: str, text: str, contact: str = "", case_id: int | None = None,
    received_on: date | None = None,
) -> Objection:  # fmt: skip
    """Somebody objects to a list or to one case on it; its cases wait until it is answered."""
    publicity = get(Publicity, publicity_id)
    received = received_on or clock.today()
    if not publicity.opens_on <= received <= publicity.closes_on:
        raise Refused(_("Objections were received from %(first)s to %(last)s.",
                        first=publicity.opens_on, last=publicity.closes_on))  # fmt: skip
    if received > clock.today():
        raise Refused(_("An objection cannot have come in on a day still to come."))
    if not objector.strip() or not text.strip() or len(text) > LONGEST_TEXT or len(objector) > 80:
        raise Refused(_("Say who objects and why."))
    on_list = exists().where(PublicityEntry.publicity_id == publicity_id, PublicityEntry.case_id == case_id)
    if case_id is not None and not db.session.scalar(on_list.select()):
        raise Refused(_("This case is not on the list."))
    objection = Objection(
        publicity_id=publicity_id, case_id=case_id, objector=objector.strip(), contact=contact.strip()[:80] or None,
        text=text.strip(), received_on=received, recorded_by=actor.user_id,
    )  # fmt: skip
    db.session.add(objection)
    db.session.flush()
    audit(actor, "publicity:object", subject="objection", subject_id=objection.id, new={"case_id": case_id})
    return objection


@operation(needs=SENSITIVE["contact"])
def reveal_contact(actor: Actor, objection_id: int) -> str | None:
    """How to reach who objects; each time it is shown is in the audit."""
    objection = get(Objection, objection_id)
    audit(actor, "objection.reveal", subject="objection", subject_id=objection.id, detail={"column": "contact"})
    return objection.contact


@operation(needs=Permission.PUBLICITY_WRITE)
def answer_objection(actor: Actor, objection_id: int, answer: str) -> Objection:
    """Close an objection with its answer. Whether the case goes on is then decided at its step."""
    objection = get(Objection, objection_id, lock=True)
    if objection.answer is not None:
        raise Refused(_("This objection was answered already."))
    if not answer.strip() or len(answer) > LONGEST_TEXT:
        raise Refused(_("Write the answer (at most %(most)s characters).", most=LONGEST_TEXT))
    objection.answer, objection.answered_by, objection.answered_at = answer.strip(), actor.user_id, clock.now()
    audit(actor, "publicity:answer", subject="objection", subject_id=objection.id, new={"answer": objection.answer})
    return objection


@operation(needs=Permission.PUBLICITY_WRITE)
def take_off(actor: Actor, entry_id: int, reason: str) -> PublicityEntry:
    """Take one case off a list, e.g. one listed by mistake; it waits to be published anew."""
    entry = get(PublicityEntry, entry_id, lock=True)
    if not reason.strip():
        raise Refused(_("Give a reason."))
    if entry.removed:
        raise NotAllowed(_("It was taken off already."))
    if (ended := get(Publicity, entry.publicity_id).closes_on) < clock.today():
        raise NotAllowed(_("The publicity ended on %(day)s: what stood on it to the end stays. Send the case back or refuse it"
                           " at its step.", day=ended))  # fmt: skip
    entry.removed, entry.removed_why = True, reason.strip()[:300]
    audit(actor, "publicity:take_off", subject="publicity_entry", subject_id=entry.id, college_id=entry.college_id,
          detail={"reason": reason.strip()[:300]})  # fmt: skip
    return entry


def select_public_entries(publicity_id: int) -> Select:
    """What anybody may read of a list: four columns and no more."""
    entry = PublicityEntry
    return (
        select(entry.college_name, entry.name, entry.masked_no, entry.matter)
        .where(entry.publicity_id == publicity_id, ~entry.removed)
        .order_by(entry.id)
    )


def lists_before_the_public(today: date) -> list[tuple[Publicity, list]]:
    """The lists that run today with what anybody may read of them; the policy asks for the day as well."""
    db.session.execute(select(func.set_config("app.public_day", today.isoformat(), True)))
    running = (Publicity.opens_on <= today) & (Publicity.closes_on >= today)
    lists = db.session.scalars(select(Publicity).where(running).order_by(Publicity.closes_on, Publicity.id))
    return [(one, list(db.session.execute(select_public_entries(one.id)))) for one in lists]
