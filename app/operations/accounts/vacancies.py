"""空缺 vacancies: steps that nobody can sign are told, each week that they last, to those who can do something about it."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

from flask_babel import lazy_gettext as _

from app.access import Actor, Role
from app.kit.flow.hands import select_vacant
from app.kit.jobs.due import Due, Staff, due_source
from app.models import db


@due_source("vacancies")
def vacant_roles(actor: Actor, today: date) -> Iterator[Due]:
    """One notice for each role that nobody holds where it is needed: to the registry, the college, the administrator."""
    waiting = Counter(
        (step.role, step.department or (step.signing_college if Role(step.role).scope == "college" else None))
        for step, _case in db.session.execute(select_vacant())
    )
    staff, week = Staff(), "{}-{}".format(*today.isocalendar())
    for (name, place), count in waiting.items():
        role = Role(name)
        college_id = place.id if place is not None and role.scope == "college" else None
        clerks = staff.holding(Role.COLLEGE_CLERK, college_id=college_id) if college_id else ()
        office = f"{place} · {role.label}" if place is not None else str(role.label)
        for users, path in (
            ((*staff.holding(Role.REGISTRY), *clerks), "/"),
            (staff.holding(Role.ADMIN), "/identityscreen/list/"),
        ):
            yield Due(
                key=f"vacancy:{name}:{place.id if place is not None else 0}:{week}", users=users,
                title=_("Nobody can sign: %(n)s cases wait for “%(office)s”", n=count, office=office),
                text=_("No account in use holds this role there, or whoever does has had a hand in the cases. The"
                       " administrator of accounts has to give the role to somebody."), path=path,
            )  # fmt: skip
