"""申请 apply: what I may apply for now, and the form that opens a case."""

from typing import Any

from flask import abort, request, url_for
from flask import redirect as go
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import lazy_gettext as _

from app.access import Permission, current_actor
from app.kit import clock
from app.kit.flow import FLOWS, Flow, WindowState, open_case, window_state
from app.kit.flow.diagram import flow_diagram
from app.kit.flow.inbox import flows_open_to
from app.kit.flow.standing import why_not_status
from app.kit.flow.window import why_outside
from app.kit.operation import Faulty, Refused, get
from app.kit.screen import Menu, PageView
from app.models import Student
from app.views.cases.forms import application_form, can_be_saved, say_faults, values


class ApplyView(PageView):
    """The student for herself, the clerk for a student of her college, the registry as an exception."""

    route_base = "/apply"
    menu = Menu(_("Apply"), "cases", "fa-file-pen")
    reads = Permission.CASE_OPEN

    @expose("/")
    @has_access
    def list(self):
        actor = current_actor()
        student = self._student(request.args.get("student", type=int) or max(actor.scope.student_id, 0))
        keys = list(FLOWS) if actor.may(Permission.CASE_EXCEPT) else flows_open_to(actor)
        flows = sorted(
            (offered(FLOWS[key], student) for key in keys), key=lambda one: (not one["fits"], not one["open"])
        )
        self.update_redirect()
        return self.render_template(
            "xueji/apply_list.html", title=_("Apply"), student=student, flows=flows,
            lookup_url=url_for("StudentScreen.lookup"), chooses=actor.scope.kind != "student",
        )  # fmt: skip

    @expose("/<key>/<int:student_id>", methods=["GET", "POST"])
    @has_access
    @permission_name("list")
    def open(self, key: str, student_id: int):
        flow, student = FLOWS.get(key), self._student(student_id)
        if flow is None or student is None:
            abort(404)
        form = application_form(flow, student)
        exception = current_actor().may(Permission.CASE_EXCEPT)
        late, error = request.form.get("late_reason", "").strip() or None if exception else None, None
        if request.method == "POST" and can_be_saved(form, flow, student, late_reason=late):
            try:
                case = open_case(current_actor(), flow, student_id, values(form), late_reason=late)
                return go(url_for("CaseScreen.show", pk=case.id))
            except Faulty as faulty:
                say_faults(form, faulty.faults)
            except Refused as refused:
                error = str(refused)
        page = self.render_template(
            "xueji/apply.html", title=flow.title, form=form, student=student, error=error, exception=exception,
            notes=closed_notes(flow, student),
            diagram=flow_diagram(flow), diagram_tall=flow_diagram(flow, tall=True), back_url=url_for("ApplyView.list"),
        )  # fmt: skip
        return page, 422 if error or form.errors else 200

    def _student(self, student_id: int) -> Student | None:
        return get(Student, student_id) if student_id else None


def closed_notes(flow: Flow, student: Student) -> list[Any]:
    """Outside the window: that the form can be saved and not handed in, since when and until when."""
    if flow.window is None:
        return []
    why = why_outside(window_state(flow.window.keys, clock.today(), student.college_id), clock.today())
    if why is None:
        return []
    special = [_("For illness and enlistment: within a week of the diagnosis or notice.")] if flow.window.unless else []
    return [why, *special, _("You can save the form as a draft now; it cannot be handed in outside the window.")]


def offered(flow: Flow, student: Student | None) -> dict[str, Any]:
    """One flow as a card: what it is for, whether it is open, and for whom."""
    college_id = student.college_id if student else None
    state = window_state(flow.window.keys, clock.today(), college_id) if flow.window else WindowState(True)
    special = bool(flow.window and flow.window.unless)
    begins = state.open or special or current_actor().may(Permission.CASE_EXCEPT)
    fits = student is None or why_not_status(flow, student.status, student.registered) is None
    return {
        "key": flow.key,
        "title": flow.title,
        "open": state.open,
        "fits": fits,
        "special": special,
        "until": state.closes_on if state.open else None,
        "opens": state.opens_on if state.opens_on and state.opens_on > clock.today() else None,
        "url": url_for("ApplyView.open", key=flow.key, student_id=student.id) if student and fits and begins else None,
    }
