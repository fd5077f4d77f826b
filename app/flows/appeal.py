"""申诉 appeal: a student asks the school to review a decision that reached her; if she is right it is reversed."""

from flask_babel import lazy_gettext as _

from app.access import Role
from app.kit.flow import Field, Flow, Material, Step, register
from app.models import MeetingKind, RosterStatus
from app.operations.proceedings import appeals
from app.papers import review_decision

# What a decision that can be appealed has made of her: order 41, articles 59 and 60.
DECIDED = {
    RosterStatus.WITHDRAWN, RosterStatus.ADMISSION_CANCELLED, RosterStatus.WAIVED, RosterStatus.ROSTER_CANCELLED, RosterStatus.EXPELLED,
}  # fmt: skip
appeal = register(
    Flow(
        key="appeal",
        version=3,
        place=13.1,
        title=_("Appeal"),
        prefix="SS",
        applicants=frozenset({Role.STUDENT, Role.COLLEGE_CLERK}),
        allowed_from=frozenset(DECIDED),
        reasons=(),
        fields=(Field("statement"),),
        derived=("appeal_until", "review_until", "next_appeal_until"),
        window=None,
        remedy=("appeal_next_body", "appeal_next_days"),
        materials=(Material("appeal_letter"),),
        steps=(
            # the committee reviews: it upholds the decision, or advises the president's meeting to revoke it (art. 60, 61);
            # whoever had a hand in the decision signs neither
            Step("review", Role.REGISTRY, days=60, natural_days=True, due_by="review_until", records=("finding",),
                 meeting=MeetingKind.APPEALS, refusal="recorded", hands_differ_from=("about",)),
            Step("school", Role.VICE_PRESIDENT, days=5, meeting=MeetingKind.SCHOOL, refusal="recorded", due_by="review_until",
                 hands_differ_from=("about", "review")),
            Step("registry", Role.REGISTRY, days=3, originals=True, takes_effect=True, refusal="barred",
                 due_by="review_until"),
            Step("told", Role.COLLEGE_CLERK, days=5, records=("told_how", "told_on"), due_by="review_until",
                 tells_refusal=True, rule=appeals.told_after_the_review, fills=appeals.time_for_the_next),
        ),
        prepare=appeals.find_decision,
        check=appeals.check_decision,
        concerns=appeals.decision_to_appeal,
        rule=appeals.in_time,
        effect=appeals.reverse,
        paper=review_decision.issue,
        refused_paper=review_decision.issue_refused,
    )
)  # fmt: skip
