"""填写 filling in: the values of a form set on its case, and everything that is wrong with them, each at its field."""

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _

from app.kit import clock
from app.kit.flow.declare import Flow
from app.kit.flow.labels import label
from app.kit.flow.standing import why_not_dated
from app.kit.flow.words import choices
from app.kit.operation import Refused
from app.kit.readable import why_unreadable
from app.models import Case, Student, db
from app.models.language import listed

LONGEST_TEXT = 2000


def fill(flow: Flow, case: Case, values: dict[str, Any], stored: Case | None = None) -> dict[str, Any]:
    """Set the values of a form on its case; field → what is wrong with it. Raises Refused for a field that it has not.

    `stored` is the case of which `case` is a copy. What the case still lacks is no fault of a draft: handing in asks for it.
    Its reason alone is asked at once: what else is asked, and in whose lists it stands, follows from it.
    """
    offered = {item.key for item in flow.fields}
    if unknown := sorted(values.keys() - offered):
        raise Refused(_("This form has no field %(fields)s.", fields=listed(unknown)))
    faults: dict[str, Any] = {}
    for key, value in values.items():
        try:
            setattr(case, key, typed(flow, key, value, stored or case))
        except Refused as refused:
            faults[key] = refused.reason
    if case.reason is None and "reason" in offered:
        faults.setdefault("reason", _("Fill in first: %(fields)s.", fields=label("field", "reason")))
    elif case.reason is not None and case.reason not in flow.reasons:
        faults["reason"] = _("%(reason)s is no reason of this procedure.", reason=case.reason)
    return against_checks(flow, case, offered - faults.keys()) | faults


def against_checks(flow: Flow, case: Case, keys: set[str]) -> dict[str, Any]:
    """What these fields say that cannot be: facts that are still to come, days before the last change, and what the flow
    itself checks."""
    facts = [item.key for item in flow.fields if is_fact(flow, item.key) and item.key in keys]
    found = {
        key: _("%(field)s: this day is still to come.", field=label("field", key))
        for key in facts
        if (day := getattr(case, key)) and day > clock.today()
    }
    if flow.dated in keys and (why := why_not_dated(flow, case)):
        found[flow.dated] = why
    if flow.check and (student := db.session.get(Student, case.student_id)):
        asked = flow.check(case, student)
        found = {key: why for key, why in asked.items() if key in keys} | found
    return found


def is_fact(flow: Flow, key: str) -> bool:
    """Whether a column tells the day of something that has happened."""
    return flow.model.__mapper__.columns[key].info.get("day") == "fact"


def foreseen_faults(
    flow: Flow, student: Student, case: Case | None, values: dict[str, Any], late_reason: str | None = None
) -> dict[str, Any]:
    """The faults of values that are not saved: for a form of which some fields cannot be read at all. What the registry
    excepts the case from, or would with its reason, is none."""
    kept = [item.key for item in flow.fields] + ["late_reason", "submitted_at"]
    now = {key: getattr(case, key) for key in kept} if case else {"late_reason": late_reason}
    with db.session.no_autoflush:
        copy = flow.model(student_id=student.id, college_id=student.college_id, **now)
        return fill(flow, copy, values, case)


def whole_number(flow: Flow, key: str, value: Any) -> int:
    """A number within the bounds of its column. Raises Refused, with the bounds, for what is none."""
    least, most = bounds(flow, key)
    try:
        number = int(str(value))
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise Refused(_("%(field)s: “%(value)s” is no whole number from %(least)s to %(most)s. Write it in digits.",
                        field=label("field", key), value=str(value)[:40], least=least, most=most))  # fmt: skip
    return number


def bounds(flow: Flow, key: str) -> tuple[int, int]:
    """The least and the greatest number that a column of a case may hold."""
    return flow.model.__mapper__.columns[key].info.get("bounds", (0, 9999))


def typed(flow: Flow, key: str, value: Any, case: Case | None = None) -> Any:
    """A value of a form or of JSON in the type of its column. Raises Refused for one that does not fit."""
    column = flow.model.__mapper__.columns[key]
    kind = column.type.python_type
    if value is None or value == "":
        return None
    offered = choices(flow, key, case) if key != "reason" else None  # which reasons there are is said of the whole form
    if offered and str(value) not in dict(offered):
        shown = str(value)[:40]
        raise Refused(_("%(field)s: “%(value)s” is none of the choices.", field=label("field", key), value=shown))
    try:
        if kind is date and not isinstance(value, date):
            return date.fromisoformat(str(value))
        if kind is str and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)  # JSON has numbers where a form has text
        if isinstance(value, bool) or not isinstance(value, str | int | date):
            raise ValueError(value)
        if kind is int and key.endswith("_id"):
            return int(str(value))
        if kind is int:
            return whole_number(flow, key, value)
    except ValueError as error:
        shown = str(value)[:40]
        raise Refused(_("%(field)s: %(value)s cannot be read.", field=label("field", key), value=shown)) from error
    most = min(getattr(column.type, "length", None) or LONGEST_TEXT, LONGEST_TEXT)
    if kind is str and len(str(value)) > most:
        raise Refused(_("%(field)s: at most %(most)s characters.", field=label("field", key), most=most))
    if kind is str and (why := why_unreadable(str(value))):
        raise Refused(why)
    return value
