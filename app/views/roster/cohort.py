"""新生 freshmen: classes and student numbers for the cohort of one year, seen before they are given."""

import re
from typing import Any

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import lazy_gettext as _
from sqlalchemy import func, select

from app.access import Permission, current_actor
from app.kit.operation import Refused
from app.kit.screen import Menu, PageView
from app.models import ClassGroup, College, Major, RosterStatus, Student, db, setting, setting_int
from app.operations.roster.cohort import (
    Group,
    Numbers,
    Placed,
    assign_classes,
    assign_numbers,
    preview_classes,
    preview_numbers,
)

RULE_WORDS = {
    "entry_year": _("Entry year"), "college": _("College"), "major": _("Major"), "class": _("Class"), "serial": _("Serial"),
}  # fmt: skip
ARRIVING = (RosterStatus.ADMITTED, RosterStatus.ENROLLED)
YEARS = 6  # offered to choose from


def rule_words(rule: str) -> str:
    """The rule of student numbers as people say it; what stands between the braces' parts as it is."""
    parts = re.findall(r"\{(\w+)[^{}]*\}|([^{}]+)", rule)
    return " + ".join(str(RULE_WORDS.get(name, name)) if name else plain for name, plain in parts)


class CohortView(PageView):
    """Every major of an entry year: who has no class or number yet, and what they would get."""

    route_base = "/cohort"
    menu = Menu(_("Freshmen"), "roster", "fa-user-graduate")
    reads = Permission.COHORT_PLACE

    @expose("/")
    @has_access
    @permission_name("list")
    def list(self):
        self.update_redirect()
        years = entry_years()
        year = request.args.get("year", type=int)
        if year not in years:
            year = years[0] if years else None
        facts: dict[str, Any] = {"majors": [], "groups": [], "numbers": [], "refusals": []}
        if year is not None:
            facts = look(year)
        return self.render_template(
            "xueji/cohort.html", title=_("Freshmen"), years=years, year=year,
            rule=rule_words(setting("student_number_rule")), size=setting_int("class_size"), **facts,
        )  # fmt: skip

    @expose("/<int:year>/classes", methods=["POST"])
    @has_access
    @permission_name("list")
    def classes(self, year: int):
        placed = assign_classes(current_actor(), year, expected=request.form.get("expected", type=int))
        if placed.students:
            flash(_("%(students)s freshmen were placed, %(groups)s classes made.", students=placed.students,
                    groups=placed.groups), "success")  # fmt: skip
        return self._back(year, placed)

    @expose("/<int:year>/numbers", methods=["POST"])
    @has_access
    @permission_name("list")
    def numbers(self, year: int):
        placed = assign_numbers(current_actor(), year, expected=request.form.get("expected", type=int))
        if placed.students:
            flash(_("%(students)s student numbers were given.", students=placed.students), "success")
        return self._back(year, placed)

    def _back(self, year: int, placed: Placed):
        if not placed.students:
            flash(_("There was nothing to do; nothing was changed."), "info")
        return redirect(url_for("CohortView.list", year=year))


def entry_years() -> list[int]:
    """The years that have somebody arriving without class or number first, then the latest others."""
    waiting = func.bool_or(Student.class_group_id.is_(None) | Student.student_no.is_(None))
    query = (
        select(Student.entry_year)
        .where(Student.status.in_(ARRIVING))
        .group_by(Student.entry_year)
        .order_by(waiting.desc(), Student.entry_year.desc())
        .limit(YEARS)
    )
    return [*db.session.scalars(query)]


def look(year: int) -> dict[str, Any]:
    """The variables of xueji/cohort.html for one year; a refusal to plan is shown where the plan would be."""
    actor = current_actor()
    refusals: list[str] = []
    planned: list[Group] = []
    numbered: list[Numbers] = []
    try:
        planned = preview_classes(actor, year)
    except Refused as refusal:
        refusals.append(str(refusal))
    groups: dict[int, list[Group]] = {}
    for group in planned:
        groups.setdefault(group.major_id, []).append(group)
    majors = rows_of(year)
    to_place = sum(row["unplaced"] for row in majors)
    if not refusals and not to_place:
        try:
            numbered = preview_numbers(actor, year)
        except Refused as refusal:
            refusals.append(str(refusal))
    numbers = {one.major_id: one for one in numbered}
    for row in majors:
        row["groups"] = groups.get(row["id"], [])
        row["numbers"] = numbers.get(row["id"])
    return {
        "majors": majors, "refusals": refusals, "to_place": to_place, "may_place": bool(planned and to_place),
        "to_number": sum(row["unnumbered"] for row in majors), "may_number": bool(numbered),
        "students": sum(row["students"] for row in majors), "fresh": sum(group.fresh for group in planned),
    }  # fmt: skip


def rows_of(year: int) -> list[dict[str, Any]]:
    """Each major with freshmen of the year: how many, and how many lack a class or a number."""
    without_class = func.count().filter(Student.class_group_id.is_(None))
    without_number = func.count().filter(Student.student_no.is_(None))
    query = (
        select(
            Major.id, College.called().label("college"), Major.called().label("major"), func.count().label("students"),
            func.count(Student.class_group_id.distinct()).label("classes"), without_class.label("unplaced"),
            without_number.label("unnumbered"), func.min(Student.student_no).label("first"),
            func.max(Student.student_no).label("last"),
        )
        .join(Major, Major.id == Student.major_id)
        .join(College, College.id == Student.college_id)
        .where(Student.entry_year == year, Student.status.in_(ARRIVING))
        .group_by(Major.id, College.id)
        .order_by(College.code, Major.code)
    )  # fmt: skip
    rows = [dict(row) for row in db.session.execute(query).mappings()]
    sizes = class_sizes(year)
    return [row | {"sizes": sizes.get(row["id"], [])} for row in rows]


def class_sizes(year: int) -> dict[int, list[tuple[str, int]]]:
    """(name, members) of each class of the year, by major."""
    query = (
        select(ClassGroup.major_id, ClassGroup.name, func.count(Student.id))
        .outerjoin(
            Student, (Student.class_group_id == ClassGroup.id) & (Student.on_roll | (Student.status == "admitted"))
        )
        .where(ClassGroup.grade == year)
        .group_by(ClassGroup.id)
        .order_by(ClassGroup.major_id, ClassGroup.code)
    )
    sizes: dict[int, list[tuple[str, int]]] = {}
    for major_id, name, members in db.session.execute(query):
        sizes.setdefault(major_id, []).append((name, members))
    return sizes
