"""申请表 application forms: filled in from a case, printed to be signed and sealed by hand; not numbered."""

from datetime import date
from typing import Any

from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from markupsafe import escape
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.access import Actor, Permission
from app.kit.flow import Flow, flow_of, label
from app.kit.flow.handed_in import CONTACT, words_of
from app.kit.flow.words import column, keys_of, shown, shown_change
from app.kit.operation import NotFound, audit, get, operation
from app.kit.paper.issuing import print_form
from app.kit.paper.kinds import Page, PaperKind, Placeholder, chinese_date
from app.kit.sensitive import SENSITIVE, permitted, seen_by
from app.models import Case, among, db, setting
from app.papers.signatures import HEARD, places, rows, signatures

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
FOOT = """
</tbody>
</table>
<p class="small">{{ school }}　办件编号：{{ case_number }}　打印日期：{{ date }}<br>\
本表一式两份，学院、教务处各存一份。</p>
"""
SAMPLES: dict[type, str] = {str: "……", int: "2", date: "2026年9月2日"}


def form_of(flow: Flow, reader: Actor | None = None) -> PaperKind:
    """The application form that follows from a flow's declaration: its fields as `reader` sees them, and room for each
    who signs."""
    with force_locale("zh"):
        declared = any(step.document for step in flow.steps)  # the school decides what a college declares
        title = f"{flow.title}{'申报表' if declared else '申请表'}"
        wording = HEAD + _rows(flow) + rows(flow) + FOOT
    signs = places(flow)
    fields = tuple(Placeholder(_name(key), label("field", key), _sample(flow, key)) for key in _keys(flow))

    def values(case_ids: list[int]) -> dict[int, dict[str, object]]:
        return _values(flow, case_ids, reader)

    return PaperKind(
        f"{flow.key}_form", title, _("Application form: %(flow)s", flow=flow.title), PERSON + fields + signs, values, wording,
        needed=tuple(one.key for one in signs),
    )  # fmt: skip


def _keys(flow: Flow) -> list[str]:
    return [key for key in (*keys_of(flow), *flow.derived) if key not in HEARD]


def _name(key: str) -> str:
    """A field's placeholder; one that the student has as well, such as her grade, is the case's new one."""
    return f"new_{key}" if key in {one.key for one in PERSON} else key


def _sample(flow: Flow, key: str) -> str:
    return SAMPLES.get(column(flow, key).type.python_type, "……")


def _rows(flow: Flow) -> str:
    """A row of the form for each field; two short ones share a row."""
    cells = [
        f"<th>{escape(label('field', key))}</th><td>{{{{ {_name(key)} }}}}</td>"
        for key in _keys(flow)
        if key != "statement"
    ]
    lines = [cells[place : place + 2] for place in range(0, len(cells), 2)]
    wide = [line if len(line) == 2 else [line[0].replace("<td>", '<td colspan="3">')] for line in lines]
    rows = "".join(f"<tr>{''.join(line)}</tr>\n" for line in wide)
    if "statement" in _keys(flow):
        rows += '<tr><th>申请理由</th><td colspan="3" class="text">{{ statement }}</td></tr>\n'
    return rows


def _values(flow: Flow, case_ids: list[int], reader: Actor | None) -> dict[int, dict[str, object]]:
    found: dict[int, dict[str, object]] = {}
    query = select(flow.model).where(among(flow.model.id, case_ids)).options(joinedload(flow.model.student))
    with force_locale("zh"):
        signed = signatures(flow, case_ids)
        for case in db.session.scalars(query):
            said = case.handed_in or words_of(flow, case, case.student)  # a draft says what holds today
            words = {_name(key): _word(flow, case, said, key, reader) for key in _keys(flow)}
            found[case.id] = {"school": setting("school_name"), "case_number": case.number} | signed[case.id]
            found[case.id] |= {name: seen_by(reader, name, value) for name, value in said["student"].items()}
            found[case.id] |= {key: None if value is None else str(value) for key, value in words.items()}
    return found


def _word(flow: Flow, case: Case, said: dict[str, Any], key: str, reader: Actor | None) -> Any:
    """A field in words: what she chose by the name that it had, a new value beside what stood before it."""
    if named := said["named"].get(key):
        return named
    if not (before := said["before"].get(key)):
        return shown_change(flow, case, key, chinese_date, reader)
    new = shown(flow, case, key, chinese_date)
    after = seen_by(reader, key, new)
    return after if new is None or before == str(new) else f"{seen_by(reader, key, before)} → {after}"


@operation(needs=Permission.PAPER_PRINT)
def print_application(actor: Actor, case_id: int) -> Page:
    """The application form of a case's flow, filled in. Raises NotFound."""
    case = get(Case, case_id)
    if case.student is None and case.college_id != actor.scope.college_id:
        raise NotFound(_("There is no such record, or it is not one of yours."))  # another college's, which she chose
    flow = flow_of(case)
    page = print_form(actor, form_of(flow, actor), case_id)
    said = case.handed_in or words_of(flow, case, case.student)
    held = {name: said["student"][name] for name in CONTACT} | {key: getattr(case, key) for key in _keys(flow)}
    revealed = [name for name, value in held.items() if name in SENSITIVE and value and permitted(actor, name)]
    if revealed:
        audit(actor, "student.reveal", subject="student", subject_id=case.student_id, college_id=case.college_id,
              detail={"columns": revealed, "paper": case.number})  # fmt: skip
    return page
