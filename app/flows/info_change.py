"""学籍信息修改 change of personal data: name, ID number, birth date, sex or ethnic group, with a certificate (flow 17)."""

from flask_babel import lazy_gettext as _

from app.access import Role
from app.kit.flow import Field, Flow, Material, Step, register
from app.models import MeetingKind, RosterStatus
from app.operations.roster import personal_data
from app.papers import info_notice

info_change = register(
    Flow(
        key="info_change",
        version=1,
        place=17,
        title=_("Change of personal data"),
        prefix="XG",
        applicants=frozenset({Role.STUDENT, Role.COLLEGE_CLERK}),
        allowed_from=frozenset({RosterStatus.ENROLLED, RosterStatus.ON_LEAVE, RosterStatus.RETAINED}),
        reasons=(),
        fields=(
            *(Field(f"new_{name}", optional=True) for name in personal_data.NEW),
            Field("statement"),
        ),
        window=None,
        materials=(Material("application"), Material("police_certificate")),
        steps=(
            Step("accept", Role.COLLEGE_CLERK, days=1, meeting=MeetingKind.COLLEGE),
            Step("college", Role.COLLEGE_LEADER, days=2, seal=True, hands_differ_from=("submit", "accept")),
            Step("affairs", Role.AFFAIRS_DIRECTOR, days=2),
            Step("registry", Role.REGISTRY, days=1, originals=True, takes_effect=True, rule=personal_data.data_agree),
        ),
        rule=personal_data.data_agree,
        check=personal_data.check_data,
        effect=personal_data.change_data,
        paper=info_notice.issue,
    )
)
