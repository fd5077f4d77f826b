"""退役登记 the page on which the registry records the day of a student's discharge from the army."""

from datetime import date
from typing import ClassVar

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import format_date
from flask_babel import lazy_gettext as _

from app.access import Permission, current_actor
from app.kit import clock
from app.kit.operation import Refused, get
from app.kit.screen import PageView
from app.models import Student, setting_int
from app.operations.roster.discharge import record_discharge


class DischargeView(PageView):
    """One form: when she was discharged; it says until when her place is kept."""

    route_base = "/discharge"
    acts: ClassVar = {"can_discharge": Permission.CASE_EXCEPT}

    @expose("/<int:student_id>", methods=["GET", "POST"])
    @has_access
    @permission_name("discharge")
    def form(self, student_id: int):
        student, error = get(Student, student_id), None
        back = url_for("StudentScreen.show", pk=student_id, tab="changes")
        if request.method == "POST":
            try:
                day = date.fromisoformat(request.form.get("discharged_on", ""))
                until = record_discharge(current_actor(), student_id, day)
                flash(_("Recorded. The place is kept until %(day)s.", day=format_date(until)), "success")
                return redirect(back)
            except ValueError:
                error = _("Give the day of the discharge.")
            except Refused as refused:
                error = refused.reason
        page = self.render_template(
            "xueji/discharge.html", title=_("Record the discharge"), student=student, error=error, back_url=back,
            value=request.form.get("discharged_on", ""), today=clock.today(), months=setting_int("discharge_months"),
        )  # fmt: skip
        return page, 422 if error else 200
