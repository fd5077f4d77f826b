"""复学 return: a student on leave comes back into a grade and class (flow 12)."""

from flask_babel import lazy_gettext as _

from app.access import Role
from app.kit.flow import Field, Flow, Material, Step, Window, register, when
from app.models import RosterStatus
from app.operations.roster import effects, leaves
from app.papers import change_notice

return_ = register(
    Flow(
        key="return",
        version=2,
        place=12,
        # nobody is reported in before her day
        title=_("Return from leave"),
        prefix="FX",
        applicants=frozenset({Role.STUDENT, Role.COLLEGE_CLERK}),
        allowed_from=frozenset({RosterStatus.ON_LEAVE, RosterStatus.RETAINED}),
        reasons=("illness", "enlistment", "startup", "other"),  # the leave's own, never chosen anew
        fields=(Field("return_on"), Field("statement")),
        dated="return_on",
        window=Window(("autumn_return", "spring_return")),
        materials=(
            Material("application"),
            Material("recovery", when=when("reason", "illness")),
            Material("discharge", when=when("reason", "enlistment")),
        ),
        steps=(
            Step(
                "accept", Role.COLLEGE_CLERK, days=1, records=("grade", "class_group_id"), rule=effects.no_higher_class
            ),
            Step("college", Role.COLLEGE_LEADER, days=2, seal=True, hands_differ_from=("submit", "accept")),
            Step("affairs", Role.AFFAIRS_DIRECTOR, days=2),
            Step("registry", Role.REGISTRY, days=1, originals=True, takes_effect=True, rule=effects.no_higher_class),
            Step("delivery", Role.DEPARTMENT, days=3, each_department=True),
            Step("report_in", Role.COLLEGE_CLERK, days=5, timed="return_on"),
        ),
        prepare=leaves.recall_leave,
        check=leaves.check_return,
        effect=leaves.resume,
        paper=change_notice.issue,
    )
)
