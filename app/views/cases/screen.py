"""办件 cases: the list, and the page of one case with its diagram, materials, timeline and decisions."""

from typing import Any, BinaryIO, cast

from flask import abort, flash, jsonify, redirect, request, url_for
from flask_appbuilder import action, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.access import Permission, current_actor
from app.kit.filing import files_root
from app.kit.flow import decide, flow_of, let_in_late, open_draft, save_draft, submit, withdraw
from app.kit.flow.check import notes_records
from app.kit.flow.inbox import may, select_open_steps, step_for
from app.kit.flow.material import add_material, material_file, remove_material, small_file
from app.kit.flow.words import told_alone
from app.kit.operation import Faulty, Refused, get
from app.kit.screen import Api, Menu, Screen
from app.kit.screen.base import Words
from app.kit.sensitive import SENSITIVE
from app.models import Case, CaseState, CaseStep, Material, Student, among, db
from app.models.language import listed
from app.operations.cases.batches import parse
from app.operations.cases.leaving import tick
from app.operations.cases.reassigning import reassign
from app.operations.proceedings.appeals import extend
from app.views.cases.forms import application_form, can_be_saved, records_form, say_faults, values
from app.views.cases.page import file_words, page, waits_for_window
from app.views.cases.scans import shown_file
from app.views.cases.words import ACTS, LABELS, act_words, flow_name, flow_words, reason_name, step_name, step_words


class CaseScreen(Screen):
    """All cases that the reader may see. They change through decisions alone."""

    model = Case
    menu = Menu(_("All cases"), "cases", "fa-folder-open")
    reads = Permission.CASE_READ
    acts = {"decide": Permission.CASE_DECIDE, "can_reassign": Permission.CASE_REASSIGN}
    label_columns = LABELS
    quick = ("number", "subject")
    pasted = "number"
    masked = {"new_id_number": SENSITIVE["new_id_number"]}
    picks = {"state": CaseState, "flow": Words(flow_words), "step_key": Words(step_words)}
    formatters_columns = {"flow": flow_name, "step_key": step_name, "reason": reason_name}
    list_columns = ["number", "subject", "flow", "reason", "step_key", "state", "opened_at"]
    order_columns = ["number", "opened_at", "state"]
    search_columns = [
        "number", "subject", "flow", "step_key", "college", "state", "running", "due_on", "submitted_at", "opened_at",
    ]  # fmt: skip
    base_order = ("opened_at", "desc")
    list_title = _("All cases")

    def list_extras(self, shown: list[str]) -> dict[str, Any]:
        return super().list_extras(shown) | {"select_all_matching": True}

    @action("decide", _("Decide the selected"), None, "fa-check-double", single=False)
    def decide_selected(self, cases):
        abort(404)  # action_post below takes the selection before FAB would

    @expose("/action_post", methods=["POST"])
    @has_access
    @permission_name("list")
    def action_post(self):
        """The batch of the inbox, from any list of cases: those of the selection that wait for the reader."""
        actor = current_actor()
        if request.form.get("action") != "decide" or not actor.may(Permission.CASE_DECIDE):
            abort(404)
        if request.form.get("scope") == "filter":
            chosen = Case.id.in_(self.matching(request.args))
        else:
            ticked = request.form.getlist("rowid")
            chosen = among(Case.id, [int(one) for one in ticked if one.isdecimal() and len(one) < 19])
        waiting = select_open_steps(actor).where(chosen).with_only_columns(Case.id, CaseStep.key).order_by(None)
        steps = parse(f"{number}:{key}" for number, key in db.session.execute(waiting))
        if not steps:
            raise Refused(_("None of the selected cases waits for you."))
        return next(v for v in self.appbuilder.baseviews if type(v).__name__ == "InboxView").confirm_page(steps)

    @expose("/show/<pk>")
    @has_access
    def show(self, pk: str):
        case = self.datamodel.get(pk, self._base_filters)
        if case is None:
            abort(404)
        self.update_redirect()
        return self.render_template("xueji/case.html", title=f"{flow_of(case).title} {case.number}", **page(case))

    @expose("/edit/<int:case_id>", methods=["GET", "POST"])
    @has_access
    @permission_name("show")
    def fill(self, case_id: int):
        """The applicant fills in a draft, or a case that was sent back."""
        case = get(Case, case_id)
        flow, actor = flow_of(case), current_actor()
        if "save" not in may(actor, case):
            abort(403)
        student, error = get(Student, case.student_id), None
        form = application_form(flow, student, case)
        if request.method == "POST" and can_be_saved(form, flow, student, case):
            try:
                save_draft(actor, case_id, values(form))
                return redirect(url_for("CaseScreen.show", pk=case_id))
            except Faulty as faulty:
                say_faults(form, faulty.faults)
            except Refused as refused:
                error = str(refused)
        if request.method == "GET":
            open_draft(actor, case_id)
        page = self.render_template(
            "xueji/apply.html", title=flow.title, form=form, student=student, error=error, notes=waits_for_window(case),
            back_url=url_for("CaseScreen.show", pk=case_id),
        )  # fmt: skip
        return page, 422 if error or form.errors else 200

    @expose("/decide/<int:case_id>", methods=["POST"])
    @has_access
    @permission_name("show")
    def decide(self, case_id: int):
        """One act upon one case; a refusal is said on its page, changes nothing and loses nothing of what was typed."""
        actor, act = current_actor(), request.form.get("act", "")
        opinion, form = request.form.get("opinion", "").strip(), None
        said = act_words(act, step_for(actor, get(Case, case_id)))["label"] if act in ACTS else act
        try:
            if act == "submit":
                submit(actor, case_id)
            elif act == "withdraw":
                withdraw(actor, case_id, opinion or None)
            elif act == "let_in_late":
                let_in_late(actor, case_id, opinion)
            elif act == "extend":
                extend(actor, case_id, opinion)
            else:
                form = self._records(case_id, act)
                if form is not None and not form.validate():
                    return self._again(
                        case_id, form, _("Fill in what this step records: %(fields)s.", fields=faults(form))
                    )
                self._decide(case_id, act, opinion, form)
            flash(_("%(act)s: done.", act=said), "success")
        except Refused as refused:
            return self._again(case_id, form, str(refused), refused.status)
        return redirect(self._after(case_id))

    def _after(self, case_id: int) -> str:
        """The case's page, or the inbox when it is no longer the reader's to see."""
        visible = db.session.scalar(select(Case.id).where(Case.id == case_id))
        return url_for("CaseScreen.show", pk=case_id) if visible else url_for("InboxView.list")

    def _again(self, case_id: int, form: Any, why: Any, status: int = 422):
        """The page as it was sent, with what hinders above it."""
        case = db.session.get(Case, case_id)
        if case is None:
            flash(why, "danger")
            return redirect(self._after(case_id))
        title = f"{flow_of(case).title} {case.number}"
        shown = page(case, form) | {"error": why, "typed": request.form}
        return self.render_template("xueji/case.html", title=title, **shown), status

    def _records(self, case_id: int, act: str) -> Any:
        """What the reader's step records, as it was sent; None where she has none or the act records nothing."""
        case, actor = get(Case, case_id), current_actor()
        step = step_for(actor, case)
        if step is None or not notes_records(act, step):
            return None
        return records_form(flow_of(case), step.declared, case, db.session.get(Student, case.student_id))

    def _decide(self, case_id: int, act: str, opinion: str, form: Any) -> None:
        if act == "approve" and request.form.get("items_shown"):  # a department's ticks are saved with its signature
            tick(current_actor(), case_id, request.form.getlist("item"))
        (outcome,) = decide(
            current_actor(), [case_id], expected_step=request.form.get("expected_step", ""), act=act, opinion=opinion,
            records=values(form) if form is not None else None, to=request.form.get("to", "previous"),
        )  # fmt: skip
        if not outcome.done:
            raise Refused(outcome.reason)

    @expose("/checklist/<int:case_id>", methods=["POST"])
    @has_access
    @permission_name("show")
    def tick(self, case_id: int):
        """A department ticks its leaving items."""
        try:
            tick(current_actor(), case_id, request.form.getlist("item"))
            flash(_("Saved."), "success")
        except Refused as refused:
            flash(str(refused), "danger")
        return redirect(url_for("CaseScreen.show", pk=case_id))

    @expose("/reassign/<int:case_id>", methods=["POST"])
    @has_access
    @permission_name("reassign")
    def reassign(self, case_id: int):
        """Hand an open step to another; `holder` is step:user, or step: for everybody who holds its role."""
        step, _colon, user = request.form.get("holder", "").partition(":")
        case = get(Case, case_id)
        if not step.isdecimal() or len(step) > 18 or (user and not (user.isdecimal() and len(user) < 10)):
            flash(_("Choose to whom the step is handed."), "danger")
            return redirect(url_for("CaseScreen.show", pk=case.id))
        try:
            reassign(current_actor(), int(step), int(user) if user else None, request.form.get("reason", ""))
            flash(_("The step is handed on."), "success")
        except Refused as refused:
            flash(str(refused), "danger")
        return redirect(url_for("CaseScreen.show", pk=case_id))

    @expose("/upload/<int:case_id>/<kind>", methods=["POST"])
    @has_access
    @permission_name("show")
    def upload(self, case_id: int, kind: str):
        """One scan or several. A script is answered in JSON, one file after the other; without one the page comes again."""
        made, refused = [], []
        for sent in [one for one in request.files.getlist("file") if one.filename]:
            try:
                stream = cast(BinaryIO, sent.stream)
                made.append(
                    add_material(current_actor(), case_id, kind, stream, sent.filename or "", files_root=files_root())
                )
            except Refused as error:
                refused.append(str(error))
        if not made and not refused:
            refused.append(str(_("Choose a file first.")))
        if request.accept_mimetypes.best == "application/json":
            files = [file_words(one, True) for one in made]
            return jsonify(files=files, message=" ".join(refused)), 409 if refused else 201
        for said in refused:
            flash(said, "danger")
        return redirect(url_for("CaseScreen.show", pk=case_id, _anchor=f"material-{kind}"))

    @expose("/material/<int:material_id>")
    @has_access
    @permission_name("show")
    def material(self, material_id: int):
        """The file itself: pictures and PDF are shown, and nothing in them may run."""
        path, material = material_file(current_actor(), material_id, files_root=files_root())
        return shown_file(path, material.content_type, material.file_name)

    @expose("/material/<int:material_id>/small")
    @has_access
    @permission_name("show")
    def small(self, material_id: int):
        """The picture small, for the list; itself where no small one can be made."""
        path, material = material_file(current_actor(), material_id, files_root=files_root())
        small = small_file(path) if material.content_type.startswith("image/") else None
        return shown_file(small or path, "image/jpeg" if small else material.content_type, material.file_name)

    @expose("/material/<int:material_id>/remove", methods=["POST"])
    @has_access
    @permission_name("show")
    def remove(self, material_id: int):
        kind = get(Material, material_id).kind
        case = remove_material(current_actor(), material_id)
        return redirect(url_for("CaseScreen.show", pk=case.id, _anchor=f"material-{kind}"))


def faults(form: Any) -> str:
    """Every field with what is wrong with it, in one sentence."""
    return listed(
        f"{form[name].label.text} ({' '.join(map(str, errors)).rstrip('.。')})" for name, errors in form.errors.items()
    )


class CaseApi(Api):
    """Cases as JSON, for reading."""

    model = Case
    resource_name = "case"
    reads = Permission.CASE_READ
    list_columns = ["id", "number", "flow", "state", "step_key", "subject", "opened_at"]
    show_columns = [*list_columns, "reason", "submitted_at", "closed_at"]
    label_columns = LABELS | {"closed_at": _("Closed")}
    search_columns = [
        "number", "subject", "flow", "state", "step_key", "college", "running", "due_on", "submitted_at", "opened_at",
    ]  # fmt: skip
    order_columns = ["number", "opened_at"]

    def pre_get(self, data: dict[str, Any]) -> None:
        """A department is told of a case, and not why."""
        if told_alone(current_actor()) and "reason" in data["result"]:
            data["result"]["reason"] = None
