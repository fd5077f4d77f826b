"""学年与学期 academic years: open one, and move its terms after seeing what that would do."""

from datetime import date, timedelta
from typing import Any

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import lazy_gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from app.access import Permission, current_actor
from app.kit import clock
from app.kit.calendar import monday_of, unknown_exchanges
from app.kit.operation import Refused
from app.kit.screen import Menu, PageView
from app.models import AcademicYear, db
from app.models.language import listed
from app.operations.calendar.schedule import TermDates, year_name
from app.operations.calendar.task_state import academic_year_of
from app.operations.calendar.terms import move_terms, open_year, preview_terms
from app.operations.calendar.year_plan import terms_of

WEEKS = 20
HALF = timedelta(weeks=26)


class AcademicYearView(PageView):
    """Years that are open, the next one to open, and the editor of a year's terms with its preview."""

    route_base = "/years"
    menu = Menu(_("Years and terms"), "calendar", "fa-calendar-week")
    reads = Permission.SETTING_READ

    @expose("/", methods=["GET", "POST"])
    @has_access
    @permission_name("list")
    def list(self):
        error = None
        if request.method == "POST":
            try:
                year, autumn, spring = asked_year(request.form)
                open_year(current_actor(), year, autumn, spring)
                flash(_("The academic year %(year)s is open; all its tasks have their dates.", year=year_name(year)),
                      "success")  # fmt: skip
                if warning := unknown_days(year):
                    flash(warning, "warning")
                return redirect(url_for("AcademicYearView.edit", year=year))
            except ValueError:
                error = NOT_READ
            except Refused as refused:
                if refused.status != 409:
                    raise
                error = refused.reason
        rows = years()
        self.update_redirect()
        page = self.render_template(
            "xueji/years.html", title=_("Years and terms"), rows=rows, error=error,
            form=request.form or suggested(rows), unknown=unknown_days(suggested(rows)["year"]), may_write=current_actor().may(Permission.CALENDAR_WRITE),
        )  # fmt: skip
        return page, 422 if error else 200

    @expose("/<int:year>", methods=["GET", "POST"])
    @has_access
    @permission_name("list")
    def edit(self, year: int):
        """GET with other dates in the address shows what they would do; POST does it."""
        terms = terms_of(db.session.connection(), year) if year < 10_000 else None
        if terms is None or db.session.get(AcademicYear, year) is None:
            return redirect(url_for("AcademicYearView.list"))
        given = request.form if request.method == "POST" else request.args
        error, move, wanted = None, None, terms
        try:
            wanted = asked_terms(given) if "autumn" in given else terms
            if request.method == "POST":
                done = move_terms(current_actor(), year, *wanted, request.form.get("reason", ""),
                                  accept_outside=bool(request.form.get("accept_outside")))  # fmt: skip
                many = sum(one.colleges for one in done.moves)
                flash(ngettext("%(n)s date was moved.", "%(n)s dates were moved.", many, n=many), "success")
                return redirect(url_for("AcademicYearView.edit", year=year))
        except ValueError:
            error = NOT_READ
        except Refused as refused:
            if refused.status != 409:
                raise
            db.session.rollback()
            error = refused.reason
        may_write = current_actor().may(Permission.CALENDAR_WRITE)
        try:
            move = preview_terms(year, *wanted) if may_write else None  # who may not move it need not see the cases
        except Refused as refused:
            error = error or refused.reason
        page = self.render_template(
            "xueji/year.html", title=year_name(year), year=year, terms=terms, wanted=wanted, move=move, error=error,
            reason=request.form.get("reason", ""), changed=wanted != terms, trials=trials(year, terms),
            unknown=unknown_days(year), case_url=lambda case: url_for("CaseScreen.show", pk=case.case_id),
            may_write=may_write,
        )  # fmt: skip
        return page, 422 if error else 200


def unknown_days(year: int) -> Any | None:
    """That exchanged days within an academic year are not known yet; None if all are."""
    years = unknown_exchanges(date(year, 8, 1), date(year + 1, 7, 31))
    if not years:
        return None
    told = listed(str(one) for one in years)
    if not current_actor().may(Permission.CALENDAR_WRITE):
        return _("The exchanged days of %(years)s are not published yet: until then its working days are Monday to Friday"
                 " but statutory holidays, and due dates follow when they become known.", years=told)  # fmt: skip
    return _("The exchanged days of %(years)s are not published yet: until then its working days are Monday to Friday"
             " but statutory holidays, and due dates follow when they become known. You can enter them yourself under"
             " “Holidays and exchanged days”.", years=told)  # fmt: skip


NOT_READ = _("Give a year, two first Mondays and the number of weeks.")


def asked_terms(form: MultiDict[str, str]) -> tuple[TermDates, TermDates]:
    """The two terms of a form. Raises ValueError for what is no date or number."""
    autumn, spring = (
        TermDates(date.fromisoformat(form.get(name, "")), int(form.get(f"{name}_weeks", "")))
        for name in ("autumn", "spring")
    )
    return autumn, spring


def asked_year(form: MultiDict[str, str]) -> tuple[int, TermDates, TermDates]:
    year = int(form.get("year", ""))
    if not 1990 <= year <= 2190:
        raise ValueError(year)
    return year, *asked_terms(form)


def years() -> list[dict[str, Any]]:
    """The opened years with their terms, the latest first."""
    made = []
    for year in db.session.scalars(select(AcademicYear.year).order_by(AcademicYear.year.desc())):
        terms = terms_of(db.session.connection(), year)
        made.append(
            {"year": year, "name": year_name(year), "terms": terms, "url": url_for("AcademicYearView.edit", year=year)}
        )
    return made


def suggested(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The next year to open: 52 weeks after the last one, or the year of today."""
    if not rows or rows[0]["terms"] is None:
        year = academic_year_of(clock.today())
        autumn = monday_of(date(year, 9, 1))
        spring = autumn + HALF
        weeks = WEEKS, WEEKS
    else:
        year = rows[0]["year"] + 1
        autumn, spring = (term.first_monday + 2 * HALF for term in rows[0]["terms"])
        weeks = tuple(term.weeks for term in rows[0]["terms"])
    return {
        "year": year, "autumn": str(autumn), "spring": str(spring), "autumn_weeks": weeks[0], "spring_weeks": weeks[1],
    }  # fmt: skip


def trials(year: int, terms: tuple[TermDates, TermDates]) -> list[tuple[Any, str]]:
    """(label, address) of what is asked most: a term that begins a week earlier or later."""
    words = {
        ("autumn", 1): _("Autumn a week later"), ("autumn", -1): _("Autumn a week earlier"),
        ("spring", 1): _("Spring a week later"), ("spring", -1): _("Spring a week earlier"),
    }  # fmt: skip
    made = []
    for (season, weeks), label in words.items():
        shown = {"autumn": terms[0], "spring": terms[1]}
        moved = shown | {season: TermDates(shown[season].first_monday + timedelta(weeks=weeks), shown[season].weeks)}
        query: dict[str, Any] = {name: str(term.first_monday) for name, term in moved.items()}
        query |= {f"{name}_weeks": term.weeks for name, term in moved.items()}
        made.append((label, url_for("AcademicYearView.edit", year=year, **query)))
    return made
