"""空缺 vacancies: open steps that nobody can sign, said before a change of accounts makes them, and on the start pages."""

from collections.abc import Container
from typing import Any

from flask import g, request, session, url_for
from flask_babel import ngettext
from sqlalchemy import func, select

from app.access import Actor, Permission, Role
from app.kit.flow import label
from app.kit.flow.hands import select_vacant, vacant_now
from app.kit.flow.registry import flow_of
from app.kit.operation import Refused
from app.models import College, db
from app.models.language import listed

SAID = "vacancies_said"
FIRST = 5


class WarnsOfVacancies:
    """A screen of accounts on which a change that leaves cases to nobody is refused the first time.

    Whoever saves the same change again has been warned.
    """

    def _edit(self, pk):
        if request.method == "POST":
            g.xueji_vacant = vacant_now()  # filling in the form may already write the change
        return super()._edit(pk)  # type: ignore[misc]  # the screen's

    def pre_update(self, item: Any) -> None:
        super().pre_update(item)  # type: ignore[misc]
        db.session.flush()
        left = newly_vacant(g.xueji_vacant)
        change = f"{item.__tablename__}:{item.id}:{len(left)}:{max(left, default=0)}"
        if not left or session.pop(SAID, None) == change:
            return
        places = offices(left)
        db.session.rollback()
        session[SAID] = change
        raise Refused(ngettext(
            "Not saved yet: %(num)s case would wait for a signature that nobody can give (%(where)s). Give somebody else"
            " the role first. To go on all the same, save the same change again.",
            "Not saved yet: %(num)s cases would wait for signatures that nobody can give (%(where)s). Give somebody else"
            " the role first. To go on all the same, save the same change again.",
            len(left), where=places,
        ))  # fmt: skip


def newly_vacant(before: Container[int]) -> dict[int, tuple[str, int | None]]:
    """The steps that nobody can sign now, and could before."""
    return {step: where for step, where in vacant_now().items() if step not in before}


def offices(left: dict[int, tuple[str, int | None]]) -> str:
    """Whose signatures those steps wait for, in words."""
    colleges = {college.id: college.name for college in db.session.scalars(select(College))}
    return listed(dict.fromkeys(
        f"{colleges.get(college or 0, '')} {Role(role).label}".strip() for role, college in left.values()
    ))  # fmt: skip


def vacancies(actor: Actor) -> dict[str, Any]:
    """The oldest cases that wait for nobody, for the start page of who looks after cases."""
    if not actor.may(Permission.CASE_OVERVIEW):
        return {}
    query = select_vacant()
    rows = db.session.execute(query.limit(FIRST)).all()
    if not rows:
        return {}
    count = len(rows)
    if count == FIRST:
        count = db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery("waiting"))) or 0
    return {"vacancies": {"count": count, "rows": [
        {
            "title": f"{flow_of(case).title} · {label('step', step.key)}", "subject": f"{case.number} {case.subject}",
            "who": step.department or Role(step.role).label, "url": url_for("CaseScreen.show", pk=case.id),
            "where": None if Role(step.role).scope != "college" else step.signing_college.name,
        }
        for step, case in rows
    ]}}  # fmt: skip
