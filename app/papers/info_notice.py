"""学籍信息修改通知单 notice of changed data: tells the student's college which data change, from what to what."""

from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.access import Actor
from app.kit.flow import flow_of
from app.kit.flow.words import shown_change
from app.kit.paper.issuing import issue_papers, issues
from app.kit.paper.kinds import PaperKind, Placeholder, chinese_date
from app.models import Case, among, db, setting

WORDING = """
<p>{{ college }}：</p>
<p class="indent">你院学生{{ student_name }}（学号：{{ student_no }}，{{ major }}专业）申请修改学籍信息，\
经学院审核、教务处审批，现予修改，内容如下：</p>
<table>
<tbody>
<tr><th>修改项目及内容</th><td>{{ changes }}</td></tr>
<tr><th>办件编号</th><td>{{ case_number }}</td></tr>
</tbody>
</table>
<p class="indent">请你院及时将本通知送达学生本人。原信息在学籍档案中保留备查。</p>
<p class="right seal keep">{{ school }}教务处（盖章）<br>{{ date }}</p>
"""


# What stands on the paper is the old value and the new one: neither “new name” nor “new sex”.
NAMES = {
    "new_name": "姓名", "new_id_number": "身份证件号码", "new_birth_date": "出生日期", "new_sex": "性别", "new_ethnic_group": "民族",
}  # fmt: skip


def values(case_ids: list[int]) -> dict[int, dict[str, object]]:
    """Old and new values in words, before the change is made: each field of the form that says something new.

    A paper is read by many, and for years: ID numbers stand on it masked."""
    query = select(Case).where(among(Case.id, case_ids)).options(selectinload(Case.student))
    school = setting("school_name")
    found: dict[int, dict[str, object]] = {}
    with force_locale("zh"):
        for case in db.session.scalars(query):
            flow, student = flow_of(case), case.student
            keys = [item.key for item in flow.fields if item.key.startswith("new_")]
            words = {key: shown_change(flow, case, key, chinese_date) for key in keys}
            lines = [f"{NAMES[key]}：{word}" for key, word in words.items() if word is not None]
            found[case.id] = {
                "school": school, "college": student.college.name, "student_name": student.name,
                "student_no": student.student_no, "major": student.major.name, "changes": "\n".join(lines),
                "case_number": case.number,
            }  # fmt: skip
    return found


INFO_NOTICE = PaperKind(
    key="info_notice",
    title="学籍信息修改通知单",
    label=_("Notice of changed data"),
    prefix="XGTZ",
    wording=WORDING,
    values=values,
    placeholders=(
        Placeholder("school", _("Name of the school"), "渝江大学"),
        Placeholder("college", _("College"), "计算机学院"),
        Placeholder("student_name", _("Name"), "张三"),
        Placeholder("student_no", _("Student number"), "20240101001"),
        Placeholder("major", _("Major"), "软件工程"),
        Placeholder("changes", _("What changes"), "姓名：张三 → 张山"),
        Placeholder("case_number", _("Case number"), "XG2026-000001"),
    ),
)


@issues(INFO_NOTICE)
def issue(actor: Actor, case_ids: list[int]) -> None:
    """What a flow that changes data, and not the roster, declares as its paper."""
    issue_papers(actor, INFO_NOTICE, case_ids)
