"""学籍异动通知单 change notice: tells the student's college what changes on the roster, from when, and why."""

from itertools import takewhile
from typing import Any

from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from sqlalchemy import Subquery, and_, func, select
from sqlalchemy.orm import aliased

from app.access import Actor, Role
from app.kit import clock
from app.kit.flow import Flow, Step, by_flow, label
from app.kit.paper.issuing import issue_papers, issues
from app.kit.paper.kinds import PaperKind, Placeholder, chinese_date
from app.models import Case, Code, RosterStatus, Student, among, db, setting
from app.models.roster.student import FRESHMAN, ON_ROLL

WORDING = """
<p>{{ college }}：</p>
<p class="indent">你院学生{{ student_name }}（学号：{{ student_no }}，{{ major }}专业）{{ basis }}，\
现予办理<strong>{{ change }}</strong>，有关学籍异动事项通知如下：</p>
<table>
<tbody>
<tr><th>姓名</th><td>{{ student_name }}</td><th>学号</th><td>{{ student_no }}</td></tr>
<tr><th>性别</th><td>{{ sex }}</td><th>专业</th><td>{{ major }}</td></tr>
<tr><th>异动类别</th><td>{{ change }}</td><th>异动原因</th><td>{{ reason }}</td></tr>
<tr><th>异动前学籍状态</th><td>{{ old_status }}</td><th>异动后学籍状态</th><td>{{ new_status }}</td></tr>
<tr><th>异动前专业学制</th><td>{{ old_major }}<br>{{ old_length }}</td>\
<th>异动后专业学制</th><td>{{ new_major }}<br>{{ new_length }}</td></tr>
<tr><th>异动前年级班级</th><td>{{ old_grade }}<br>{{ old_class }}</td>\
<th>异动后年级班级</th><td>{{ new_grade }}<br>{{ new_class }}</td></tr>
<tr><th>审批日期</th><td>{{ approved_on }}</td><th>生效日期</th><td>{{ effective_on }}</td></tr>
<tr><th>审批文号</th><td>{{ document_no }}</td><th>登记日期</th><td>{{ recorded_on }}</td></tr>
<tr><th>期限至</th><td>{{ until }}</td><th>办件编号</th><td>{{ case_number }}</td></tr>
</tbody>
</table>
<p class="indent">{{ reminder }}</p>
<p class="indent">请你院及时将本通知送达{{ recipient }}，并据此办理相关手续。</p>
<p class="right seal keep">{{ school }}教务处（盖章）<br>{{ date }}</p>
"""

ESTIMATED = "（预计，以校历为准）"
REMINDER = "本次异动期限至{until}止。期满前，学生须按学校规定的时间提出{request}申请；逾期未提出申请的，按学校学籍管理规定处理。"
OTHER = "99"
SERVING = "退役后规定期限届满"  # who serves in the army is kept her place; the end is known when she is discharged
SERVICE, SERVICE_CODES = (RosterStatus.RETAINED, RosterStatus.DEFERRED), ("19", "14")
HERSELF, FAMILY = "学生本人", "其亲属"  # to whom the college hands the notice
RESUMED = {RosterStatus.DEFERRED: "恢复入学资格"}  # what is asked for at the end, where it is no return
APPROVALS = {  # what each signature before the change is called
    Role.COLLEGE_LEADER: "学院审核", Role.ADMISSIONS: "招生就业工作处审核", Role.AFFAIRS_DIRECTOR: "教务处审批",
    Role.VICE_PRESIDENT: "学校批准", Role.TRANSFER_PANEL: "转专业工作小组审定",
}  # fmt: skip


def _approval(step: Step, between: bool) -> str | None:
    if between and step.publicity:
        return "公示"
    if between and step.role == Role.COLLEGE_LEADER:
        return "转入学院审核" if step.target else "转出学院审核"
    return APPROVALS.get(step.role)


def basis(flow: Flow) -> str:
    """On what a change rests, as its flow was decided: who asked for it and who agreed."""
    before = takewhile(lambda step: not step.takes_effect, flow.steps)
    between = any(step.target for step in flow.steps)  # from one college to another: each is called by its part
    names = [_approval(step, between) for step in before]
    signed = [name for name in names if name]
    asked = "提出的申请" if Role.STUDENT in flow.applicants else "由学院申报"
    return f"{asked}，经{'、'.join(signed)}"


def values(case_ids: list[int]) -> dict[int, dict[str, object]]:
    """What the effect of each case's flow will write, or wrote, into the ledger, in words; one statement a flow."""
    cases = db.session.execute(select(Case.id, Case.flow, Case.flow_version).where(among(Case.id, case_ids)))
    school = setting("school_name")
    found: dict[int, dict[str, object]] = {}
    for flow, ids in by_flow(cases):
        found |= _of_changes(flow.effect.changes(ids).subquery(), school, basis(flow))  # type: ignore[union-attr]
    return found


def _of_changes(changes: Subquery, school: str, basis: str) -> dict[int, dict[str, object]]:
    change, reason, sex = aliased(Code), aliased(Code), aliased(Code)
    query = (
        select(
            changes,
            Student.name,
            Student.student_no,
            Student.examinee_no,
            Case.number,
            Case.reason.label("ground"),
            Case.__table__.c.until_estimated,
            sex.name_zh.label("sex"),
            func.coalesce(changes.c.note, change.name_zh, changes.c.code).label("change"),
            reason.name_zh.label("reason_text"),
        )
        .join(Student, Student.id == changes.c.student_id)
        .join(Case, Case.id == changes.c.case_id)
        .outerjoin(change, and_(change.set_key == "roster_change", change.code == changes.c.code))
        .outerjoin(reason, and_(reason.set_key == "change_reason", reason.code == changes.c.reason))
        .outerjoin(sex, and_(sex.set_key == "sex", sex.code == Student.sex))
    )
    with force_locale("zh"):
        return {row.case_id: _words(row, school) | {"basis": basis} for row in db.session.execute(query)}


def _words(row, school: str) -> dict[str, object]:
    old, new, until = row.old_text, row.new_text, chinese_date(row.until)
    if until and row.until_estimated:
        until += ESTIMATED
    return {
        "school": school,
        "college": new["college"],
        "student_name": row.name,
        "student_no": row.student_no or f"尚无（考生号{row.examinee_no or '—'}）",
        "sex": row.sex,
        "major": new["major"],
        "change": row.change,
        # the national codes call much "other" of which the case knows more
        "reason": str(label("reason", row.ground)) if row.reason == OTHER and row.ground else row.reason_text,
        "old_status": old["status"],
        "new_status": new["status"],
        "old_major": old["major"],
        "new_major": new["major"],
        "old_length": length_of(old),
        "new_length": length_of(new, stays=row.new_status in ON_ROLL | FRESHMAN),
        "old_grade": f"{old['grade']}级",
        "new_grade": f"{new['grade']}级",
        "old_class": old["class_group"],
        "new_class": new["class_group"],
        "approved_on": chinese_date(row.approved_on),
        "effective_on": chinese_date(row.effective_on),
        "recorded_on": chinese_date(clock.today()),
        "until": until or (SERVING if row.new_status in SERVICE and row.code in SERVICE_CODES else "—"),
        "case_number": row.number,
        "document_no": row.document_no or "—",
        "recipient": FAMILY if row.new_status == RosterStatus.CANCELLED else HERSELF,
        "reminder": REMINDER.format(until=until, request=RESUMED.get(row.new_status, "复学")) if until else None,
    }


def length_of(text: dict[str, Any], *, stays: bool = True) -> str:
    """How long the major lasts and, while she stays, when she should graduate, e.g. 学制4年，预计2028年6月毕业."""
    years = f"学制{float(text['study_length']):g}年"
    day = text["expected_graduation"] if stays else None
    return f"{years}，预计{int(day[:4])}年{int(day[5:7])}月毕业" if day else years


CHANGE_NOTICE = PaperKind(
    key="change_notice",
    title="学籍异动通知单",
    label=_("Notice of roster change"),
    prefix="YD",
    wording=WORDING,
    values=values,
    placeholders=(
        Placeholder("school", _("Name of the school"), "渝江大学"),
        Placeholder("college", _("College"), "计算机学院"),
        Placeholder("student_name", _("Name"), "张三"),
        Placeholder("student_no", _("Student number"), "20240101001"),
        Placeholder("sex", _("Sex"), "女"),
        Placeholder("major", _("Major"), "软件工程"),
        Placeholder("basis", _("On what the change rests"), "提出的申请，经学院审核、教务处审批"),
        Placeholder("change", _("Kind of change"), "休学"),
        Placeholder("reason", _("Reason"), "疾病"),
        Placeholder("old_status", _("Status before"), "在读"),
        Placeholder("new_status", _("Status after"), "休学"),
        Placeholder("old_major", _("Major before"), "软件工程"),
        Placeholder("new_major", _("Major after"), "软件工程"),
        Placeholder("old_length", _("Years of study before"), "学制4年，预计2028年6月毕业"),
        Placeholder("new_length", _("Years of study after"), "学制4年，预计2028年6月毕业"),
        Placeholder("old_grade", _("Grade before"), "2024级"),
        Placeholder("new_grade", _("Grade after"), "2024级"),
        Placeholder("old_class", _("Class before"), "软件2401班"),
        Placeholder("new_class", _("Class after"), "软件2401班"),
        Placeholder("approved_on", _("Approved on"), "2026年9月1日"),
        Placeholder("effective_on", _("Effective from"), "2026年9月2日"),
        Placeholder("recorded_on", _("Recorded on"), "2026年9月1日"),
        Placeholder("document_no", _("Document"), "教学籍〔2026〕1号"),
        Placeholder("recipient", _("To whom it is handed"), "学生本人"),
        Placeholder("until", _("Until"), "2027年8月31日"),
        Placeholder("case_number", _("Case number"), "XX-2026-0001"),
        Placeholder(
            "reminder", _("Reminder to return in time"), REMINDER.format(until="2027年8月31日", request="复学")
        ),
    ),
)


@issues(CHANGE_NOTICE)
def issue(actor: Actor, case_ids: list[int]) -> None:
    """What a flow whose change is notified declares as its paper."""
    issue_papers(actor, CHANGE_NOTICE, case_ids)
