"""学生页 the page of one student: identity, study, changes, cases and history, in tabs that are links."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from flask import url_for
from flask_babel import format_date, format_datetime, format_decimal, gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import func, select

from app.access import Permission, current_actor
from app.kit import clock
from app.kit.flow import flow_of
from app.kit.screen.present import TONES, yes_no
from app.kit.sensitive import mask
from app.models import (
    Case,
    CaseState,
    College,
    FieldChange,
    Major,
    Registration,
    RegistrationState,
    RosterChange,
    RosterStatus,
    Student,
    as_of,
    db,
)
from app.models.language import in_chinese
from app.operations.roster.dated_effects import waiting_of
from app.operations.roster.discharge import in_service
from app.views.roster.changes import reason_words
from app.views.roster.student_history import HistoryWords

HISTORY_PAGE = 50
IDENTITY = [
    (_("Identity"), ["name", "former_name", "pinyin", "sex_code", "birth_date", "id_type_code", "id_number",
                     "ethnic_group_code", "political_status_code", "nationality_code", "native_place"]),
    (_("Contact"), ["phone", "email", "dormitory", "guardian_name", "guardian_phone", "postcode", "address", "note"]),
]  # fmt: skip
STUDY = [
    (_("Study"), ["student_no", "status", "away_until", "registered", "college", "major", "class_group", "grade",
                  "education_level_code", "study_form_code", "study_length", "expected_graduation", "campus"]),
    (_("Admission"), ["examinee_no", "entry_year", "entry_date", "source_province", "graduated_school",
                      "admission_score"]),
]  # fmt: skip
WIDE = frozenset({"address", "note"})


def day_of(text: str) -> date | None:
    """The day that an address names; None for what is no day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def page(
    student: Student, tab: str, number: int, labels: dict[str, Any], masked: dict[str, Permission], day: date | None
) -> dict:
    """The variables of xueji/student.html for one tab; `number` is the page of the history, from 0; `day` that of as_of."""
    tabs = [("identity", _("Identity")), ("study", _("Study")), ("changes", _("Changes")), ("cases", _("Cases"))]
    if current_actor().may(Permission.HISTORY_READ):
        tabs.append(("history", _("History")))
    keys = [key for key, _label in tabs]
    tab = tab if tab in keys else "identity"
    status = RosterStatus(student.status)
    facts = {
        "head": {
            "name": student.name,
            "number": student.student_no or student.examinee_no,
            "state": status.label,
            "tone": TONES.get(status, "muted"),
            "lines": [str(part) for part in (student.college, student.major, student.class_group) if part],
        },
        "tabs": [
            {"key": key, "label": label, "url": url_for("StudentScreen.show", pk=student.id, tab=key), "count": None}
            for key, label in tabs
        ],
        "tab": tab,
        "acts": acts(student),
    }
    filled: dict[str, Callable[[], dict[str, Any]]] = {
        "identity": lambda: {"sections": sections(student, IDENTITY, labels, masked)},
        "study": lambda: {
            "sections": sections(student, STUDY, labels, masked),
            "registrations": registrations(student),
        },
        "changes": lambda: {
            "changes": changes(student, day),
            "as_of": day,
            "waiting": waiting(student),
            "standing": standing(student, day, labels),
        },
        "cases": lambda: {"cases": cases(student)},
        "history": lambda: history(student, number, labels, masked),
    }
    return facts | filled[tab]()


def acts(student: Student) -> list[dict[str, Any]]:
    """What the reader may begin for this student."""
    actor, made = current_actor(), []
    if actor.may(Permission.CASE_OPEN):
        url = url_for("ApplyView.list", student=student.id)
        made.append({"label": _("Apply"), "url": url, "icon": "fa-file-pen", "primary": True})
    if actor.may(Permission.STUDENT_CONTACT_WRITE):
        url = url_for("StudentScreen.contact", student_id=student.id)
        made.append({"label": _("Contact data"), "url": url, "icon": "fa-address-book"})
    if actor.may(Permission.CASE_EXCEPT) and in_service(student):
        url = url_for("DischargeView.form", student_id=student.id)
        made.append({"label": _("Record the discharge"), "url": url, "icon": "fa-person-military-rifle"})
    return made


def sections(student: Student, groups: list, labels: dict[str, Any], masked: dict[str, Permission]) -> list[dict]:
    may = current_actor().may
    made = []
    for title, names in groups:
        rows = []
        for name in names:
            value = expected_graduation(student) if name == "expected_graduation" else getattr(student, name)
            row = {"label": labels[name], "value": shown(name, value), "wide": name in WIDE}
            if name in masked and value:
                row |= {"value": mask(str(value)), "masked": True}
                if may(masked[name]):
                    row["field"] = url_for("StudentScreen.reveal", pk=student.id, column=name)
            rows.append(row)
        made.append({"title": title, "rows": rows})
    return made


def expected_graduation(student: Student) -> date | None:
    """When the student should graduate; of one who has died nobody expects it."""
    return None if student.status == RosterStatus.CANCELLED else student.expected_graduation


def shown(name: str, value: Any) -> Any:
    if value is None or value == "":
        return "—"
    if name == "status":
        return RosterStatus(value).label
    if isinstance(value, bool):
        return yes_no(value)
    return format_decimal(value) if isinstance(value, Decimal) else value


def standing(student: Student, day: date | None, labels: dict[str, Any]) -> list[tuple[Any, Any]] | None:
    """What the ledger says of the student on a day; empty before her admission, None when no day is asked for."""
    if day is None:
        return None
    entry = db.session.scalar(as_of(day).where(RosterChange.student_id == student.id))
    if entry is None:
        return []
    status = RosterStatus(entry.new_status)
    where = {"college": entry.new_college, "major": entry.new_major, "class_group": entry.new_class_group,
             "grade": entry.new_grade, "study_length": entry.new_study_length}  # fmt: skip
    return [(labels["status"], status.label), (_("Since"), format_date(entry.effective_on)), *told(entry),
            *((labels[name], shown(name, value)) for name, value in where.items())]  # fmt: skip


def changes(student: Student, day: date | None) -> list[dict[str, Any]]:
    """The student's ledger, up to a day where one is asked for, the newest first, each with what it changed."""
    query = select(RosterChange).where(RosterChange.student_id == student.id)
    query = query if day is None else query.where(RosterChange.effective_on <= day)
    ordered = query.order_by(RosterChange.effective_on.desc(), RosterChange.id.desc())
    names = {
        "college": _("College"),
        "major": _("Major"),
        "class_group": _("Class"),
        "grade": _("Grade"),
        "study_length": _("Years of study"),
        "expected_graduation": _("Expected graduation"),
    }
    made = []
    for change in db.session.scalars(ordered):
        old, new = wording(change, "old"), wording(change, "new")
        lines = [
            (
                _("Roster status"),
                old.get("status", "—"),
                new.get("status", "—"),
            )
        ]
        lines += [(label, old.get(key, "—"), new[key]) for key, label in names.items() if new.get(key) != old.get(key)
                  and key in new]  # fmt: skip
        made.append({
            "on": format_date(change.effective_on), "kind": str(change.change_code or change.code),
            "tone": TONES.get(RosterStatus(change.new_status), "muted"), "lines": lines,
            "facts": told(change), "document": change.document_no, "recorded": format_date(change.recorded_at.astimezone(clock.ZONE)),
            "url": url_for("CaseScreen.show", pk=change.case_id) if change.case_id else None,
        })  # fmt: skip
    return made


def told(change: RosterChange) -> list[tuple[Any, Any]]:
    """Why the change was made and how long it lasts, where the ledger knows."""
    found = [(_("Holds no more"), change.undone), (_("Reason"), reason_words(change.why)),
             (_("Until"), change.until and format_date(change.until))]  # fmt: skip
    return [(label, word) for label, word in found if word]


def wording(change: RosterChange, side: str) -> dict[str, Any]:
    """What an entry of the ledger says was before (`old`) or is from then on (`new`): in the Chinese words of that day, or
    for an English reader in those that there are now, as far as there are any."""
    text = dict(getattr(change, f"{side}_text") or {})
    status = getattr(change, f"{side}_status")
    if status and ("status" not in text or not in_chinese()):
        text["status"] = str(RosterStatus(status).label)
    if not in_chinese():
        for name, model in (("college", College), ("major", Major)):
            place = db.session.get(model, getattr(change, f"{side}_{name}_id") or 0)
            text |= {name: str(place)} if place and name in text else {}
    return text


def registrations(student: Student) -> list[dict[str, Any]]:
    """How she stood in each term, the latest first."""
    mine = select(Registration).where(Registration.student_id == student.id)
    return [
        {
            "term": one.term, "state": RegistrationState(one.state).label,
            "tone": TONES.get(RegistrationState(one.state), "muted"),
            "due": format_date(one.due_on) if one.due_on else None,
            "recorded": format_date(one.recorded_at.astimezone(clock.ZONE)),
            "confirmed": format_date(one.confirmed_at.astimezone(clock.ZONE)) if one.confirmed_at else None,
        }
        for one in db.session.scalars(mine.order_by(Registration.year.desc(), Registration.season.desc()))
    ]  # fmt: skip


def waiting(student: Student) -> list[Any]:
    """A sentence for each decided change that waits for its day."""
    return [
        _("From %(day)s: %(title)s %(number)s. It has been decided and waits for this day.",
          day=format_date(one.effective_on), title=flow_of(one.case).title, number=one.case.number)
        for one in waiting_of(student.id)
    ]  # fmt: skip


def cases(student: Student) -> list[dict[str, Any]]:
    query = select(Case).where(Case.student_id == student.id).order_by(Case.id.desc())
    return [
        {
            "number": case.number, "title": flow_of(case).title, "state": CaseState(case.state).label,
            "tone": TONES.get(CaseState(case.state), "muted"), "opened": format_datetime(case.opened_at, "short"),
            "url": url_for("CaseScreen.show", pk=case.id),
        }
        for case in db.session.scalars(query)
    ]  # fmt: skip


def history(student: Student, number: int, labels: dict[str, Any], masked: dict[str, Permission]) -> dict[str, Any]:
    """A page of the history of every field."""
    mine = FieldChange.student_id == student.id
    total = db.session.scalar(select(func.count()).select_from(FieldChange).where(mine)) or 0
    number = min(max(number, 0), total // HISTORY_PAGE)
    query = select(FieldChange).where(mine).order_by(FieldChange.id.desc())
    rows = list(db.session.scalars(query.offset(number * HISTORY_PAGE).limit(HISTORY_PAGE)))
    words = HistoryWords(rows, masked)
    names = {"college_id": _("College"), "major_id": _("Major"), "class_group_id": _("Class")}
    return {
        "history": [
            {
                "when": format_datetime(row.changed_at, "short"), "who": row.changed_by_name or gettext("System"),
                "field": names.get(row.field) or labels.get(row.field) or labels.get(f"{row.field}_code") or row.field,
                "old": words.of(row.field, row.old), "new": words.of(row.field, row.new), "why": row.why,
            }
            for row in rows
        ],
        "page": number,
        "pages": total // HISTORY_PAGE + 1,
    }  # fmt: skip
