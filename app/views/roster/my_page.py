"""我的学籍 a student's own page: where she stands, what waits for her, what she may apply for, her cases and papers."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from flask import url_for
from flask_babel import format_date
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.access import Permission, Role, current_actor
from app.kit import clock
from app.kit.flow import FLOWS, Flow, flow_of, label, window_states
from app.kit.flow.apply import FILLING, attached_kinds, missing_materials, why_not_status
from app.kit.flow.diagram import case_diagram
from app.kit.screen.present import TONES
from app.models import (
    Case,
    CaseState,
    ClockKind,
    LegalClock,
    Paper,
    PaperMark,
    Registration,
    RegistrationState,
    RosterStatus,
    StepState,
    Student,
    db,
)
from app.models.language import listed
from app.models.roster.student import ON_ROLL
from app.operations.cases.leaving import checklist
from app.operations.roster.registration import latest_registration
from app.views.accounts.notices import unread
from app.views.cases.inbox_rows import left
from app.views.cases.page import following, last_opinion, notes, vacant
from app.views.roster.student_page import STUDY, expected_graduation, sections
from app.views.roster.students import StudentScreen

RUNNING = (CaseState.DRAFT, CaseState.OPEN, CaseState.SENT_BACK)
CLOSED_SHOWN, PAPERS_SHOWN, NOTICES_SHOWN = 8, 12, 5
AFTERWARDS = timedelta(days=30)  # what has ended is still shown this long
# What a student can do about a clock that runs.
REMEDIES = {ClockKind.LEAVE: "return", ClockKind.DEFERRAL: "admission_resumption", ClockKind.APPEAL: "appeal"}
MINE = [
    (_("Identity"), ["name", "former_name", "sex_code", "birth_date", "id_type_code", "id_number", "ethnic_group_code",
                     "political_status_code"]),
    (_("Contact"), ["phone", "email", "address", "postcode", "guardian_name", "guardian_phone", "dormitory"]),
]  # fmt: skip


def page(student: Student) -> dict[str, Any]:
    """The variables of xueji/my_page.html. Whoever asks is the student: her scope reaches no other."""
    today, actor, status = clock.today(), current_actor(), RosterStatus(student.status)
    cases = list(db.session.scalars(select(Case).where(Case.student_id == student.id).order_by(Case.id.desc())))
    running = [case for case in cases if case.state in RUNNING]
    offers = offered(student, {case.flow for case in running if not case.took_effect}, today)
    may_begin = {one["key"]: one["url"] for one in offers if one["url"]}
    registration = latest_registration(student.id)
    return {
        "title": _("My roster"),
        "head": {
            "name": student.name, "number": student.student_no or student.examinee_no, "state": status.label,
            "tone": TONES.get(status, "muted"),
            "lines": [str(part) for part in (student.college, student.major, student.class_group) if part],
        },
        "standing": [
            (_("Roster status"), status.label), (_("Formally registered"), student.registered),
            (_("Registration"), registration), (_("Grade"), student.grade),
            (_("Expected graduation"), day_words(expected_graduation(student))),
        ],
        "to_confirm": to_confirm(registration) if student.status in ON_ROLL else None,
        "deadlines": deadlines(student, may_begin, today),
        "running": [shown(case) for case in running],
        "closed": [line(case) for case in cases if case.state not in RUNNING][:CLOSED_SHOWN],
        "all_cases_url": url_for("CaseScreen.list"),
        "offers": offers,
        "papers": papers(student.id),
        "papers_url": url_for("PaperScreen.list"),
        "sections": sections(student, [*STUDY, *MINE], StudentScreen.label_columns, StudentScreen.masked),
        "more_url": url_for("StudentScreen.show", pk=student.id, tab="changes"),
        "notices": unread(actor, NOTICES_SHOWN),
        "notices_url": url_for("NoticesView.list"),
    }  # fmt: skip


def offered(student: Student, has_running: Iterable[str], today: date) -> list[dict[str, Any]]:
    """What she may apply for in her present state, the open first; of the closed ones, when they open."""
    fitting = [flow for flow in FLOWS.values() if fits(flow, student) and flow.key not in has_running]
    made = []
    for key, state in window_states(fitting, today, student.college_id).items():
        flow = FLOWS[key]
        special = bool(flow.window and flow.window.unless)
        coming = state.opens_on if state.opens_on and state.opens_on > today else None
        made.append({
            "key": key, "title": flow.title, "open": state.open, "special": special and not state.open,
            "until": day_words(state.closes_on) if state.open else None,
            "opens": day_words(coming), "left": left((state.closes_on - today).days) if state.open and state.closes_on
            else None,
            "url": url_for("ApplyView.open", key=key, student_id=student.id) if state.open or special else None,
            "order": (not state.open, coming or date.max),
        })  # fmt: skip
    return sorted(made, key=lambda one: one["order"])


def fits(flow: Flow, student: Student) -> bool:
    if Role.STUDENT not in flow.applicants or why_not_status(flow, student.status, student.registered):
        return False
    return flow.concerns is None or flow.concerns(student.id)


def deadlines(student: Student, may_begin: dict[str, str], today: date) -> list[dict[str, Any]]:
    """What ends for her on a day: a leave, the time to appeal a decision that has reached her."""
    clocks = select(LegalClock).where(LegalClock.student_id == student.id, LegalClock.due_on >= today - AFTERWARDS)
    made = []
    for one in db.session.scalars(clocks.order_by(LegalClock.due_on)):
        kind, days = ClockKind(one.kind), (one.due_on - today).days
        if kind is ClockKind.APPEAL and days < 0:
            continue  # the decision is final: nothing is left to do
        remedy = REMEDIES.get(kind, "")
        made.append({
            "title": kind.label, "when": day_words(one.due_on), "left": left(days), "follows": kind.follows,
            "tone": "bad" if days < 0 else "warn" if days <= 10 else "info", "url": may_begin.get(remedy),
            "act": FLOWS[remedy].title if remedy in may_begin else None,
        })  # fmt: skip
    return made


def line(case: Case) -> dict[str, Any]:
    state = CaseState(case.state)
    told = getattr(case, "delivered_on", None)
    return {
        "number": case.number, "title": flow_of(case).title, "state": state.label, "tone": TONES.get(state, "muted"),
        "url": url_for("CaseScreen.show", pk=case.id),
        "told": _("The decision reached you on %(day)s: %(how)s", day=day_words(told),
                  how=label("delivered_how", case.delivered_how)) if told else None,
    }  # fmt: skip


def shown(case: Case) -> dict[str, Any]:
    """A case under way: its course, who acts next, and what the student has to do."""
    diagrams = {"diagram": case_diagram(case), "diagram_tall": case_diagram(case, tall=True)}
    said = {"notes": [*notes(case), *vacant(case)]}
    return line(case) | diagrams | said | {"next": following(case), "errands": errands(case)}


def errands(case: Case) -> list[tuple[Any, Any, Any]]:
    """(what, where, by when) of everything that she herself must see to."""
    flow, college = flow_of(case), str(case.college)
    if case.state in FILLING:
        missing = missing_materials(flow, case, attached_kinds([case.id]).get(case.id, set()))
        if case.state == CaseState.SENT_BACK:
            asked = [_("Put right: %(why)s", why=last_opinion(case, "send_back"))]
            asked += [_("Attach: %(materials)s", materials=listed(missing))] if missing else []
            return [(what, _("on the page of the application, then hand it in again"), None) for what in asked]
        attach = _("Attach: %(materials)s", materials=listed(missing)) if missing else _("Everything is attached")
        state = window_states([flow], clock.today(), case.college_id)[flow.key]
        by = day_words(state.closes_on) if state.open else None
        return [(attach, _("on the page of the application, then hand it in"), by)]
    made: list[tuple[Any, Any, Any]] = []
    wanted = next((step for step in case.steps if step.declared.get("originals") and step.state in
                   (StepState.WAITING, StepState.OPEN)), None)  # fmt: skip
    if wanted is not None and (materials := flow.materials_for(case)):
        names = listed(str(label("material", item.key)) for item in materials)
        place = _("%(college)s, %(role)s", college=college, role=Role.COLLEGE_CLERK.label)
        due = next((step.due_on for step in case.steps if step.state == StepState.OPEN), None)
        made.append((_("Bring the originals: %(materials)s", materials=names), place, day_words(due)))
    for step, items in checklist(case):
        open_items = [item for item, cleared in items if not cleared]
        if open_items and step.state == StepState.OPEN:
            what = _("Still to be cleared: %(items)s", items=listed(open_items))
            made.append((what, step.department, day_words(step.due_on)))
    return made


def to_confirm(registration: Registration | None) -> dict[str, Any] | None:
    """What she is asked to confirm: her roster data, once she is registered for a term."""
    if registration is None or registration.confirmed_at or registration.state != RegistrationState.REGISTERED:
        return None
    url = url_for("RegistrationScreen.confirm", registration_id=registration.id)
    return {"term": registration.term, "url": url}


def papers(student_id: int) -> list[dict[str, Any]]:
    if not current_actor().may(Permission.PAPER_PRINT):
        return []
    mine = select(Paper).where(Paper.student_id == student_id).order_by(Paper.id.desc()).limit(PAPERS_SHOWN)
    return [
        {"title": paper.title, "number": paper.number, "mark": PaperMark(paper.mark).label if paper.mark else None,
         "day": day_words(paper.issued_at.astimezone(clock.ZONE).date()),
         "url": url_for("PaperScreen.print", id=paper.id)}
        for paper in db.session.scalars(mine)
    ]  # fmt: skip


def day_words(day: date | None) -> str | None:
    return format_date(day) if day else None
