"""文书 paper: numbered without gaps, stored as first printed, reprinted the same; the wording edited on a screen."""

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _
from markupsafe import Markup
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Integer,
    Text,
    any_,
    bindparam,
    column,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from app.access import Actor, Permission, Role
from app.kit import clock
from app.kit.due import Due, Staff, tell
from app.kit.operation import NotFound, Refused, audit, audit_many, operation
from app.kit.sensitive import mask, permitted
from app.kit.wording import Wording
from app.models import Case, DatedEffect, EffectState, Paper, PaperCounter, PaperTemplate, PrintRun, db

BUILT_IN = 0  # the version that a paper names which was filled in with the wording of its declaration
LONGEST_TITLE = 80  # characters


@dataclass(frozen=True)
class Placeholder:
    """A name that a wording may fill in: what it is called on the editing screen, and what a preview shows."""

    key: str
    label: object
    sample: str


@dataclass(frozen=True)
class PaperKind:
    """One kind of paper. `values` gives the text of every placeholder for any number of cases at once.

    With a `prefix` it is issued and numbered, e.g. `YD-2026-0001`, and `number` and `date` are filled in as well;
    without one it is a form, filled in anew at each printing. Papers are Chinese whoever prints them.
    """

    key: str
    title: str
    label: object
    placeholders: tuple[Placeholder, ...]
    values: Callable[[list[int]], dict[int, dict[str, object]]]
    wording: str
    prefix: str | None = None

    @property
    def all_placeholders(self) -> tuple[Placeholder, ...]:
        if self.prefix is None:
            return (*self.placeholders, DATE)
        return (*self.placeholders, Placeholder("number", _("Number of the paper"), f"{self.prefix}-2026-0001"), DATE)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(placeholder.key for placeholder in self.all_placeholders)


ID_NUMBER = re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])")
DATE = Placeholder("date", _("Date of the paper"), "2026年9月2日")


@dataclass(frozen=True)
class Page:
    """One paper as `xueji/print.html` puts it on its A4 page."""

    title: str
    number: str | None
    body: Markup
    date: str
    void: bool = False


def chinese_date(day: dt.date | None) -> str:
    """2026年9月2日; nothing for no day."""
    return f"{day.year}年{day.month}月{day.day}日" if day else ""


def pages(papers: Iterable[Paper]) -> list[Page]:
    """The pages of issued papers, exactly as they were first filled in; what no longer holds is marked as void."""
    papers = list(papers)
    void = void_among(papers)
    return [
        Page(
            paper.title,
            paper.number,
            Markup(paper.body),  # noqa: S704 - written by Wording.fill alone
            chinese_date(paper.issued_at.astimezone(clock.ZONE).date()),
            paper.id in void,
        )
        for paper in papers
    ]


def void_among(papers: Iterable[Paper]) -> set[int]:
    """The ids of those papers whose change was annulled before its day, or lapsed on it."""
    of = {paper.id: paper.case_id for paper in papers if paper.case_id is not None}
    if not of:
        return set()
    never = DatedEffect.state.in_((EffectState.ANNULLED, EffectState.LAPSED))
    cases = set(
        db.session.scalars(select(DatedEffect.case_id).where(never, among(DatedEffect.case_id, [*of.values()])))
    )
    return {paper_id for paper_id, case_id in of.items() if case_id in cases}


def among(of: Any, ids: list[int]) -> Any:
    """`of = any(ids)`: one parameter however many ids there are."""
    return of == any_(bindparam(None, ids, type_=ARRAY(BigInteger)))


# wording


@dataclass(frozen=True)
class InUse:
    """The wording that papers of a kind are filled in with now. `version` 0 is the built-in one."""

    title: str
    version: int
    wording: Wording


def newest_template(kind: PaperKind) -> PaperTemplate | None:
    """The wording saved last, whether or not it can be filled in."""
    query = select(PaperTemplate).where(PaperTemplate.kind == kind.key, PaperTemplate.active)
    return db.session.scalars(query.order_by(PaperTemplate.version.desc()).limit(1)).first()


def wording_in_use(kind: PaperKind) -> InUse:
    """The wording saved last. A decision must not wait for a mended wording: where the saved one cannot be filled in
    (any more), the built-in one stands in for it, and the registry is told once."""
    template = newest_template(kind)
    if template is not None and not wording_problems(kind, template.title, template.body):
        return InUse(template.title, template.version, Wording(template.body, kind.names))
    version = template.version if template else BUILT_IN
    tell([Due(
        f"wording:{kind.key}:{version}", Staff().holding(Role.REGISTRY), _("A paper was printed with its built-in wording"),
        _("The saved wording of “%(title)s” cannot be filled in. Papers of this kind have the built-in wording until"
          " you save one that can be.", title=kind.label), f"/wording/{kind.key}",
    )])  # fmt: skip
    return InUse(kind.title, BUILT_IN, Wording(kind.wording, kind.names))


def wording_problems(kind: PaperKind, title: str, body: str) -> dict[str, str]:
    """What is wrong with a wording: a sentence for `title`, and one for `body`. Nothing where it can be filled in."""
    problems = {}
    if not 0 < len(title.strip()) <= LONGEST_TITLE:
        problems["title"] = str(_("Give the paper a title of at most %(most)s characters.", most=LONGEST_TITLE))
    try:
        _fill_in_samples(kind, body)
    except Refused as refused:
        problems["body"] = str(refused)
    return problems


def _fill_in_samples(kind: PaperKind, body: str) -> Markup:
    samples = {placeholder.key: placeholder.sample for placeholder in kind.all_placeholders}
    return Wording(body, kind.names).fill(samples)


@operation(needs=Permission.PAPER_WORD)
def save_template(actor: Actor, kind: PaperKind, title: str, body: str) -> PaperTemplate:
    """Make a new version of a paper's wording. Raises Refused if the wording cannot be filled in with sample values."""
    title = title.strip()
    for problem in wording_problems(kind, title, body).values():
        raise Refused(problem)
    wording = Wording(body, kind.names)
    lock = text("select pg_advisory_xact_lock(hashtextextended('paper_template ' || :kind, 0))")
    db.session.execute(lock, {"kind": kind.key})  # two savers make two versions, one after the other
    newest = select(func.coalesce(func.max(PaperTemplate.version), 0)).where(PaperTemplate.kind == kind.key)
    version = db.session.execute(newest).scalar_one() + 1
    template = PaperTemplate(
        kind=kind.key, version=version, title=title, body=wording.body, edited_by=actor.user_id, edited_at=clock.now()
    )
    db.session.add(template)
    db.session.flush()
    detail = {"kind": kind.key, "version": version}
    audit(actor, "paper:word", subject="paper_template", subject_id=template.id, detail=detail)
    return template


def preview(kind: PaperKind, title: str, body: str) -> Page:
    """The page that this wording makes of sample values; nothing is saved. Raises Refused as save_template does."""
    samples = {placeholder.key: placeholder.sample for placeholder in kind.all_placeholders}
    return Page(title, samples.get("number"), _fill_in_samples(kind, body), samples["date"])


def load_wordings(connection: Connection, kinds: Iterable[PaperKind]) -> None:
    """Make the default wording of each kind its version 1, where it has none yet."""
    worded = set(connection.scalars(select(PaperTemplate.kind)))
    rows = [
        {"kind": kind.key, "version": 1, "title": kind.title, "body": Wording(kind.wording, kind.names).body}
        for kind in kinds
        if kind.key not in worded
    ]
    if rows:
        connection.execute(upsert(PaperTemplate.__table__).on_conflict_do_nothing(), rows)


# issuing and printing


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
