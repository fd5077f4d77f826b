"""告知与审查 before a decision against a student: she is told its grounds and heard, and its legality is examined."""

from datetime import date, timedelta
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Date, cast, func, select

from app.kit import clock
from app.kit.flow import hook
from app.models import Case, among, db, setting_int

NOTHING = frozenset({"", "无", "没有", "未陈述", "none"})  # what is noted of who made no use of her right


def is_silent(defence: str | None) -> bool:
    """Whether what was noted of a student's defence says that she stated none."""
    return (defence or "").strip().rstrip("。.").lower() in NOTHING


def _day(records: dict[str, Any], name: str) -> date | None:
    try:
        return date.fromisoformat(str(records.get(name) or ""))
    except ValueError:
        return None


@hook
def heard_before_decided(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Cases whose student was not told yet, or has some of the days left that the settings give her for her defence."""
    informed_on = _day(records, "informed_on")
    if informed_on is None:
        return dict.fromkeys(case_ids, _("Say when the student was told of the intended decision."))
    if informed_on > clock.today():
        return dict.fromkeys(case_ids, _("The day on which the student was told is still to come."))
    handed_in = cast(func.timezone(clock.ZONE.key, Case.submitted_at), Date)
    later = select(Case.id, handed_in).where(among(Case.id, case_ids), handed_in > informed_on)
    if early := dict(db.session.execute(later).all()):
        return {case_id: _("The student is told of what the college has declared: on %(day)s or later.", day=day)
                for case_id, day in early.items()}  # fmt: skip
    until = informed_on + timedelta(days=setting_int("defence_days"))
    if until > clock.today():
        return dict.fromkeys(case_ids, _("The student may state her defence until %(day)s.", day=until))
    return {}


@hook
def legality_examined(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Cases whose legality review is dated on a day still to come, or on none."""
    examined_on = _day(records, "legality_on")
    if examined_on is None:
        return dict.fromkeys(case_ids, _("Say when the legality was examined."))
    if examined_on > clock.today():
        return dict.fromkeys(
            case_ids, _("The legality review is dated %(day)s, which is still to come.", day=examined_on)
        )
    if records.get("legality_result") == "unlawful":
        return dict.fromkeys(
            case_ids, _("What was found unlawful goes no further: send it back, with the opinion as the reason.")
        )
    case = Case.__table__.c  # of any flow whose case is Heard
    later = select(case.id, case.informed_on).where(among(case.id, case_ids), case.informed_on > examined_on)
    return {
        case_id: _("The legality is examined after the student was told, which was on %(day)s.", day=day)
        for case_id, day in db.session.execute(later)
    }


@hook
def defence_answered(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Cases whose student stated something that those who decide have not answered."""
    if records.get("defence_taken") != "none":
        return {}
    case = Case.__table__.c
    said = db.session.execute(select(case.id, case.defence).where(among(case.id, case_ids)))
    unanswered = [case_id for case_id, defence in said if not is_silent(defence)]
    return dict.fromkeys(unanswered, _("The student stated a defence: say whether it was accepted, and why."))
