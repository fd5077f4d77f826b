"""申诉复查决定书 review decision: tells a student what became of her appeal, why, and to whom she may turn next."""

from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.access import Actor
from app.kit import clock
from app.kit.flow.steps import was_refused
from app.kit.paper.issuing import issue_papers, issues
from app.kit.paper.kinds import PaperKind, Placeholder, chinese_date
from app.models import AppealCase, Case, CaseEvent, MeetingKind, Paper, among, db, setting
from app.papers import change_notice
from app.papers.decision_letter import DECISION_LETTER, meetings_of, number_label, title_of

WORDING = """
<p>{{ student_name }}（{{ number_label }}：{{ student_no }}，{{ college }}{{ major }}专业）：</p>
<p class="indent">你对学校作出的{{ decided }}不服，于{{ appealed_on }}提出申诉，理由为：{{ statement }}</p>
<p class="indent">经复查：{{ finding }}</p>
<p class="indent">根据《普通高等学校学生管理规定》第六十一条，{{ meeting }}作出复查决定：<strong>{{ outcome }}</strong>。</p>
<p class="indent">{{ next }}</p>
<p class="right seal keep">{{ signed }}<br>{{ date }}</p>
"""

UPHELD, REVOKED = "维持原处理决定", "申诉成立，撤销原处理决定"
NEXT = "如对本复查决定有异议，可自收到本决定书之日起{days}日内，向{body}提出书面申诉。"
FOUND = {True: "原处理决定事实清楚、依据明确。", False: "申诉理由成立。"}  # where whoever signed has said no more

UNCONVINCED = "\n学校研究认为：{why}"


def values(case_ids: list[int]) -> dict[int, dict[str, object]]:
    """Decision, reasons and outcome of each appeal, in a fixed number of statements."""
    query = select(AppealCase).where(among(AppealCase.id, case_ids))
    appeals = list(db.session.scalars(query.options(selectinload(AppealCase.student), selectinload(AppealCase.steps))))
    appealed = [case.appealed_case_id for case in appeals if case.appealed_case_id]
    decided = {case.id: case for case in db.session.scalars(select(Case).where(among(Case.id, appealed)))}
    letters = select(Paper.case_id, Paper.number).where(
        among(Paper.case_id, appealed), Paper.kind == DECISION_LETTER.key
    )
    numbers = dict(db.session.execute(letters).all())
    # of appeals from before a finding was recorded: what was said at the review itself
    said = select(CaseEvent.case_id, CaseEvent.opinion).where(
        among(CaseEvent.case_id, case_ids), CaseEvent.opinion.is_not(None), CaseEvent.act.in_(("approve", "refuse")),
        CaseEvent.step_key == "review",
    )  # fmt: skip
    opinions = dict(db.session.execute(said.order_by(CaseEvent.id)).all())  # the last one
    met = meetings_of(case_ids)
    school, body = setting("school_name"), setting("appeal_body")
    following = NEXT.format(days=setting("appeal_next_days"), body=setting("appeal_next_body"))
    found: dict[int, dict[str, object]] = {}
    with force_locale("zh"):
        for case in appeals:
            student, refused = case.student, was_refused(case.steps)
            before, number = decided.get(case.appealed_case_id or 0), numbers.get(case.appealed_case_id)
            title = f"{title_of(before) if before else ''}决定" + (f"（{number}）" if number else "")
            assert case.submitted_at is not None  # what is decided was handed in
            meetings = met.get(case.id, {})
            reviewed, agreed = (meetings.get(kind) for kind in (MeetingKind.APPEALS, MeetingKind.SCHOOL))
            acted = [f"经{reviewed}复查" if reviewed else None, f"经{agreed}研究" if agreed else None]
            bodies = [school, body if reviewed else None]
            finding = case.finding or opinions.get(case.id) or FOUND[refused]
            if refused and agreed:  # the committee advised to revoke it, and the president's meeting did not
                finding += UNCONVINCED.format(why=" ".join(
                    str(step.records.get("resolution") or "") for step in case.steps if step.key == "school"
                ))  # fmt: skip
            found[case.id] = {
                "school": school, "appeal_body": body if reviewed else None,
                "signed": "\n".join(f"{one}（盖章）" for one in bodies if one),
                "number_label": number_label(student), "student_name": student.name, "student_no": student.student_no or student.examinee_no,
                "college": student.college.name, "major": student.major.name, "decided": title,
                "appealed_on": chinese_date(case.submitted_at.astimezone(clock.ZONE).date()),
                "statement": case.statement, "finding": finding,
                "meeting": "".join(f"{one}，" for one in acted if one),
                "outcome": UPHELD if refused else REVOKED, "next": following if refused else None,
            }  # fmt: skip
    return found


REVIEW_DECISION = PaperKind(
    key="review_decision",
    title="申诉复查决定书",
    label=_("Review decision"),
    prefix="FC",
    wording=WORDING,
    values=values,
    placeholders=(
        Placeholder("school", _("Name of the school"), "渝江大学"),
        Placeholder("appeal_body", _("Body that hears appeals"), "学生申诉处理委员会"),
        Placeholder("college", _("College"), "计算机学院"),
        Placeholder("student_name", _("Name"), "张三"),
        Placeholder("student_no", _("Student number"), "20240101001"),
        Placeholder("number_label", _("What the number is"), "学号"),
        Placeholder("major", _("Major"), "软件工程"),
        Placeholder("decided", _("Decision that is appealed"), "退学处理决定（JD-2026-0001）"),
        Placeholder("appealed_on", _("When it was appealed"), "2026年9月25日"),
        Placeholder("statement", _("Why it was appealed"), "本人当时住院治疗，已向辅导员请假。"),
        Placeholder("finding", _("What the review found"), "请假手续齐全，原处理依据不足。"),
        Placeholder("meeting", _("Meetings"), "经2026年9月29日学生申诉处理委员会第2次会议复查，经2026年10月8日校长办公会第12次会议研究，"),
        Placeholder("signed", _("Who signs"), "渝江大学（盖章）、学生申诉处理委员会（盖章）"),
        Placeholder("outcome", _("Outcome of the review"), REVOKED),
        Placeholder("next", _("Next instance after a refused appeal"), NEXT.format(days=15, body="省级教育行政部门")),
    ),
)  # fmt: skip


@issues(REVIEW_DECISION)
def issue(actor: Actor, case_ids: list[int]) -> None:
    """What a granted appeal issues: the notice of what is restored, and the decision."""
    change_notice.issue(actor, case_ids)
    issue_papers(actor, REVIEW_DECISION, case_ids)


@issues(REVIEW_DECISION)
def issue_refused(actor: Actor, case_ids: list[int]) -> None:
    """What a refused appeal issues: the decision."""
    issue_papers(actor, REVIEW_DECISION, case_ids)
