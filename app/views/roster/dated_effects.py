"""待生效异动 decided changes that wait for their day: which, from when, and calling one off before it counts."""

from typing import Any, ClassVar

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import format_date
from flask_babel import lazy_gettext as _
from sqlalchemy import Select, select

from app.access import Permission, current_actor
from app.kit import clock
from app.kit.flow import flow_of
from app.kit.operation import Refused
from app.kit.screen import Menu, PageView
from app.kit.screen.present import TONES
from app.models import DatedEffect, EffectState, db
from app.operations.roster.dated_effects import annul

PAGE, SETTLED_SHOWN = 500, 50


class DatedEffectView(PageView):
    """What has been decided and does not count yet, by its day; the latest of what has been settled below."""

    route_base = "/dated-effects"
    menu = Menu(_("Changes to take effect"), "roster", "fa-hourglass-start")
    reads = Permission.HISTORY_READ
    acts: ClassVar = {"can_annul": Permission.CASE_EXCEPT}

    @expose("/")
    @has_access
    def list(self):
        self.update_redirect()
        return self._list()

    def _list(self, error: Any = None) -> str:
        effect, waits = DatedEffect, DatedEffect.state == EffectState.WAITING
        return self.render_template(
            "xueji/dated_effects.html", title=_("Changes to take effect"), error=error, form=request.form,
            waiting=_rows(select(effect).where(waits).order_by(effect.effective_on, effect.id).limit(PAGE)),
            settled=_rows(select(effect).where(~waits).order_by(effect.settled_at.desc(), effect.id.desc())
                          .limit(SETTLED_SHOWN)),
            may=current_actor().may(Permission.CASE_EXCEPT),
        )  # fmt: skip

    @expose("/<int:effect_id>/annul", methods=["POST"])
    @has_access
    @permission_name("annul")
    def annul(self, effect_id: int):
        try:
            annul(current_actor(), effect_id, request.form.get("reason", ""))
        except Refused as refused:
            return self._list(str(refused)), 422
        flash(_("Annulled. The student stays as she is."), "success")
        return redirect(url_for("DatedEffectView.list"))


def _rows(query: Select) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id, "case": one.case.number, "title": flow_of(one.case).title, "subject": one.case.subject,
            "url": url_for("CaseScreen.show", pk=one.case_id), "on": format_date(one.effective_on),
            "recorded": format_date(one.recorded_at.astimezone(clock.ZONE)), "reason": one.reason,
            "state": EffectState(one.state).label, "tone": TONES.get(EffectState(one.state), "muted"),
        }
        for one in db.session.scalars(query)
    ]  # fmt: skip
