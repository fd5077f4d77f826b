"""办件总览 overview: where the open cases stand, what is late, which step holds them up, how long each takes."""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import request, send_file, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.access import Permission, current_actor
from app.kit import clock
from app.kit.flow import FLOWS, label
from app.kit.operation import audit
from app.kit.screen import Menu, PageView
from app.kit.screen.exporting import XLSX, files_folder
from app.kit.workbook.export import write_workbook
from app.models import College, db
from app.operations.cases.overview import (
    BANDS,
    Asked,
    Overview,
    Pace,
    Standing,
    WorkingDays,
    counted,
    overview,
    paces,
)
from app.workbooks.overview import BANDS as BAND_LABELS
from app.workbooks.overview import overview_export

WORST = 8  # steps in the chart of what holds cases up
Steps = list[dict[str, Any]]


class OverviewView(PageView):
    """The open cases that the reader sees: of the school, or of her own 学院."""

    route_base = "/overview"
    menu = Menu(_("Overview of cases"), "cases", "fa-chart-bar")
    reads = Permission.CASE_OVERVIEW

    @expose("/")
    @has_access
    def list(self):
        asked, today = asked_for(), clock.today()
        found, pace = overview(asked, today), paces(asked, today)
        names = college_names()
        rows = step_rows(found, pace, asked)
        worst = sorted((row for row in rows if row["held"]), key=lambda row: -row["held"])[:WORST]
        self.update_redirect()
        return self.render_template(
            "xueji/overview.html", title=_("Overview of cases"), asked=asked, whole=found.whole, rows=rows, worst=worst,
            colleges=college_rows(found, names, asked), bands=band_rows(found.whole, asked), names=names,
            several=current_actor().scope.kind != "college", flows=[(key, flow.title) for key, flow in FLOWS.items()],
            band_labels=[*enumerate(BAND_LABELS)], export_url=url_for("OverviewView.export", **dict[str, Any](request.args.to_dict())),
            overdue_url=cases_url(asked, overdue=True), all_url=cases_url(asked),
        )  # fmt: skip

    @expose("/export")
    @has_access
    @permission_name("list")
    def export(self):
        """The same figures, a row for each procedure, step and 学院."""
        asked, today, actor = asked_for(), clock.today(), current_actor()
        rows = export_rows(asked)
        with tempfile.TemporaryDirectory(dir=files_folder()) as folder:
            path = Path(folder) / "overview.xlsx"
            write_workbook(path, overview_export, overview_export.columns, rows)
            audit(actor, "overview:export", detail={"rows": len(rows), "filter": request.args.to_dict()})
            db.session.commit()
            name = f"{overview_export.title} {today}.xlsx"
            return send_file(path.open("rb"), XLSX, as_attachment=True, download_name=name)


def asked_for() -> Asked:
    """What the address asks for; what it asks in vain is left out."""
    flow, college = request.args.get("flow", ""), request.args.get("college", 0, int)
    band = request.args.get("band", -1, int)
    return Asked(
        flow if flow in FLOWS else None, college if 0 < college < 2**31 else None,
        band if 0 <= band < len(BANDS) else None, request.args.get("overdue") == "y",
    )  # fmt: skip


def college_names() -> dict[int, str]:
    return {key: name for key, name in db.session.execute(select(College.id, College.called()).order_by(College.code))}


def step_name(key: str | None) -> str:
    return str(label("step", key)) if key else gettext("With the applicant")


def step_rows(found: Overview, pace: dict[tuple[str, str], Pace], asked: Asked) -> Steps:
    """The steps that hold cases or were signed in the last year, in the order of the flows."""
    made = []
    for key, flow in FLOWS.items():
        for step in [None, *dict.fromkeys(one.key for one in flow.steps)]:
            standing, time = found.steps.get((key, step)), pace.get((key, step or ""))
            if standing is None and time is None:
                continue
            standing = standing or Standing()
            made.append({
                "flow": flow.title, "step": step_name(step), "cases": standing.cases, "overdue": standing.overdue,
                "held": standing.held, "bands": standing.bands, "pace": time,
                "days": next((one.days for one in flow.steps if one.key == step), None),
                "url": cases_url(asked, flow=key, step=step, back=step is None),
                "overdue_url": cases_url(asked, flow=key, step=step, overdue=True),
            })  # fmt: skip
    return made


def college_rows(found: Overview, names: dict[int, str], asked: Asked) -> Steps:
    return [
        {"name": name, "cases": found.colleges[key].cases, "overdue": found.colleges[key].overdue,
         "url": cases_url(asked, college=key)}
        for key, name in names.items() if key in found.colleges
    ]  # fmt: skip


def band_rows(whole: Standing, asked: Asked) -> Steps:
    return [
        {"name": str(name), "cases": whole.bands[number], "url": cases_url(asked, band=number)}
        for number, name in enumerate(BAND_LABELS)
    ]


def cases_url(asked: Asked, *, flow: str | None = None, step: str | None = None, college: int | None = None,
              band: int | None = None, overdue: bool = False, back: bool = False) -> str:  # fmt: skip
    """The list of the cases behind a figure: the filter of this page and the figure's own."""
    band = asked.band if band is None else band
    wanted: dict[str, Any] = {
        "_flt_0_running": None if back else "y", "_flt_2_state": "sent_back" if back else None,
        "_flt_2_flow": flow or asked.flow, "_flt_2_step_key": step, "_flt_0_college": college or asked.college_id,
    }  # fmt: skip
    if band is not None:
        first, last = WorkingDays(clock.today()).span(band)
        wanted |= {"_flt_0_submitted_at": first, "_flt_1_submitted_at": last + timedelta(days=1)}
    if overdue or asked.overdue:
        wanted["_flt_1_due_on"] = clock.today() - timedelta(days=1)
    chosen: dict[str, Any] = {name: str(value) for name, value in wanted.items() if value}
    return url_for("CaseScreen.list", **chosen)


def export_rows(asked: Asked) -> list[tuple]:
    names, pace, today = college_names(), paces(asked, clock.today()), clock.today()
    order = {(key, step.key): place for key, flow in FLOWS.items() for place, step in enumerate(flow.steps)}
    flows = [*FLOWS]
    found = sorted(counted(asked, today, "flow", "step", "college_id"), key=lambda row: (
        flows.index(row.flow), order.get((row.flow, row.step), -1), row.college_id
    ))  # fmt: skip
    made = []
    for flow, step, college_id, cases, overdue, held, *bands in found:
        time = pace.get((flow, step or ""))
        made.append((
            str(FLOWS[flow].title), step_name(step), names.get(college_id), int(cases), int(overdue), *map(int, bands),
            int(held),
            time.median if time else None, time.ninetieth if time else None,
        ))  # fmt: skip
    return made
