"""发文 document: the school's decision on a list of students, numbered, printed, and effective for all of them at once."""

import hashlib
from dataclasses import dataclass

from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from app.access import Actor, Permission
from app.kit import clock
from app.kit.flow import FLOWS, by_flow, decide
from app.kit.operation import Refused, audit, operation
from app.kit.paper.kinds import LONGEST_TITLE, Page, PaperKind, Placeholder, chinese_date, register_kind, wording_in_use
from app.models import (
    Case,
    CaseState,
    CaseStep,
    College,
    Document,
    MeetingKind,
    Paper,
    PaperCounter,
    PaperMark,
    StepState,
    Student,
    among,
    db,
    setting,
)
from app.models.cases.case import Heard
from app.models.language import listed
from app.operations.proceedings.publicity import matter
from app.papers.change_notice import CHANGE_NOTICE
from app.papers.decision_letter import meetings_of
from app.papers.student_list import student_list

WORDING = """
<p>各学院、各有关单位：</p>
<p class="indent">根据{{ basis }}，经{{ meeting }}研究，决定对{{ students }}作出如下学籍处理：\
<strong>{{ matter }}</strong>。学生名单见附件。</p>
<p class="indent">本决定自发文之日起生效。学生对本决定有异议的，可自收到决定之日起{{ appeal_days }}日内向{{ appeal_body }}提出书面申诉。</p>
<p class="right seal keep">{{ school }}<br>{{ date }}</p>
"""

DOCUMENT = PaperKind(
    key="document",
    title="关于学生学籍处理的决定",
    label=_("Document"),
    prefix="FW",
    wording=WORDING,
    values=lambda case_ids: {},  # one document is about many cases: filled in by issue_document alone
    placeholders=(
        Placeholder("school", _("Name of the school"), "渝江大学"),
        Placeholder("first_student", _("First student on the list"), "张三"),
        Placeholder("count", _("Number of students"), "12"),
        Placeholder("students", _("Students of the document"), "张三等12名学生"),
        Placeholder("basis", _("Basis"), "《普通高等学校学生管理规定》第三十条第（四）项"),
        Placeholder("meeting", _("Meeting"), "2026年9月28日校长办公会第12次会议"),
        Placeholder("appeal_body", _("Body that hears appeals"), "学生申诉处理委员会"),
        Placeholder("matter", _("Matter"), "退学处理"),
        Placeholder("appeal_days", _("Days to appeal"), "10"),
    ),
)
register_kind(DOCUMENT)


RULES = "国家和学校学籍管理规定"  # where a case has no ground of its own
FALLEN = "下列学生的处理决定不再有效：{}。"


def select_waiting():
    """Cases that wait for a document, with the step at which they do; in the order of a document's list."""
    return (
        select(Case, CaseStep)
        .join(CaseStep, CaseStep.case_id == Case.id)
        .where(Case.state == CaseState.OPEN, CaseStep.state == StepState.OPEN)
        .where(CaseStep.declared["document"].as_boolean())
        .join(Student, Student.id == Case.student_id)
        .join(College, College.id == Case.college_id)
        .order_by(Case.flow, College.code, Student.student_no)
    )


@dataclass(frozen=True)
class Preview:
    """A document before it is issued. `seen` stands for all of it: issuing asks for what was looked at."""

    page: Page
    seen: str
    cases: int


@operation(needs=Permission.DOCUMENT_ISSUE)
def preview_document(actor: Actor, case_ids: list[int], *, step: str, title: str) -> Preview:
    """Issues the document and takes it back, so that what is looked at is what will be. Raises Refused as issuing does."""
    with db.session.begin_nested() as trial:
        document = issue_document(actor, case_ids, step=step, title=title)
        made = Preview(page(document), _fingerprint(document.title, document.body), document.cases)
        trial.rollback()
    return made


@operation(needs=Permission.DOCUMENT_ISSUE)
def issue_document(
    actor: Actor, case_ids: list[int], *, step: str, title: str, opinion: str | None = None, seen: str | None = None
) -> Document:
    """Number a document and decide all of its cases, or none of them. Raises Refused with each case that cannot be, and
    where `seen` says that something else was looked at."""
    ids = sorted(set(case_ids))
    rows = _listed(ids)
    if not rows or len(rows) < len(ids):
        raise Refused(_("Select at least one case; those that are no longer there must be taken off."))
    if len({row.flow for row in rows}) > 1:
        raise Refused(_("A document is about one procedure. Issue one for the cases of each procedure."))
    title = title.strip() or suggested_title(rows[0].name, [row.flow for row in rows])
    _check_title(title, [row.name for row in rows])
    day, serial = clock.today(), _next_serial()
    number = f"{setting('document_prefix')}〔{day.year}〕{serial}号"
    document = Document(
        year=day.year, serial=serial, number=number, dated=day, title=title, body=_body(rows, number),
        cases=len(ids), issued_by=actor.user_id, issued_at=clock.now(),
    )  # fmt: skip
    if seen is not None and seen != _fingerprint(document.title, document.body):
        raise Refused(_("The document is no longer what you looked at: somebody changed the list, or the data of a student."
                        " Look at it again."))  # fmt: skip
    db.session.add(document)
    db.session.flush()
    document_id = document.id
    records = {"document_id": document_id, "document": number, "originals": True}
    outcomes = decide(actor, ids, expected_step=step, opinion=opinion, records=records)
    held = [f"{one.number} {one.subject}（{one.reason}）" for one in outcomes if not one.done]
    if held:
        raise Refused(_("Nothing was issued. Take these off the list first: %(cases)s", cases=listed(held[:20])))
    audit(actor, "document:issue", subject="document", subject_id=document_id,
          new={"number": number, "title": title, "cases": len(ids)})  # fmt: skip
    issued = db.session.get(Document, document_id)
    assert issued is not None
    return issued


def suggested_title(first: str, flows: list[str]) -> str:
    """What a document is called unless somebody calls it otherwise; it names whom its text names."""
    title = f"关于对{_students(first, len(flows))}作出{_matters(flows)}决定的通知"
    return title if len(title) <= LONGEST_TITLE else DOCUMENT.title


def _students(first: str, count: int) -> str:
    """Whom a document names: one student by her name, several by the first and their number."""
    return f"{first}等{count}名学生" if count > 1 else f"学生{first}"


def _check_title(title: str, names: list[str]) -> None:
    if len(title) > LONGEST_TITLE:
        raise Refused(_("Give the document a title of at most 80 characters."))
    named = next((name for name in names if f"{name}等" in title), names[0])
    if named != names[0]:
        raise Refused(_("The title names %(named)s first, but the text and the list begin with %(first)s.",
                        named=named, first=names[0]))  # fmt: skip


def _fingerprint(title: str, body: str) -> str:
    return hashlib.sha256(f"{title}\0{body}".encode()).hexdigest()


def page(document: Document) -> Page:
    """The A4 pages of a document, exactly as issued; above them whose decision no longer holds."""
    fallen = fallen_of([document.id]).get(document.id, [])
    marks = {mark for mark, _subject in fallen}
    mark = marks.pop().printed if len(fallen) == document.cases and len(marks) == 1 else None
    body = Markup(document.body)  # noqa: S704 - written by issue_document alone
    names = "、".join(f"{subject}（{how.printed}）" for how, subject in fallen)
    remark = FALLEN.format(names) if names and not mark else None
    return Page(document.title, document.number, body, chinese_date(document.dated), mark, remark)


def fallen_of(document_ids: list[int]) -> dict[int, list[tuple[PaperMark, str]]]:
    """Document → (how, whose) of each of its decisions that no longer holds, as the student's notice says."""
    query = (
        select(CaseStep.document_id, Paper.mark, Paper.subject)
        .join(Paper, Paper.case_id == CaseStep.case_id)
        .where(CaseStep.document_id.in_(document_ids), Paper.kind == CHANGE_NOTICE.key, Paper.mark.is_not(None))
        .order_by(Paper.id)
    )
    found: dict[int, list[tuple[PaperMark, str]]] = {}
    for document_id, mark, subject in db.session.execute(query):
        found.setdefault(document_id, []).append((PaperMark(mark), subject))
    return found


def _next_serial() -> int:
    """The year's next number; its row stays locked until the transaction ends, so that a refusal leaves no gap."""
    counter = PaperCounter.__table__
    statement = upsert(counter).values(kind=DOCUMENT.key, year=clock.today().year, last=1)
    statement = statement.on_conflict_do_update(index_elements=["kind", "year"], set_={"last": counter.c.last + 1})
    return db.session.execute(statement.returning(counter.c.last)).scalar_one()


def _listed(ids: list[int]) -> list:
    """Name, number, college and matter of each case, by college and number."""
    rows: list = []
    cases = select(Case.id, Case.flow, Case.flow_version).where(among(Case.id, ids))
    for flow, of_flow in by_flow(db.session.execute(cases.order_by(Case.flow, Case.flow_version))):
        query = (
            select(Case.id, Case.flow, Case.reason, College.name.label("college"), Student.name, Student.student_no,
                   matter(flow, of_flow).label("matter"))
            .join(Student, Student.id == Case.student_id)
            .join(College, College.id == Case.college_id)
            .where(among(Case.id, of_flow))
            .order_by(College.code, Student.student_no)
        )  # fmt: skip
        rows += db.session.execute(query).all()
    return rows


def _matters(flows: list[str]) -> str:
    with force_locale("zh"):
        return "、".join(dict.fromkeys(str(FLOWS[flow].title) for flow in flows))


def _body(rows: list, number: str) -> str:
    matters = _matters([row.flow for row in rows])
    met = [
        words.get(MeetingKind.SCHOOL) or list(words.values())[-1]
        for words in meetings_of([row.id for row in rows]).values()
    ]
    grounds = [
        setting(f"basis_{row.reason}") for row in rows if issubclass(FLOWS[row.flow].model, Heard) and row.reason
    ]
    text = wording_in_use(DOCUMENT).wording.fill({
        "school": setting("school_name"), "first_student": rows[0].name, "count": len(rows), "matter": matters,
        "students": _students(rows[0].name, len(rows)), "basis": "、".join(dict.fromkeys(grounds)) or RULES,
        "meeting": "、".join(dict.fromkeys(met)) or "学校", "appeal_body": setting("appeal_body"),
        "appeal_days": setting("appeal_days"), "number": number, "date": chinese_date(clock.today()),
    })  # fmt: skip
    students = student_list((row.college, row.name, row.student_no, row.matter) for row in rows)
    return f"{text}<h3>附件：学生名单</h3>{students}"
