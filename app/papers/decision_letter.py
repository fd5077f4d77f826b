"""处理决定书 decision letter: tells a student what was decided about her, on which facts and basis, and how to appeal."""

from typing import Any

from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from app.access import Actor
from app.kit import clock
from app.kit.flow import flow_of, label
from app.kit.paper.issuing import issue_papers, issues
from app.kit.paper.kinds import PaperKind, Placeholder, chinese_date
from app.models import (
    Absence,
    Case,
    CaseStep,
    DismissalCase,
    Material,
    Meeting,
    MeetingKind,
    StepState,
    Student,
    among,
    db,
    setting,
)
from app.operations.proceedings.hearing import is_silent
from app.papers import change_notice

# What article 57 of order 41 asks a decision to contain.
WORDING = """
<p>{{ student_name }}（{{ number_label }}：{{ student_no }}，{{ college }}{{ major }}专业）：</p>
<p class="indent">经查，你存在以下情形：{{ ground }}。事实及理由：{{ facts }}{{ evidence }}</p>
<p class="indent">{{ hearing }}</p>
<p class="indent">根据{{ basis }}，{{ agreed }}，对你作如下处理：<strong>{{ decision }}</strong>。{{ follows }}</p>
<p class="indent">如对本决定有异议，可自收到本决定书之日起{{ appeal_days }}日内，向{{ appeal_body }}{{ appeal_address }}提出书面申诉。</p>
<p class="right seal keep">{{ school }}（盖章）<br>{{ date }}</p>
"""

STATUTE = {  # the grounds in the words of article 30
    "leave_expired": "休学、保留学籍期满，在学校规定期限内未提出复学申请或者申请复学经复查不合格",
    "unregistered": "超过学校规定期限未注册而又未履行暂缓注册手续",
    "absence": "未经批准连续两周未参加学校规定的教学活动",
    "overlong": "在学校规定的学习年限内未完成学业",
}
TOLD = "学校已于{day}将拟作出的处理及其事实、理由和依据告知你，"
SAID, SILENT = "并听取了你的陈述和申辩：{defence}", "你在规定期限内未提出陈述和申辩。"
ANSWERS = {"taken": "予以采纳", "partly": "部分采纳", "refused": "不予采纳"}
ABSENT = "{since}起离校，至{until}学院申报时共{days}天。"
# What order 41 says of who is dismissed, in its section on dismissal.
LEAVES = ("你应当在学校规定期限内办理退学手续离校；档案由学校退回你的家庭所在地，"
          "户口按照国家相关规定迁回原户籍地或者家庭户籍所在地。")  # fmt: skip
DEEMED = {"deferral_expired": "视为放弃入学资格"}  # what a decision of this ground is called, whatever its procedure


def values(case_ids: list[int]) -> dict[int, dict[str, object]]:
    """Facts, ground, basis and decision of each case, in a fixed number of statements."""
    query = select(Case).where(among(Case.id, case_ids)).options(selectinload(Case.student))
    meetings = meetings_of(case_ids)
    school = {key: setting(key) for key in ("appeal_days", "appeal_body")} | {"school": setting("school_name")}
    address = setting("appeal_address")
    school["appeal_address"] = f"（地址：{address}）" if address else ""
    away, evidence = absences_of(case_ids), evidence_of(case_ids)
    found: dict[int, dict[str, object]] = {}
    with force_locale("zh"):
        for case in db.session.scalars(query):
            student = case.student
            found[case.id] = school | {
                "student_name": student.name, "student_no": student.student_no or student.examinee_no or "—",
                "college": student.college.name, "major": student.major.name,
                "number_label": number_label(student), "facts": f"{away.get(case.id, '')}{ended(case.statement)}",
                "evidence": evidence.get(case.id),
                "ground": getattr(case, "other_ground", None) or STATUTE.get(case.reason or "") or str(label("reason", case.reason)),
                "basis": setting(f"basis_{case.reason}"), "hearing": _hearing(case),
                "agreed": _agreed(case, meetings.get(case.id, {}).get(MeetingKind.SCHOOL)),
                "decision": title_of(case), "follows": LEAVES if isinstance(case, DismissalCase) else None,
            }  # fmt: skip
    return found


def title_of(case: Case) -> str:
    """What the decision of a case is called."""
    return DEEMED.get(case.reason or "") or str(flow_of(case).title)


def _hearing(case: Any) -> str | None:
    """How she was heard; nothing where no hearing was recorded, as in cases from before there was one."""
    if case.informed_on is None:
        return None
    told, said = TOLD.format(day=chinese_date(case.informed_on)), (case.defence or "").strip()
    if is_silent(said):
        return told + SILENT
    heard = told + SAID.format(defence=said)
    if case.defence_taken not in ANSWERS:
        return heard  # from before it was answered
    return f"{ended(heard)}对上述陈述和申辩，学校{ANSWERS[case.defence_taken]}：{ended(case.defence_answer)}"


def _agreed(case: Any, meeting: str | None) -> str:
    """Who agreed, as far as it was recorded."""
    agreed = f"经{meeting or '学校'}研究决定"
    if not case.legality_on:
        return agreed
    opinion = (case.legality_opinion or "").rstrip("。.")
    return f"经{case.legality_by}于{chinese_date(case.legality_on)}进行合法性审查（意见：{opinion}），并{agreed}"


def ended(words: str | None) -> str:
    """Words as a sentence that ends."""
    words = (words or "").strip()
    return words if words.endswith(("。", "！", "？", ".")) else f"{words}。"


def number_label(student: Student) -> str:
    """What the number is by which a paper names a student."""
    return "学号" if student.student_no else "考生号"


def absences_of(case_ids: list[int]) -> dict[int, str]:
    """Since when the student of each case about an absence had been away when it was declared, in words."""
    case = Case.__table__.c
    query = (
        select(case.id, case.submitted_at, func.max(Absence.since))
        .join(Absence, (Absence.student_id == case.student_id) & (Absence.since <= func.date(case.submitted_at)))
        .where(among(case.id, case_ids), case.reason == "absence", case.submitted_at.is_not(None))
        .group_by(case.id, case.submitted_at)
    )
    found = {}
    for case_id, submitted_at, since in db.session.execute(query):
        until = submitted_at.astimezone(clock.ZONE).date()
        found[case_id] = ABSENT.format(since=chinese_date(since), until=chinese_date(until), days=(until - since).days)
    return found


def evidence_of(case_ids: list[int]) -> dict[int, str]:
    """The scans on which the facts of each case rest, by their kinds."""
    query = select(Material.case_id, Material.kind).where(among(Material.case_id, case_ids), ~Material.removed)
    kinds: dict[int, dict[str, None]] = {}
    for case_id, kind in db.session.execute(query.order_by(Material.id)):
        kinds.setdefault(case_id, {})[str(label("material", kind))] = None
    return {case_id: f"以上事实有{'、'.join(names)}为证。" for case_id, names in kinds.items()}


def meetings_of(case_ids: list[int]) -> dict[int, dict[str, str]]:
    """The meetings that decided each case, the last one of each kind, in words: 2026年9月2日校长办公会第3次会议."""
    step = CaseStep.__table__.c
    query = (
        select(step.case_id, Meeting.held_on, Meeting.kind, Meeting.number)
        .join(Meeting, Meeting.id == step.meeting_id)
        .where(among(step.case_id, case_ids), step.state.in_((StepState.DONE, StepState.CLOSED)))
        .order_by(step.position)
    )
    found: dict[int, dict[str, str]] = {}
    with force_locale("zh"):
        for case_id, held_on, kind, number in db.session.execute(query):
            name = str(MeetingKind(kind).label).removesuffix("会议")
            met = number if name in number else f"{name}{number}"
            found.setdefault(case_id, {})[kind] = chinese_date(held_on) + (f"{met}会议" if met.endswith("次") else met)
    return found


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
        Placeholder("hearing", _("How the student was heard"), TOLD.format(day="2026年9月21日") + SILENT),
        Placeholder("agreed", _("Who agreed"), "经合法性审查，并经2026年9月28日校长办公会第12次会议研究决定"),
        Placeholder("follows", _("What follows from a dismissal"), LEAVES),
        Placeholder("decision", _("What was decided"), "退学处理"),
        Placeholder("number_label", _("What the number is"), "学号"),
        Placeholder("evidence", _("Evidence"), "以上事实有退学申报表、证明材料为证。"),
        Placeholder("appeal_address", _("Address of the body that hears appeals"), "（地址：行政楼302室）"),
        Placeholder("appeal_days", _("Days to appeal"), "10"),
        Placeholder("appeal_body", _("Body that hears appeals"), "学生申诉处理委员会"),
    ),
)  # fmt: skip


@issues(DECISION_LETTER)
def issue(actor: Actor, case_ids: list[int]) -> None:
    """What a flow that ends in a decision against the student declares as its paper: its letter beside the notice."""
    change_notice.issue(actor, case_ids)
    issue_papers(actor, DECISION_LETTER, case_ids)
