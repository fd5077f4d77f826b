"""批量分组 what of a selection can be answered together: steps that record something ask each flow, step and major apart."""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.kit.flow import flow_of, label
from app.models import Case, CaseStep, Major, Student, among, db
from app.models.language import listed
from app.views.cases.page import facts

Pairs = list[tuple[CaseStep, Case]]
CLASS = "class_group_id"
WITH_FACTS = 100  # of a batch: the rest is named


def groups(pairs: Pairs) -> dict[tuple, Pairs]:
    """The parts of a selection that need answers of their own; one part where one answer fits all."""
    apart = any(step.declared["records"] or step.declared.get("meeting") for step, _case in pairs)
    if not apart:
        return {(): pairs}
    ids = [case.student_id for step, case in pairs if CLASS in step.declared["records"]]
    majors = {
        row.id: row.major_id
        for row in db.session.execute(select(Student.id, Student.major_id).where(among(Student.id, ids)))
    }
    found: dict[tuple, Pairs] = {}
    for step, case in pairs:
        into = (
            (getattr(case, "major_id", None) or majors.get(case.student_id))
            if CLASS in step.declared["records"]
            else None
        )
        found.setdefault((case.flow, step.key, into), []).append((step, case))
    return found


def parts(found: dict[tuple, Pairs]) -> list[dict[str, Any]]:
    """Each part as the page offers it: what it is, its cases, and what is posted to go on with it."""
    majors = {key[2] for key in found if key and key[2]}
    names = {major.id: str(major) for major in db.session.scalars(select(Major).where(Major.id.in_(majors)))}
    return [
        {
            "title": " · ".join(str(one) for one in (flow_of(pairs[0][1]).title, label("step", pairs[0][0].key), names.get(key[2])) if one),
            "count": len(pairs),
            "subjects": listed(case.subject for _step, case in pairs[:6]) + (" …" if len(pairs) > 6 else ""),
            "hidden": [("rowid", f"{case.id}:{step.key}") for step, case in pairs],
        }
        for key, pairs in found.items()
    ]  # fmt: skip


def why_apart() -> Any:
    return _("What these cases record differs by procedure, step or major. Decide them part by part; the selection stays"
             " on this page.")  # fmt: skip


def rows(pairs: Pairs) -> list[dict[str, Any]]:
    """The cases of a batch with what was applied for; of a long one only the first with it."""
    return [
        {
            "case": case, "note": f"{flow_of(case).title} · {label('step', step.key)}",
            "facts": [(fact[0], str(fact[1])) for fact in facts(case)] if at < WITH_FACTS else [],
        }
        for at, (step, case) in enumerate(pairs)
    ]  # fmt: skip
