"""取消入学资格 cancellation of admission: no place for who proves ineligible (16) or does not come back in time (W1)."""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, case, select

from app.access import Role
from app.kit import clock
from app.kit.flow import Field, Flow, Material, Step, add_labels, hook, register, when
from app.models import AdmissionCancellationCase, Case, ClockKind, LegalClock, MeetingKind, RosterStatus, among, db
from app.operations.proceedings.appeals import time_to_appeal, told_after_the_decision
from app.operations.proceedings.hearing import defence_answered, heard_before_decided, legality_examined
from app.operations.roster.effects import changes, roster_effect
from app.papers import decision_letter


@roster_effect
def cancel_admission(case_ids: list[int]) -> Select:
    """取消入学资格"""
    over = AdmissionCancellationCase.reason == "deferral_expired"  # article 10: given up; 9 to 11: cancelled
    into = {"code": case((over, "W1"), else_="16"), "status": case((over, "waived"), else_="admission_cancelled")}
    return changes(AdmissionCancellationCase, case_ids, code=into["code"], status=into["status"], reason="99")


@hook
def place_no_longer_kept(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Cases that say the time of a deferral is over while it is not, or while there is none."""
    over = select(LegalClock.student_id).where(LegalClock.kind == ClockKind.DEFERRAL, LegalClock.due_on < clock.today())
    named = select(Case.id).where(among(Case.id, case_ids), Case.reason == "deferral_expired")
    early = db.session.scalars(named.where(Case.student_id.not_in(over)))
    return dict.fromkeys(early, _("The place of this student is still kept, or was never deferred."))


add_labels({
    "reason.deferral_expired": _("Deferral ended without return"), "reason.ineligible": _("Ineligible on review"),
    "material.cancellation_form": _("Signed form for the cancellation of admission"),
})  # fmt: skip
admission_cancellation = register(
    Flow(
        key="admission_cancellation", version=3, place=3.2, title=_("Cancellation of admission"), prefix="QX",
        applicants=frozenset({Role.COLLEGE_CLERK}), before_registration=True,
        allowed_from=frozenset({RosterStatus.ADMITTED, RosterStatus.DEFERRED, RosterStatus.ENROLLED}),
        reasons=("ineligible", "deferral_expired", "other"), window=None,
        fields=(Field("reason"), Field("other_ground", when=when("reason", "other")), Field("statement")),
        materials=(Material("cancellation_form"), Material("evidence")),
        steps=(
            Step("hearing", Role.COLLEGE_CLERK, days=5, records=("informed_how", "informed_on", "defence"), rule=heard_before_decided),
            Step("accept", Role.COLLEGE_CLERK, days=1, meeting=MeetingKind.COLLEGE),
            Step("college", Role.COLLEGE_LEADER, days=2, seal=True, hands_differ_from=("submit", "hearing", "accept")),
            Step("admissions", Role.ADMISSIONS, days=2), Step("affairs", Role.AFFAIRS_DIRECTOR, days=2),
            Step("legality", Role.REGISTRY, days=5, records=("legality_by", "legality_on", "legality_result", "legality_opinion"), rule=legality_examined),
            Step("resolution", Role.REGISTRY, days=10, meeting=MeetingKind.SCHOOL, records=("defence_taken", "defence_answer"), rule=defence_answered),
            Step("document", Role.REGISTRY, days=3, document=True, takes_effect=True),
            Step("told", Role.COLLEGE_CLERK, days=5, records=("delivered_how", "delivered_on"), rule=told_after_the_decision, fills=time_to_appeal),
            Step("leaving", Role.DEPARTMENT, days=5, each_department=True, checklist=True),
        ),
        grounds=place_no_longer_kept, effect=cancel_admission, paper=decision_letter.issue,
    )
)  # fmt: skip
