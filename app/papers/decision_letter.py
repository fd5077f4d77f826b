"""处理决定书 decision letter: tells a student what was decided about her, on which facts and basis, and how to appeal."""

from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.access import Actor
from app.kit.flow import flow_of, hook, label
from app.kit.issuing import among, issue_papers
from app.kit.paper import PaperKind, Placeholder, chinese_date
from app.models import Case, CaseStep, StepState, db, setting
from app.papers import change_notice

# What article 57 of order 41 asks a decision to contain.
WORDING = """
<p>{{ student_name }}（学号：{{ student_no }}，{{ college }}{{ major }}专业）：</p>
<p class="indent">经查，你存在以下情形：{{ ground }}。事实及理由：{{ facts }}</p>
<p class="indent">学校已于{{ informed_on }}将拟作出的处理及其事实、理由和依据告知你，并听取了你的陈述和申辩：{{ defence }}</p>
<p class="indent">根据{{ basis }}，经合法性审查，并经{{ meeting }}研究决定，对你作如下处理：<strong>{{ decision }}</strong>。</p>
<p class="indent">如对本决定有异议，可自收到本决定书之日起{{ appeal_days }}日内，向{{ appeal_body }}提出书面申诉。</p>
<p class="right seal keep">{{ school }}<br>{{ date }}</p>
"""

DEEMED = {"deferral_expired": "视为放弃入学资格"}  # what a decision of this ground is called, whatever its procedure


def values(case_ids: list[int]) -> dict[int, dict[str, object]]:
    """Facts, ground, basis and decision of each case, in a fixed number of statements."""
    query = select(Case).where(among(Case.id, case_ids)).options(selectinload(Case.student))
    meetings = _meetings(case_ids)
    school = {key: setting(key) for key in ("appeal_days", "appeal_body")} | {"school": setting("school_name")}
    found: dict[int, dict[str, object]] = {}
    with force_locale("zh"):
        for case in db.session.scalars(query):
            student = case.student
            found[case.id] = school | {
                "student_name": student.name, "student_no": student.student_no or student.examinee_no,
                "college": student.college.name, "major": student.major.name, "facts": case.statement,
                "ground": str(label("reason", case.reason)), "basis": setting(f"basis_{case.reason}"),
                "informed_on": chinese_date(case.informed_on), "defence": case.defence or "无",
                "meeting": meetings.get(case.id), "decision": DEEMED.get(case.reason or "") or str(flow_of(case).title),
            }  # fmt: skip
    return found


def _meetings(case_ids: list[int]) -> dict[int, str]:
    """The last meeting that agreed to each case, in words."""
    step = CaseStep.__table__.c
    query = select(step.case_id, step.records["meeting"].as_string()).where(
        among(step.case_id, case_ids), step.meeting_id.is_not(None), step.state == StepState.DONE
    )
    return dict(db.session.execute(query.order_by(step.position)).all())


DECISION_LETTER = PaperKind(
    key="decision_letter",
    title="学籍处理决定书",
    label=_("Decision letter"),
    prefix="JD",
    wording=WORDING,
    values=values,
    placeholders=(
        Placeholder("school", _("Name of the school"), "渝江大学"),
        Placeholder("college", _("College"), "计算机学院"),
        Placeholder("student_name", _("Name"), "张三"),
        Placeholder("student_no", _("Student number"), "20240101001"),
        Placeholder("major", _("Major"), "软件工程"),
        Placeholder("ground", _("Ground"), "未请假离校连续两周"),
        Placeholder("facts", _("Facts"), "2026年9月1日至9月20日未参加教学活动，多次联系未果。"),
        Placeholder("basis", _("Basis"), "《普通高等学校学生管理规定》第三十条第（四）项"),
        Placeholder("informed_on", _("When the student was told of the intended decision"), "2026年9月21日"),
        Placeholder("defence", _("What the student stated in her defence"), "无"),
        Placeholder("meeting", _("Meeting"), "校长办公会第12次会议"),
        Placeholder("decision", _("What was decided"), "退学处理"),
        Placeholder("appeal_days", _("Days to appeal"), "10"),
        Placeholder("appeal_body", _("Body that hears appeals"), "学生申诉处理委员会"),
    ),
)  # fmt: skip


@hook
def issue(actor: Actor, case_ids: list[int]) -> None:
    """What a flow that ends in a decision against the student declares as its paper: its letter beside the notice."""
    change_notice.issue(actor, case_ids)
    issue_papers(actor, DECISION_LETTER, case_ids)
