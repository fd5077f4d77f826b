"""文书 paper: the kinds there are, what they are filled in with, and their wording, which is edited on a screen."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from markupsafe import Markup
from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert

from app.access import Actor, Permission, Role
from app.kit import clock
from app.kit.jobs.due import Due, Staff, tell
from app.kit.operation import Refused, audit, operation
from app.kit.paper.wording import PLACEHOLDER, Wording
from app.models import PaperTemplate, db
from app.models.language import listed

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
    needed: tuple[str, ...] = ()  # placeholders that no wording may leave out

    @property
    def all_placeholders(self) -> tuple[Placeholder, ...]:
        if self.prefix is None:
            return (*self.placeholders, DATE)
        return (*self.placeholders, Placeholder("number", _("Number of the paper"), f"{self.prefix}-2026-0001"), DATE)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(placeholder.key for placeholder in self.all_placeholders)


KINDS: dict[str, PaperKind] = {}  # every kind that is issued, by its key


class BrokenPaper(Exception):
    """A kind of paper takes a key that is taken. Stops the start."""


def register_kind(kind: PaperKind) -> PaperKind:
    """Make a kind known: its wording is loaded, edited on a screen, and printed. Raises BrokenPaper."""
    if KINDS.setdefault(kind.key, kind) is not kind:
        raise BrokenPaper(f"{kind.key}: two papers have this key; give one of the two kinds another")
    return kind


DATE = Placeholder("date", _("Date of the paper"), "2026年9月2日")


@dataclass(frozen=True)
class Page:
    """One paper as `xueji/print.html` puts it on its A4 page."""

    title: str
    number: str | None
    body: Markup
    date: str
    mark: str | None = None  # what it says of itself that no longer holds
    remark: str | None = None  # and of a part of it


def chinese_date(day: dt.date | None) -> str:
    """2026年9月2日; nothing for no day."""
    return f"{day.year}年{day.month}月{day.day}日" if day else ""


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


def saving_problems(kind: PaperKind, title: str, body: str) -> dict[str, str]:
    """What keeps a wording from being saved: what keeps it from being filled in, or a place that is needed and not there."""
    problems = wording_problems(kind, title, body)
    there = set(PLACEHOLDER.findall(body))
    lacking = [one for one in kind.all_placeholders if one.key in kind.needed and one.key not in there]
    if lacking and "body" not in problems:
        named = listed(f"{{{{ {one.key} }}}} ({one.label})" for one in lacking)
        problems["body"] = str(_("The wording leaves no room for %(places)s. Put them back, or begin with the built-in"
                                 " wording.", places=named))  # fmt: skip
    return problems


def _fill_in_samples(kind: PaperKind, body: str) -> Markup:
    samples = {placeholder.key: placeholder.sample for placeholder in kind.all_placeholders}
    return Wording(body, kind.names).fill(samples)


@operation(needs=Permission.PAPER_WORD)
def save_template(actor: Actor, kind: PaperKind, title: str, body: str) -> PaperTemplate:
    """Make a new version of a paper's wording. Raises Refused if the wording cannot be filled in with sample values."""
    title = title.strip()
    for problem in saving_problems(kind, title, body).values():
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
    """Make the default wording of each kind a version of it, where nobody has worded it: its first, or the next one where
    the default is another by now."""
    newest = select(PaperTemplate.kind, PaperTemplate.version, PaperTemplate.body, PaperTemplate.edited_by)
    newest = newest.ext(distinct_on(PaperTemplate.kind)).order_by(PaperTemplate.kind, PaperTemplate.version.desc())
    worded = {row.kind: row for row in connection.execute(newest)}
    rows = []
    for kind in kinds:
        body, last = Wording(kind.wording, kind.names).body, worded.get(kind.key)
        if last is None or (last.edited_by is None and last.body != body):
            rows.append(
                {"kind": kind.key, "version": last.version + 1 if last else 1, "title": kind.title, "body": body}
            )
    if rows:
        connection.execute(upsert(PaperTemplate.__table__).on_conflict_do_nothing(), rows)
