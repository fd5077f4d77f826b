"""申请表 application forms: filled in from a case, printed to be signed and sealed by hand; not numbered."""

from typing import Any

from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased

from app.access import Actor, Permission
from app.kit.flow import label
from app.kit.operation import Refused, get, operation
from app.kit.paper import Page, PaperKind, Placeholder, among, chinese_date, print_form
from app.models import Case, ClassGroup, Code, College, LeaveCase, Major, ReturnCase, Student, db, setting

PERSON = (
    Placeholder("school", _("Name of the school"), "渝江大学"),
    Placeholder("college", _("College"), "计算机学院"),
    Placeholder("student_name", _("Name"), "张三"),
    Placeholder("student_no", _("Student number"), "20240101001"),
    Placeholder("sex", _("Sex"), "女"),
    Placeholder("major", _("Major"), "软件工程"),
    Placeholder("grade", _("Grade"), "2024级"),
    Placeholder("class_group", _("Class"), "软件2401班"),
    Placeholder("phone", _("Phone"), "13800000000"),
    Placeholder("address", _("Address"), "重庆市江北区某路1号"),
    Placeholder("case_number", _("Case number"), "XX-2026-0001"),
    Placeholder("reason", _("Reason"), "疾病"),
    Placeholder("statement", _("Statement"), "因病需住院治疗，特申请办理。"),
)
LEAVE = (
    Placeholder("leave_from", _("Leave from"), "2026年9月2日"),
    Placeholder("leave_until", _("Leave until"), "2027年9月1日"),
    Placeholder("leave_terms", _("Length in terms"), "2"),
)
RETURN = (
    Placeholder("return_on", _("Return on"), "2027年9月1日"),
    Placeholder("new_grade", _("Proposed grade"), "2025级"),
    Placeholder("new_class", _("Proposed class"), "软件2501班"),
)

HEAD = """
<table>
<tbody>
<tr><th>姓名</th><td>{{ student_name }}</td><th>性别</th><td>{{ sex }}</td></tr>
<tr><th>学号</th><td>{{ student_no }}</td><th>联系电话</th><td>{{ phone }}</td></tr>
<tr><th>学院</th><td>{{ college }}</td><th>专业</th><td>{{ major }}</td></tr>
<tr><th>年级</th><td>{{ grade }}</td><th>班级</th><td>{{ class_group }}</td></tr>
<tr><th>家庭住址</th><td colspan="3">{{ address }}</td></tr>
"""
SIGNATURES = """
<tr><th>学生本人签名</th><td class="sign">年　　月　　日</td><th>家长签名</th><td class="sign">年　　月　　日</td></tr>
<tr><th>二级学院意见</th><td colspan="3" class="sign seal">\
学籍分管院领导签名：　　　　　　　（盖章）<br>年　　月　　日</td></tr>
<tr><th>教务处意见</th><td colspan="3" class="sign seal">\
分管领导签名：　　　　　　　（盖章）<br>年　　月　　日</td></tr>
<tr><th>学籍中心办理</th><td colspan="3" class="sign">经办人签名：　　　　　　　年　　月　　日</td></tr>
</tbody>
</table>
<p class="small">{{ school }}　办件编号：{{ case_number }}　打印日期：{{ date }}<br>\
本表一式两份，学院、教务处各存一份。</p>
"""
LEAVE_WORDING = f"""{HEAD}
<tr><th>休学原因</th><td>{{{{ reason }}}}</td><th>休学学期数</th><td>{{{{ leave_terms }}}}</td></tr>
<tr><th>休学起止日期</th><td colspan="3">{{{{ leave_from }}}}至{{{{ leave_until }}}}</td></tr>
<tr><th>申请理由</th><td colspan="3" class="text">{{{{ statement }}}}</td></tr>
{SIGNATURES}"""
RETURN_WORDING = f"""{HEAD}
<tr><th>原休学原因</th><td>{{{{ reason }}}}</td><th>拟复学日期</th><td>{{{{ return_on }}}}</td></tr>
<tr><th>拟编入年级</th><td>{{{{ new_grade }}}}</td><th>拟编入班级</th><td>{{{{ new_class }}}}</td></tr>
<tr><th>申请理由</th><td colspan="3" class="text">{{{{ statement }}}}</td></tr>
{SIGNATURES}"""


def leave_values(case_ids: list[int]) -> dict[int, dict[str, object]]:
    return {
        row.case_id: _person(row)
        | {
            "leave_from": chinese_date(row.leave_from),
            "leave_until": chinese_date(row.leave_until),
            "leave_terms": row.leave_terms,
        }
        for row in _cases(LeaveCase, case_ids, LeaveCase.leave_from, LeaveCase.leave_until, LeaveCase.leave_terms)
    }


def return_values(case_ids: list[int]) -> dict[int, dict[str, object]]:
    group = aliased(ClassGroup)
    new_class = select(group.name).where(group.id == ReturnCase.class_group_id).scalar_subquery().label("new_class")
    return {
        row.case_id: _person(row)
        | {
            "return_on": chinese_date(row.return_on),
            "new_grade": f"{row.new_grade}级" if row.new_grade else None,
            "new_class": row.new_class,
        }
        for row in _cases(ReturnCase, case_ids, ReturnCase.return_on, ReturnCase.grade.label("new_grade"), new_class)
    }


def _cases(model: Any, case_ids: list[int], *columns: Any):
    """A row for each of these cases: the student as the actor may see her, the case, and the given columns."""
    sex = aliased(Code)
    return db.session.execute(
        select(
            model.id.label("case_id"), model.number, model.reason, model.statement, Student.name, Student.student_no,
            Student.grade, Student.phone, Student.address, func.coalesce(sex.name_zh, Student.sex).label("sex"),
            College.name.label("college"), Major.name.label("major"), ClassGroup.name.label("class_group"), *columns,
        )
        .join(Student, Student.id == model.student_id)
        .join(College, College.id == Student.college_id)
        .join(Major, Major.id == Student.major_id)
        .outerjoin(ClassGroup, ClassGroup.id == Student.class_group_id)
        .outerjoin(sex, and_(sex.set_key == "sex", sex.code == Student.sex))
        .where(among(model.id, case_ids))
    )  # fmt: skip


def _person(row) -> dict[str, object]:
    with force_locale("zh"):
        reason = str(label("reason", row.reason)) if row.reason else None
    return {
        "school": setting("school_name"),
        "college": row.college,
        "student_name": row.name,
        "student_no": row.student_no,
        "sex": row.sex,
        "major": row.major,
        "grade": f"{row.grade}级",
        "class_group": row.class_group,
        "phone": row.phone,
        "address": row.address,
        "case_number": row.number,
        "reason": reason,
        "statement": row.statement,
    }


LEAVE_FORM = PaperKind(
    "leave_form", "休学申请表", _("Application for leave"), PERSON + LEAVE, leave_values, LEAVE_WORDING
)
RETURN_FORM = PaperKind(
    "return_form", "复学申请表", _("Application for return"), PERSON + RETURN, return_values, RETURN_WORDING
)
FORMS = {"leave": LEAVE_FORM, "return": RETURN_FORM}


@operation(needs=Permission.PAPER_PRINT)
def print_application(actor: Actor, case_id: int) -> Page:
    """The application form of a case's flow, filled in. Raises NotFound, Refused for a flow without a form."""
    form = FORMS.get(get(Case, case_id).flow)
    if form is None:
        raise Refused(_("This flow has no application form to print."))
    return print_form(actor, form, case_id)
