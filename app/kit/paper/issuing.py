"""Papers issued and printed: numbered without gaps, stored as first filled in, reprinted the same, marked when they fall."""

import re
from collections.abc import Callable, Iterable

from flask_babel import lazy_gettext as _
from markupsafe import Markup
from sqlalchemy import (
    BigInteger,
    Integer,
    Text,
    column,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from app.access import Actor, Permission
from app.kit import clock
from app.kit.flow.declare import Effect, hook
from app.kit.operation import NotFound, audit, audit_many, operation
from app.kit.paper.kinds import InUse, Page, PaperKind, chinese_date, register_kind, wording_in_use
from app.kit.sensitive import mask, permitted
from app.models import Case, Paper, PaperCounter, PaperMark, PrintRun, among, db

TELLING = ("change_notice", "decision_letter")  # the papers that tell of a change itself, and fall with it
ID_NUMBER = re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])")


def pages(papers: Iterable[Paper]) -> list[Page]:
    """The pages of issued papers, exactly as they were first filled in; what no longer holds says so."""
    return [
        Page(
            paper.title,
            paper.number,
            Markup(paper.body),  # noqa: S704 - written by Wording.fill alone
            chinese_date(paper.issued_at.astimezone(clock.ZONE).date()),
            PaperMark(paper.mark).printed if paper.mark else None,
        )
        for paper in papers
    ]


def mark_papers(actor: Actor, case_ids: list[int], mark: PaperMark) -> None:
    """Let what told of the changes of these cases say that it no longer holds; what was issued beside it goes on."""
    telling = among(Paper.case_id, case_ids), Paper.kind.in_(TELLING), Paper.mark.is_(None)
    marking = update(Paper.__table__).where(*telling).values(mark=mark).returning(Paper.__table__.c.number)
    numbers = list(db.session.scalars(marking)) if case_ids else []
    if numbers:
        audit(actor, "paper:mark", subject="paper", new={"mark": mark}, detail={"numbers": sorted(numbers)})


def issues(kind: PaperKind) -> Callable[[Effect], Effect]:
    """Make a function what flows may declare as their paper: it issues papers of this kind, which becomes known."""

    def declare(issue: Effect) -> Effect:
        issue.kind = register_kind(kind)  # type: ignore[attr-defined]  # the check of flows asks for it
        return hook(issue)

    return declare


@operation(needs=Permission.CASE_DECIDE)
def issue_papers(actor: Actor, kind: PaperKind, case_ids: list[int]) -> dict[int, int]:
    """Number and store one paper for each case, with a fixed number of statements. A case that has one keeps it.

    Returns the paper's id by that of the case. Raises NotFound if a case is not one of the actor's.
    """
    if kind.prefix is None:
        raise ValueError(f"{kind.key} is a form, which is printed but never issued")
    ids = list(dict.fromkeys(case_ids))
    if not ids:
        return {}
    values, used = _values(kind, ids), wording_in_use(kind)
    day = clock.today()
    last = _lock_counter(kind, day.year)
    papers = _papers_of(kind, ids)
    missing = [case_id for case_id in ids if case_id not in papers]
    rows = []
    for serial, case_id in enumerate(missing, last + 1):
        number = f"{kind.prefix}-{day.year}-{serial:04}"
        body = used.wording.fill(values[case_id] | {"number": number, "date": chinese_date(day)})
        rows.append({"case_id": case_id, "serial": serial, "number": number, "body": body})
    if rows:
        papers |= _insert(actor, kind, used, day.year, rows)
        detail = {"kind": kind.key, "first": rows[0]["number"], "last": rows[-1]["number"], "count": len(rows)}
        audit(actor, "paper:issue", subject="paper", detail=detail)
    return {case_id: papers[case_id] for case_id in ids}


def _values(kind: PaperKind, case_ids: list[int]) -> dict[int, dict[str, object]]:
    values = kind.values(case_ids)
    if len(values) < len(case_ids):
        raise NotFound(_("There is no such record, or it is not one of yours."))
    return values


def _lock_counter(kind: PaperKind, year: int) -> int:
    """The last serial given, its row locked until the transaction ends: who comes next waits and finds no gap."""
    counter = PaperCounter.__table__
    statement = upsert(counter).values(kind=kind.key, year=year, last=0)
    locking = statement.on_conflict_do_update(index_elements=["kind", "year"], set_={"last": counter.c.last})
    return db.session.execute(locking.returning(counter.c.last)).scalar_one()


def _papers_of(kind: PaperKind, case_ids: list[int]) -> dict[int, int]:
    query = select(Paper.case_id, Paper.id).where(Paper.kind == kind.key, among(Paper.case_id, case_ids))
    return dict(db.session.execute(query).all())


def _insert(actor: Actor, kind: PaperKind, used: InUse, year: int, rows: list[dict]) -> dict[int, int]:
    """Write the papers with one INSERT, and their last serial into the counter."""
    given = (
        func.jsonb_to_recordset(literal(rows, JSONB))
        .table_valued(
            column("case_id", BigInteger), column("serial", Integer), column("number", Text), column("body", Text)
        )
        .render_derived(with_types=True)
    )
    case = Case.__table__.c
    columns = {
        "kind": literal(kind.key), "year": literal(year), "serial": given.c.serial, "number": given.c.number,
        "title": literal(used.title), "body": given.c.body, "template_version": literal(used.version),
        "case_id": case.id, "student_id": case.student_id, "college_id": case.college_id,
        "student_college_id": case.student_college_id, "target_college_id": case.target_college_id,
        "subject": case.subject, "issued_by": literal(actor.user_id), "issued_at": literal(clock.now()),
    }  # fmt: skip
    source = select(*(value.label(name) for name, value in columns.items()))
    source = source.select_from(given).join(Case.__table__, case.id == given.c.case_id)
    table = Paper.__table__
    writing = insert(table).from_select(list(columns), source).returning(table.c.case_id, table.c.id)
    papers = dict(db.session.execute(writing).all())
    if len(papers) < len(rows):
        raise NotFound(_("There is no such record, or it is not one of yours."))
    counter = update(PaperCounter).where(PaperCounter.kind == kind.key, PaperCounter.year == year)
    db.session.execute(counter.values(last=rows[-1]["serial"]).execution_options(synchronize_session=False))
    return papers


@operation(needs=Permission.PAPER_PRINT)
def print_papers(actor: Actor, paper_ids: list[int]) -> list[Paper]:
    """The papers in this order for one print run, which is logged. Raises NotFound if one is not the actor's."""
    ids = list(dict.fromkeys(paper_ids))
    found = {paper.id: paper for paper in db.session.scalars(select(Paper).where(among(Paper.id, ids)))}
    if not ids or len(found) < len(ids):
        raise NotFound(_("There is no such record, or it is not one of yours."))
    printed = select(Paper.id, literal(actor.user_id), literal(actor.name), literal(clock.now()))
    names = ["paper_id", "user_id", "user_name", "printed_at"]
    db.session.execute(insert(PrintRun).from_select(names, printed.where(among(Paper.id, ids))))
    papers = [found[paper_id] for paper_id in ids]
    audit(actor, "paper:print", subject="paper", detail={"numbers": [paper.number for paper in papers]})
    whole = [paper for paper in papers if ID_NUMBER.search(paper.body)]
    for paper in papers:
        db.session.expunge(paper)  # kept as read: the commit would have each one read again
    _reveal_or_mask(actor, whole)
    return papers


def _reveal_or_mask(actor: Actor, papers: list[Paper]) -> None:
    """Papers of earlier years have whole ID numbers in their text; papers now are issued with masked ones."""
    if not permitted(actor, "id_number"):
        for paper in papers:
            paper.body = ID_NUMBER.sub(lambda found: mask(found[0]), paper.body)
    elif papers:
        rows = [{"subject": "student", "subject_id": paper.student_id, "college_id": paper.college_id,
                 "detail": {"columns": ["id_number"], "paper": paper.number}} for paper in papers]  # fmt: skip
        audit_many(actor, "student.reveal", rows)


@operation(needs=Permission.PAPER_PRINT)
def print_form(actor: Actor, kind: PaperKind, case_id: int) -> Page:
    """A form filled in from a case, with room for signatures and seals. Raises NotFound."""
    values = _values(kind, [case_id])[case_id]
    used = wording_in_use(kind)
    today = chinese_date(clock.today())
    body = used.wording.fill(values | {"date": today})
    audit(actor, "paper:print", subject="flow_case", subject_id=case_id, detail={"kind": kind.key})
    return Page(used.title, None, body, today)
