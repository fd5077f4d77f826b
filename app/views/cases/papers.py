"""文书 papers: issued notices, printing one or many, application forms, and the wording of each kind."""

import re
from difflib import unified_diff
from itertools import islice
from typing import Any, ClassVar

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import format_datetime
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.access import Permission, current_actor
from app.kit.operation import Refused, get
from app.kit.paper.issuing import pages, print_papers
from app.kit.paper.kinds import newest_template, preview, save_template, saving_problems, wording_problems
from app.kit.screen import Api, Menu, PageView, Screen
from app.kit.screen.present import badge
from app.models import CaseStep, JobRun, Paper, PaperMark, PaperTemplate, among, db
from app.models.accounts.account import signature
from app.papers import all_papers
from app.papers.application_form import print_application
from app.views.cases.printing import print_run

MOST_AT_ONCE = 2000


class PaperScreen(Screen):
    """All issued papers that the reader may see."""

    model = Paper
    menu = Menu(_("Papers"), "cases", "fa-print")
    reads = Permission.PAPER_PRINT
    label_columns = {
        "number": _("Number"), "title": _("Paper"), "subject": _("Student"), "issued_at": _("Issued"), "year": _("Year"),
        "mark": _("Holds no more"),
    }  # fmt: skip
    quick = ("number", "subject")
    pasted = "number"
    list_columns = ["number", "title", "subject", "issued_at", "mark"]
    formatters_columns: ClassVar[dict[str, Any]] = {
        "mark": lambda value: badge(PaperMark(value).label, "bad") if value else ""
    }
    order_columns = ["number", "issued_at"]
    search_columns = ["number", "subject", "year", "issued_at"]
    base_order = ("issued_at", "desc")
    list_title = _("Papers")

    def list_extras(self, shown: list[str]) -> dict[str, Any]:
        query: dict[str, Any] = request.args.to_dict(flat=False)
        extras = super().list_extras(shown)
        print_all = (_("Print all that match"), url_for("PaperScreen.print_matching", **query))
        return extras | {"exports": [print_all, *extras["exports"]]}

    @expose("/show/<pk>")
    @has_access
    def show(self, pk: str):
        if self.datamodel.get(pk) is None:
            abort(404)
        return redirect(url_for("PaperScreen.print", id=pk))

    @expose("/print")
    @has_access
    @permission_name("list")
    def print(self):
        """One print run: the papers asked for, a page each, exactly as first issued. Every print is logged."""
        ids = [int(value) for value in request.args.getlist("id") if value.isdecimal() and len(value) < 19]
        return self._sheets(ids)

    @expose("/print/matching")
    @has_access
    @permission_name("list")
    def print_matching(self):
        matching = self.matching(request.args)
        ids = list(db.session.scalars(select(Paper.id).where(Paper.id.in_(matching)).limit(MOST_AT_ONCE + 1)))
        return self._sheets(ids)

    @expose("/print/batch/<int:run_id>")
    @has_access
    @permission_name("list")
    def print_batch(self, run_id: int):
        """The notices that a batch brought about, as one print run."""
        decided = [row[0] for row in get(JobRun, run_id).result.get("rows", []) if row[3]]
        return self._sheets(list(db.session.scalars(select(Paper.id).where(among(Paper.case_id, decided)))))

    @expose("/print/document/<int:document_id>")
    @has_access
    @permission_name("list")
    def print_document(self, document_id: int):
        """The notices of the cases that a document decided, as one print run."""
        decided = select(CaseStep.case_id).where(CaseStep.document_id == document_id)
        return self._sheets(
            list(db.session.scalars(select(Paper.id).where(Paper.case_id.in_(decided)).order_by(Paper.id)))
        )

    @expose("/application/<int:case_id>")
    @has_access
    @permission_name("list")
    def application(self, case_id: int):
        """The filled-in application form of a case, with room for signatures and seals."""
        form = print_application(current_actor(), case_id)
        return print_run(self, form.title, [form])

    def _sheets(self, ids: list[int]):
        if not ids:
            raise Refused(_("There is no paper to print here."))
        if len(ids) > MOST_AT_ONCE:
            raise Refused(_("At most %(most)s papers can be printed at once. Narrow the filter.", most=MOST_AT_ONCE))
        papers = print_papers(current_actor(), ids)
        return print_run(self, _("Papers"), pages(papers))


class PaperApi(Api):
    """Issued papers as JSON; their text is read where they are printed."""

    model = Paper
    resource_name = "paper"
    reads = Permission.PAPER_PRINT
    label_columns = PaperScreen.label_columns | {"kind": _("Kind")}
    list_columns = show_columns = ["id", "kind", "number", "title", "subject", "year", "issued_at", "mark"]
    search_columns = ["number", "subject", "year", "issued_at"]
    order_columns = ["number", "issued_at"]


class WordingView(PageView):
    """The wording of each kind of paper: edit, preview, save as a new version."""

    route_base = "/wording"
    menu = Menu(_("Wording of papers"), "settings", "fa-pen-nib")
    reads = Permission.PAPER_WORD

    @expose("/")
    @has_access
    def list(self):
        kinds = [
            (kind, newest_template(kind), url_for("WordingView.edit", key=kind.key)) for kind in all_papers().values()
        ]
        return self.render_template("xueji/wording_list.html", title=_("Wording of papers"), kinds=kinds)

    @expose("/<key>", methods=["GET", "POST"])
    @has_access
    @permission_name("list")
    def edit(self, key: str):
        """What is stored, or was sent, is shown whatever is wrong with it; what is wrong stands beside the field."""
        kind = all_papers().get(key)
        if kind is None:
            abort(404)
        act, stored = request.form.get("act"), newest_template(kind)
        title, body = kind.title, kind.wording.strip()
        if act in ("preview", "save"):
            title, body = request.form.get("title", ""), request.form.get("body", "")
        elif stored and act != "built_in":
            title, body = stored.title, stored.body
        errors = (saving_problems if act in ("preview", "save") else wording_problems)(kind, title, body)
        if act == "save" and not errors:
            saved = save_template(current_actor(), kind, title, body)
            flash(_("Version %(version)s is in use from now on.", version=saved.version), "success")
            return redirect(url_for("WordingView.edit", key=key))
        versions = db.session.scalars(
            select(PaperTemplate).where(PaperTemplate.kind == key).order_by(PaperTemplate.version.desc())
        )
        page = self.render_template(
            "xueji/wording.html", title=kind.title, kind=kind, name=title, body=body, errors=errors,
            shown=preview(kind, title, body) if not wording_problems(kind, "x", body) else None,
            versions=[version_words(one) for one in versions], back_url=url_for("WordingView.list"), unusable=bool(errors) and act is None,
        )  # fmt: skip
        return page, 422 if errors and act else 200

    @expose("/<key>/<int:version>")
    @has_access
    @permission_name("list")
    def version(self, key: str, version: int):
        """One version as it was saved, beside the one before it or another that the reader asks for."""
        kind = all_papers().get(key)
        saved = {one.version: one for one in db.session.scalars(select(PaperTemplate).where(PaperTemplate.kind == key))}
        if kind is None or version not in saved:
            abort(404)
        against = request.args.get("against", type=int) or max((one for one in saved if one < version), default=0)
        one, other = saved[version], saved.get(against)
        title, body = (other.title, other.body) if other else (kind.title, kind.wording)
        return self.render_template(
            "xueji/wording_version.html", title=kind.title, kind=kind, one=one, words=version_words(one),
            versions=[version_words(saved[number]) for number in sorted(saved, reverse=True) if number != version],
            against=against if other else 0, lines=compared(f"{title}\n{body}", f"{one.title}\n{one.body}"),
            shown=preview(kind, one.title, one.body) if not wording_problems(kind, "x", one.body) else None,
            edit_url=url_for("WordingView.edit", key=key),
        )  # fmt: skip


def version_words(one: PaperTemplate) -> dict[str, Any]:
    """A version with who saved it and when; one that came with the program was saved by nobody."""
    return {
        "version": one.version, "url": url_for("WordingView.version", key=one.kind, version=one.version),
        "when": format_datetime(one.edited_at, "short"), "who": signature(one.editor) if one.editor else _("built in"),
    }  # fmt: skip


def compared(old: str, new: str) -> list[tuple[str, str]]:
    """The lines of two wordings, each with what became of it: added, gone or same; what is same far from a change is left
    out ("…")."""
    marks = {"+": "added", "-": "gone", " ": "same", "@": "left"}
    lines = unified_diff(lines_of(old), lines_of(new), n=2, lineterm="")
    return [(marks[line[0]], "…" if line[0] == "@" else line[1:]) for line in islice(lines, 2, None)]


def lines_of(body: str) -> list[str]:
    """A wording a paragraph or row a line, whether or not it was typed so."""
    return [
        line for line in re.sub(r"(</(?:p|tr|table|h\d|div|li)>|<br>)\s*", r"\1\n", body).split("\n") if line.strip()
    ]
