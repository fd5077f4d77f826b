"""办件 cases: the list, and the page of one case with its diagram, materials, timeline and decisions."""

from pathlib import Path
from typing import Any, BinaryIO, cast

from flask import abort, current_app, flash, redirect, request, send_file, url_for
from flask_appbuilder import action, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import format_date, format_datetime
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.access import Permission, Role, current_actor
from app.kit import clock
from app.kit.diagram import case_diagram
from app.kit.flow import FLOWS, among, decide, flow_of, label, let_in_late, save_draft, submit, withdraw
from app.kit.flow.inbox import may, select_open_steps, step_for, what_next
from app.kit.flow.material import ALLOWED, add_material, material_file, remove_material
from app.kit.flow.words import keys_of, shown_change
from app.kit.operation import NotFound, Refused, get
from app.kit.screen import Api, Menu, Screen
from app.kit.screen.base import Words
from app.kit.screen.present import TONES, mask
from app.models import Case, CaseEvent, CaseState, CaseStep, Material, Paper, Student, db, setting, setting_int
from app.models.accounts import person_name
from app.models.language import listed
from app.operations.batches import parse
from app.operations.leaving import checklist, tick
from app.operations.reassigning import may_reassign, reassign, select_holders
from app.views.case_forms import application_form, records_form, values

ACTS: dict[str, dict[str, Any]] = {
    "submit": {"label": _("Hand in"), "tone": "ok", "icon": "fa-paper-plane"},
    "approve": {"label": _("Approve"), "tone": "ok", "icon": "fa-check"},
    "send_back": {"label": _("Send back"), "tone": "warn", "icon": "fa-reply", "needs_opinion": True},
    "refuse": {"label": _("Refuse"), "tone": "bad", "icon": "fa-xmark", "needs_opinion": True,
               "confirm": _("Refuse this application? The case ends with it.")},
    "let_in_late": {"label": _("Let in outside the window"), "tone": "warn", "icon": "fa-door-open",
                    "needs_opinion": True},
    "withdraw": {"label": _("Take back"), "tone": "warn", "icon": "fa-rotate-left",
                 "confirm": _("Take this application back? The case ends with it.")},
}  # fmt: skip
HIDDEN = frozenset({"new_id_number"})  # of which the page shows what stands now masked
EVENT_TONES = {"approve": "ok", "submit": "info", "resubmit": "info", "send_back": "warn", "refuse": "bad"}
LABELS = {
    "number": _("Case"), "subject": _("Student"), "flow": _("Flow"), "state": _("State"), "step_key": _("Step"),
    "opened_at": _("Opened"), "college": _("College"), "reason": _("Reason"), "submitted_at": _("Handed in"),
    "running": _("Under way"), "due_on": _("Due"),
}  # fmt: skip


def flow_words() -> list[tuple[str, Any]]:
    return [(key, flow.title) for key, flow in FLOWS.items()]


def step_words() -> list[tuple[str, Any]]:
    return [(key, label("step", key)) for key in dict.fromkeys(s.key for flow in FLOWS.values() for s in flow.steps)]


def flow_name(key: Any) -> Any:
    return FLOWS[str(key)].title if str(key) in FLOWS else key


def step_name(key: Any) -> Any:
    return label("step", str(key)) if key else "—"


def reason_name(key: Any) -> Any:
    return label("reason", str(key)) if key else "—"


def files_root() -> Path:
    return Path(current_app.config["XUEJI_FILES"])


class CaseScreen(Screen):
    """All cases that the reader may see. They change through decisions alone."""

    model = Case
    menu = Menu(_("All cases"), "cases", "fa-folder-open")
    reads = Permission.CASE_READ
    acts = {"decide": Permission.CASE_DECIDE, "can_reassign": Permission.CASE_REASSIGN}
    label_columns = LABELS
    quick = ("number", "subject")
    pasted = "number"
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
        form = application_form(flow, case)
        if request.method == "POST" and form.validate():
            save_draft(actor, case_id, values(form))
            return redirect(url_for("CaseScreen.show", pk=case_id))
        return self.render_template(
            "xueji/apply.html", title=flow.title, form=form, student=get(Student, case.student_id),
            back_url=url_for("CaseScreen.show", pk=case_id),
        )  # fmt: skip

    @expose("/decide/<int:case_id>", methods=["POST"])
    @has_access
    @permission_name("show")
    def decide(self, case_id: int):
        """One act upon one case; a refusal is said on its page and changes nothing."""
        actor, act = current_actor(), request.form.get("act", "")
        opinion = request.form.get("opinion", "").strip()
        try:
            if act == "submit":
                submit(actor, case_id)
            elif act == "withdraw":
                withdraw(actor, case_id, opinion or None)
            elif act == "let_in_late":
                let_in_late(actor, case_id, opinion)
            elif not self._decide(case_id, act, opinion):
                return redirect(url_for("CaseScreen.show", pk=case_id))
            flash(_("%(act)s: done.", act=ACTS.get(act, {}).get("label", act)), "success")
        except NotFound:
            raise
        except Refused as refused:
            flash(str(refused), "danger")
        visible = db.session.scalar(select(Case.id).where(Case.id == case_id))
        return redirect(url_for("CaseScreen.show", pk=case_id) if visible else url_for("InboxView.list"))

    def _decide(self, case_id: int, act: str, opinion: str) -> bool:
        case, actor = get(Case, case_id), current_actor()
        step = step_for(actor, case)
        form = None
        if step is not None and act == "approve":
            student = db.session.get(Student, case.student_id)
            form = records_form(flow_of(case), step.declared, case, student)
        if form is not None and not form.validate():
            faults = [
                f"{form[name].label.text} ({' '.join(map(str, errors)).rstrip('.。')})"
                for name, errors in form.errors.items()
            ]
            flash(_("Fill in what this step records: %(fields)s.", fields=listed(faults)), "danger")
            return False
        (outcome,) = decide(
            actor, [case_id], expected_step=request.form.get("expected_step", ""), act=act, opinion=opinion,
            records=values(form) if form is not None else None, to=request.form.get("to", "previous"),
        )  # fmt: skip
        if not outcome.done:
            raise Refused(outcome.reason)
        return True

    @expose("/checklist/<int:case_id>", methods=["POST"])
    @has_access
    @permission_name("show")
    def tick(self, case_id: int):
        """A department ticks its leaving items."""
        try:
            tick(current_actor(), case_id, request.form.getlist("item"))
            flash(_("Saved."), "success")
        except NotFound:
            raise
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
        except NotFound:
            raise
        except Refused as refused:
            flash(str(refused), "danger")
        return redirect(url_for("CaseScreen.show", pk=case_id))

    @expose("/upload/<int:case_id>/<kind>", methods=["POST"])
    @has_access
    @permission_name("show")
    def upload(self, case_id: int, kind: str):
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            raise Refused(_("Choose a file first."))
        try:
            add_material(
                current_actor(), case_id, kind, cast(BinaryIO, sent.stream), sent.filename, files_root=files_root()
            )
        except NotFound:
            raise
        except Refused as refused:
            flash(str(refused), "danger")
        return redirect(url_for("CaseScreen.show", pk=case_id))

    @expose("/material/<int:material_id>")
    @has_access
    @permission_name("show")
    def material(self, material_id: int):
        """The file itself: pictures and PDF are shown, and nothing in them may run."""
        path, material = material_file(current_actor(), material_id, files_root=files_root())
        answer = send_file(path, mimetype=material.content_type, download_name=material.file_name)
        answer.headers["Content-Security-Policy"] = "default-src 'none'; img-src 'self'; object-src 'self'; sandbox"
        answer.headers["Cache-Control"] = "private, no-store"
        return answer

    @expose("/material/<int:material_id>/remove", methods=["POST"])
    @has_access
    @permission_name("show")
    def remove(self, material_id: int):
        case = remove_material(current_actor(), material_id)
        return redirect(url_for("CaseScreen.show", pk=case.id))


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


def page(case: Case) -> dict[str, Any]:
    """The variables of xueji/case.html."""
    flow, actor, acts = flow_of(case), current_actor(), may(current_actor(), case)
    state = CaseState(case.state)
    step = step_for(actor, case)
    student = db.session.get(Student, case.student_id)
    form = records_form(flow, step.declared, case, student) if step and "approve" in acts else None
    return {
        "case": {
            "number": case.number, "title": flow.title, "subject": case.subject, "state": state.label,
            "tone": TONES.get(state, "muted"), "opened": format_datetime(case.opened_at, "short"),
            "opener": person_name(case.opener),
            "subject_url": url_for("StudentScreen.show", pk=case.student_id)
            if student and actor.may(Permission.ROSTER_READ) else None,
        },
        "notes": notes(case),
        "diagram": case_diagram(case),
        "diagram_tall": case_diagram(case, tall=True),
        "facts": facts(case),
        "timeline": timeline(case),
        "materials": materials(case, "add_material" in acts),
        "next": following(case),
        "decisions": [{"key": key} | ACTS[key] for key in ACTS if key in acts],
        "decide_url": url_for("CaseScreen.decide", case_id=case.id),
        "expected_step": step.key if step else case.step_key or "",
        "form": form,
        "edit_url": url_for("CaseScreen.fill", case_id=case.id) if "save" in acts else None,
        "papers": papers(case),
        "checklist": checklist(case),
        "my_items": step.declared.get("items") if step and "approve" in acts else None,
        "my_step_id": step.id if step else None,
        "checklist_url": url_for("CaseScreen.tick", case_id=case.id),
        "holders": holders(case),
        "reassign_url": url_for("CaseScreen.reassign", case_id=case.id),
    }  # fmt: skip


def notes(case: Case) -> list[tuple[str, Any]]:
    """Why it was sent back or refused, and to whom one turns then; that it was let in late."""
    made: list[tuple[str, Any]] = []
    act = {CaseState.SENT_BACK: "send_back", CaseState.REFUSED: "refuse"}.get(CaseState(case.state))
    if act:
        said = select(CaseEvent.opinion).where(CaseEvent.case_id == case.id, CaseEvent.act == act)
        why = db.session.scalar(said.order_by(CaseEvent.id.desc()).limit(1)) or ""
        refused = _("Refused: %(why)s. Whoever disagrees may turn to: %(body)s.", why=why.rstrip(".。"),
                    body=setting("appeal_body"))  # fmt: skip
        made.append(("bad", refused) if act == "refuse" else ("warn", _("Sent back: %(why)s", why=why)))
    if case.late_reason:
        made.append(("info", _("Let in outside the window: %(why)s", why=case.late_reason)))
    return made


def facts(case: Case) -> list[tuple[Any, Any]]:
    """What was applied for and what the steps recorded, in words."""
    flow = flow_of(case)
    keys = (*keys_of(flow), *flow.derived)
    words = [(key, shown_change(flow, case, key, format_date, mask if key in HIDDEN else str)) for key in keys]
    made = [(label("field", key), word) for key, word in words if word is not None] + case.findings()
    for step in case.steps:
        agreed = [(_("Meeting"), "meeting"), (_("Document"), "document")]
        made += [(name, step.records[key]) for name, key in agreed if step.records.get(key)]
    return made


def timeline(case: Case) -> list[dict[str, Any]]:
    events = db.session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id.desc()))
    made = []
    for event in events:
        title = label("act", event.act)
        if event.step_key:
            title = f"{label('step', event.step_key)} · {title}"
        role = Role(event.role).label if event.role else ""
        who = " · ".join(str(part) for part in (event.actor_name, role) if part)
        if event.on_behalf_of:
            who = _("%(who)s, on behalf of %(absent)s", who=who, absent=event.on_behalf_of)
        made.append({
            "title": title, "when": format_datetime(event.at, "short"), "who": who, "text": event.opinion,
            "tone": EVENT_TONES.get(event.act, "muted"),
        })  # fmt: skip
    return made


def materials(case: Case, may_change: bool) -> list[dict[str, Any]] | None:
    """What the flow asks for and what is there; None for a department, which is told of the case alone."""
    if current_actor().scope.kind == "department":
        return None
    flow = flow_of(case)
    needed = {item.key for item in flow.materials_for(case)}
    query = select(Material).where(Material.case_id == case.id, ~Material.removed).order_by(Material.id)
    files: dict[str, list[Material]] = {}
    for material in db.session.scalars(query):
        files.setdefault(material.kind, []).append(material)
    most = setting_int("material_max_mb")
    return [
        {
            "label": label("material", item.key),
            "required": item.key in needed,
            "hint": _("JPG, PNG, WebP or PDF, at most %(most)s MB", most=most),
            "files": [
                {
                    "name": one.file_name, "url": url_for("CaseScreen.material", material_id=one.id),
                    "note": f"{max(one.size // 1024, 1)} KB",
                    "remove_url": url_for("CaseScreen.remove", material_id=one.id) if may_change else None,
                }
                for one in files.get(item.key, [])
            ],
            "upload_url": url_for("CaseScreen.upload", case_id=case.id, kind=item.key) if may_change else None,
            "accept": ",".join(ALLOWED.values()),
            "max_bytes": most * 1024 * 1024,
        }
        for item in flow.materials if item.key in needed or item.key in files
    ]  # fmt: skip


def following(case: Case) -> dict[str, Any] | None:
    """Who has to act next, by when."""
    waits = what_next(case)
    if not waits:
        return None
    dates = [one.by for one in waits if one.by]
    by = min(dates) if dates else None
    return {
        "who": listed(dict.fromkeys(str(one.who) for one in waits)),
        "text": listed(dict.fromkeys(str(one.what) for one in waits)),
        "by": format_date(by) if by else None,
        "overdue": bool(by and by < clock.today()),
    }


def holders(case: Case) -> list[tuple[Any, list[tuple[str, Any]]]]:
    """(step, choices) of each open step that the reader may hand on; the first choice is everybody of its role."""
    actor = current_actor()
    made = []
    for step in case.steps:
        if not may_reassign(actor, step):
            continue
        everybody = [(f"{step.id}:", _("Everybody: %(role)s", role=step.department or Role(step.role).label))]
        people = [(f"{step.id}:{user.id}", f"{person_name(user)} ({user.username})")
                  for user in db.session.scalars(select_holders(step))]  # fmt: skip
        choices = [*(everybody if step.assigned_to else []), *people]
        made.append((label("step", step.key), [one for one in choices if one[0] != f"{step.id}:{step.assigned_to}"]))
    return [(title, choices) for title, choices in made if choices]


def papers(case: Case) -> list[tuple[Any, str]]:
    made: list[tuple[Any, str]] = []
    if not current_actor().may(Permission.PAPER_PRINT):
        return made
    made.append((_("Application form"), url_for("PaperScreen.application", case_id=case.id)))
    issued = db.session.scalars(select(Paper).where(Paper.case_id == case.id).order_by(Paper.id))
    made += [(f"{paper.title} {paper.number}", url_for("PaperScreen.print", id=paper.id)) for paper in issued]
    return made
