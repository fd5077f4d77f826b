"""发文 documents: what waits for one, issuing it for a list of cases together, and printing it."""

from typing import Any, ClassVar

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import format_date
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.access import Permission, current_actor
from app.kit.flow import FLOWS
from app.kit.operation import Refused, audit, get
from app.kit.screen import Menu, PageView
from app.models import Document, db
from app.papers.document import fallen_of, issue_document, page, preview_document, select_waiting, suggested_title
from app.views.cases.printing import print_run

SHOWN = 50


class DocumentView(PageView):
    """Documents of the school; those who issue them see what waits."""

    route_base = "/documents"
    menu = Menu(_("Documents"), "proceedings", "fa-file-signature")
    reads = Permission.DOCUMENT_READ
    acts: ClassVar = {"can_issue": Permission.DOCUMENT_ISSUE}

    @expose("/")
    @has_access
    def list(self):
        self.update_redirect()
        return self._list()

    def _list(self, error: Any = None) -> str:
        may = current_actor().may(Permission.DOCUMENT_ISSUE)
        waiting = db.session.execute(select_waiting().limit(2000)).all() if may else []
        groups: dict[tuple[str, str], list[Any]] = {}
        for case, step in waiting:
            groups.setdefault((case.flow, step.key), []).append(case)
        issued = list(db.session.scalars(select(Document).order_by(Document.id.desc()).limit(SHOWN)))
        fallen = fallen_of([one.id for one in issued])
        return self.render_template(
            "xueji/documents.html", title=_("Documents"), error=error, form=request.form, may_issue=may,
            groups=[(flow, FLOWS[flow].title, key, cases, suggested_title(cases[0].student.name, [flow] * len(cases)))
                    for (flow, key), cases in groups.items()],
            issued=[(one, format_date(one.dated), len(fallen.get(one.id, []))) for one in issued],
            may_print=current_actor().may(Permission.PAPER_PRINT),
        )  # fmt: skip

    @expose("/preview", methods=["POST"])
    @has_access
    @permission_name("issue")
    def preview(self):
        """What would be issued, page for page; nothing has happened yet."""
        chosen, step, title = self._chosen()
        try:
            made = preview_document(current_actor(), chosen, step=step, title=title)
        except Refused as refused:
            return self._list(str(refused)), 422
        return self.render_template("xueji/document_preview.html", title=_("Look at the document before it is issued"),
                                    made=made, chosen=chosen, step=step, flow=request.form.get("flow", ""))  # fmt: skip

    @expose("/issue", methods=["POST"])
    @has_access
    @permission_name("issue")
    def issue(self):
        chosen, step, title = self._chosen()
        try:
            document = issue_document(
                current_actor(), chosen, step=step, title=title, seen=request.form.get("seen", "")
            )
        except Refused as refused:
            return self._list(str(refused)), 422
        flash(_("Issued: %(number)s. The changes have taken effect.", number=document.number), "success")
        return redirect(url_for("DocumentView.list"))

    def _chosen(self) -> tuple[Any, str, str]:
        chosen = [int(one) for one in request.form.getlist("case") if one.isdecimal() and len(one) < 19]
        return chosen, request.form.get("step", ""), request.form.get("title", "")

    @expose("/<int:document_id>/print")
    @has_access
    @permission_name("list")
    def print(self, document_id: int):
        """The document exactly as issued; every print is logged."""
        document = get(Document, document_id)
        paper = page(document)
        audit(current_actor(), "document:print", subject="document", subject_id=document_id)
        db.session.commit()
        return print_run(self, paper.title, [paper])
