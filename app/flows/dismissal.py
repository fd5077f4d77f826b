"""退学处理 dismissal: the college declares students who meet a ground; the school decides (flow 13)."""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, select

from app.access import Role
from app.kit import clock
from app.kit.flow import Field, Flow, Material, Step, Window, add_labels, among, hook, register
from app.models import Case, RosterChange, RosterStatus, Told, db
from app.operations.roster import changes, roster_effect
from app.papers import change_notice


class DismissalCase(Told, Case):
    """退学处理申报, and how the decision reached the student."""

    __mapper_args__ = {"polymorphic_identity": "dismissal"}


@roster_effect
def dismiss(case_ids: list[int]) -> Select:
    """退学处理"""
    return changes(DismissalCase, case_ids, code="31", status=RosterStatus.WITHDRAWN)


@hook
def told_after_the_decision(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Cases that would be told on a day still to come, or before the document."""
    day = str(records.get("delivered_on") or "")
    if day > clock.today().isoformat():
        return dict.fromkeys(case_ids, _("The day on which it reached the student is still to come."))
    change = select(RosterChange.case_id, RosterChange.effective_on).where(among(RosterChange.case_id, case_ids))
    early = [case_id for case_id, effective_on in db.session.execute(change) if day < effective_on.isoformat()]
    return dict.fromkeys(early, _("The decision cannot have reached the student before it was made."))


add_labels({
    "reason.leave_expired": _("Leave expired without return"),
    "reason.unregistered": _("Not registered in time"),
    "reason.absence": _("Two weeks' absence without leave"),
    "reason.overlong": _("Longest time of study exceeded"),
    "material.declaration": _("Declaration form"),
    "material.evidence": _("Evidence"),
    "window.autumn_dismissal": _("Dismissal, autumn term"),
    "window.spring_dismissal": _("Dismissal, spring term"),
})  # fmt: skip
dismissal = register(
    Flow(
        key="dismissal",
        version=1,
        title=_("Dismissal"),
        prefix="TC",
        applicants=frozenset({Role.COLLEGE_CLERK}),
        allowed_from=frozenset({RosterStatus.ENROLLED, RosterStatus.ON_LEAVE, RosterStatus.RETAINED}),
        reasons=("leave_expired", "unregistered", "absence", "overlong", "other"),
        fields=(Field("reason"), Field("statement")),
        window=Window(("autumn_dismissal", "spring_dismissal")),
        materials=(Material("declaration"), Material("evidence")),
        steps=(
            Step("accept", Role.COLLEGE_CLERK, days=1, meeting=True),
            Step("college", Role.COLLEGE_LEADER, days=2, seal=True, hands_differ_from=("submit", "accept")),
            Step("affairs", Role.AFFAIRS_DIRECTOR, days=2),
            Step("school", Role.VICE_PRESIDENT, days=3),
            Step("listing", Role.REGISTRY, days=3, originals=True),
            Step("resolution", Role.REGISTRY, days=10, meeting=True),
            Step("publicity", Role.REGISTRY, days=10, publicity=True),
            Step("document", Role.REGISTRY, days=3, document=True, takes_effect=True),
            Step("told", Role.COLLEGE_CLERK, days=5, records=("delivered_how", "delivered_on"),
                 rule=told_after_the_decision),
            Step("leaving", Role.DEPARTMENT, days=5, each_department=True, checklist=True),
        ),
        effect=dismiss,
        paper=change_notice.issue,
    )
)  # fmt: skip
