"""休学 leave: a student pauses study and keeps the place (flow 11)."""

from flask_babel import lazy_gettext as _

from app.access import Role
from app.kit.flow import Field, Flow, Material, Step, Window, Within, register, when
from app.models import RosterStatus
from app.operations.roster import leaves
from app.papers import change_notice

leave = register(
    Flow(
        key="leave",
        version=1,
        place=11,
        title=_("Leave of absence"),
        prefix="XX",
        applicants=frozenset({Role.STUDENT, Role.COLLEGE_CLERK}),
        allowed_from=frozenset({RosterStatus.ENROLLED}),
        reasons=("illness", "enlistment", "startup", "other"),
        fields=(
            Field("reason"),
            Field("leave_from"),
            # who serves is back when discharged
            Field("leave_terms", when=when("reason", "illness", "startup", "other")),
            Field("evidence_date", when=when("reason", "illness", "enlistment")),
            Field("statement"),
        ),
        dated="leave_from",
        window=Window(
            ("autumn_leave", "spring_leave"),
            unless=Within(7, of="evidence_date", when=when("reason", "illness", "enlistment")),
        ),
        materials=(
            Material("application"),
            Material("id_copies"),
            Material("diagnosis", when=when("reason", "illness")),
            Material("enlistment_notice", when=when("reason", "enlistment")),
        ),
        steps=(
            Step("accept", Role.COLLEGE_CLERK, days=1),
            Step("college", Role.COLLEGE_LEADER, days=2, seal=True, hands_differ_from=("submit", "accept")),
            Step("affairs", Role.AFFAIRS_DIRECTOR, days=2),
            Step("registry", Role.REGISTRY, days=1, originals=True, takes_effect=True),
            Step("delivery", Role.DEPARTMENT, days=3, each_department=True),
        ),
        rule=leaves.leave_within_limits,
        prepare=leaves.reckon_leave,
        check=leaves.check_leave,
        derived=("leave_until",),
        effect=leaves.suspend,
        paper=change_notice.issue,
    )
)
