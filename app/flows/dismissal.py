"""退学处理 dismissal: the college declares students who meet a ground; the school decides (flow 13)."""

from flask_babel import lazy_gettext as _
from sqlalchemy import Select

from app.access import Role
from app.kit.flow import Field, Flow, Material, Step, Window, register, when
from app.models import DismissalCase, MeetingKind, RosterStatus
from app.operations.proceedings.appeals import time_to_appeal, told_after_the_decision
from app.operations.proceedings.dismissals import ground_holds, no_return_runs
from app.operations.proceedings.hearing import defence_answered, heard_before_decided, legality_examined
from app.operations.roster.effects import changes, roster_effect
from app.papers import decision_letter


@roster_effect
def dismiss(case_ids: list[int]) -> Select:
    """退学处理"""
    return changes(DismissalCase, case_ids, code="31", status=RosterStatus.WITHDRAWN)


dismissal = register(
    Flow(
        key="dismissal",
        version=3,
        place=13,
        title=_("Dismissal"),
        prefix="TC",
        applicants=frozenset({Role.COLLEGE_CLERK}),
        allowed_from=frozenset({RosterStatus.ENROLLED, RosterStatus.ON_LEAVE, RosterStatus.RETAINED}),
        reasons=("leave_expired", "unregistered", "absence", "overlong", "other"),
        fields=(Field("reason"), Field("other_ground", when=when("reason", "other")), Field("statement")),
        window=Window(("autumn_dismissal", "spring_dismissal")),
        materials=(Material("declaration"), Material("evidence")),
        steps=(
            Step("hearing", Role.COLLEGE_CLERK, days=5, records=("informed_how", "informed_on", "defence"),
                 rule=heard_before_decided),
            Step("accept", Role.COLLEGE_CLERK, days=1, meeting=MeetingKind.COLLEGE),
            Step("college", Role.COLLEGE_LEADER, days=2, seal=True, hands_differ_from=("submit", "hearing", "accept")),
            Step("affairs", Role.AFFAIRS_DIRECTOR, days=2),
            Step("school", Role.VICE_PRESIDENT, days=3),
            Step("listing", Role.REGISTRY, days=3, originals=True),
            Step("legality", Role.REGISTRY, days=5, records=("legality_by", "legality_on", "legality_result", "legality_opinion"),
                 rule=legality_examined, hands_differ_from=("listing",)),
            Step("resolution", Role.REGISTRY, days=10, meeting=MeetingKind.SCHOOL,
                 records=("defence_taken", "defence_answer"), rule=defence_answered),
            Step("publicity", Role.REGISTRY, days=10, publicity=True),
            Step("document", Role.REGISTRY, days=3, document=True, takes_effect=True),
            Step("told", Role.COLLEGE_CLERK, days=5, records=("delivered_how", "delivered_on"),
                 rule=told_after_the_decision, fills=time_to_appeal),
            Step("leaving", Role.DEPARTMENT, days=5, each_department=True, checklist=True),
        ),
        check=no_return_runs,
        grounds=ground_holds,
        effect=dismiss,
        paper=decision_letter.issue,
    )
)  # fmt: skip
