"""Who may decide which case, and why not: asked for one button and for ten thousand rows alike."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import literal, null, select, union

from app.access import Actor, Role
from app.kit import clock
from app.kit.flow.apply import attached_kinds, missing_materials
from app.kit.flow.declare import HOOKS
from app.kit.flow.filling import is_fact
from app.kit.flow.gates import Found, ask_gates
from app.kit.flow.labels import label
from app.kit.flow.registry import by_flow, flow_of
from app.kit.flow.standing import counts_from, out_of_order, why_not_status
from app.kit.flow.steps import is_mine
from app.models import Case, CaseEvent, CaseState, CaseStep, Identity, StepState, Student, among, db
from app.models.language import listed

Reason = Any  # a translated sentence, or None


@dataclass(frozen=True)
class Decision:
    """One act as it was asked for. `records` are what the step must note: columns of the case, "originals"."""

    actor: Actor
    step: str
    act: str
    opinion: str | None
    records: dict[str, Any]


def hindrances(decision: Decision, cases: dict[int, Any]) -> tuple[dict[int, Reason], dict[int, Any], dict[str, Any]]:
    """Why each case that cannot be decided cannot be, the open step of each one that can, and what the gates note."""
    open_steps = _open_steps(list(cases))
    hands = hands_of(decision.actor.user_id, list(cases))
    reasons: dict[int, Reason] = {}
    steps: dict[int, Any] = {}
    for case in cases.values():
        step, reason = _step_of(decision, case, open_steps.get(case.id, []))
        reason = reason or hands.why_not(case, step) or _why_not_act(decision, case, step)
        if reason:
            reasons[case.id] = reason
        else:
            steps[case.id] = step
    if decision.act != "approve":
        refusing = {key: step for key, step in steps.items() if notes_records(decision.act, step)}
        said = {"resolution": decision.records.get("resolution") or decision.opinion}  # of the meeting that refused
        found = ask_gates(decision.records | said, refusing) if refusing else Found()
        return reasons | found.reasons, steps, found.notes
    found = _not_ready(decision.records, cases, steps)
    return reasons | found.reasons, steps, found.notes


def foreseen(cases: dict[int, Any], steps: dict[int, Any]) -> dict[int, Reason]:
    """Why cases could not be approved as they stand, whatever will be recorded with the decision; by id."""
    return _not_ready(None, cases, steps).reasons


def _not_ready(records: dict[str, Any] | None, cases: dict[int, Any], steps: dict[int, Any]) -> Found:
    """Why the cases may not pass their steps, with what the gates note; without records: whatever they will be."""

    def left() -> dict[int, Any]:
        return {key: step for key, step in steps.items() if key not in reasons}

    reasons = _missing(cases, steps)
    reasons |= _wrong_status({key: cases[key] for key in left()}, steps)
    reasons |= _no_grounds(cases, left())
    found = ask_gates(records, left())
    reasons |= found.reasons
    if records is not None:
        return Found(reasons | _against_rules(records | found.notes, left()), found.notes)
    untold = {key: step for key, step in left().items() if not step.declared["records"]}
    return Found(reasons | _against_rules({}, untold))


def _open_steps(ids: list[int]) -> dict[int, list[Any]]:
    table = CaseStep.__table__
    query = select(*table.c).where(among(table.c.case_id, ids), table.c.state == StepState.OPEN)
    found: dict[int, list[Any]] = {}
    for step in db.session.execute(query):
        found.setdefault(step.case_id, []).append(step)
    return found


def _step_of(decision: Decision, case: Any, steps: list[Any]) -> tuple[Any, Reason]:
    """The step that the decision is about, or why there is none for this actor."""
    if case.state != CaseState.OPEN:
        return None, _("It waits for nobody's decision: %(state)s.", state=CaseState(case.state).label)
    expected = [step for step in steps if step.key == decision.step]
    if not steps:  # it has some, at another college, whose rows are hidden from this actor
        return None, _("What it waits for now is not yours to sign.")
    if not expected:
        now = label("step", steps[0].key)
        return None, _("It has moved on and waits at “%(step)s” now. Reload the page.", step=now)
    mine = [step for step in expected if is_mine(decision.actor, step)]
    if mine:
        return mine[0], None
    role = Role(expected[0].role)
    if role not in decision.actor.roles:
        return None, _("This step is signed by: %(role)s.", role=role.label)
    if any(step.assigned_to not in (None, decision.actor.signs_as) for step in expected):
        return None, _("This step was handed to somebody else, who signs it now.")
    if role == Role.DEPARTMENT:
        return None, _("Your department has nothing open here.")
    return None, _("Only the college of the case signs this step.")


class Hands:
    """What the actor has done in these cases before, and whether one of them is about herself."""

    def __init__(self, done: dict[int, set[str]], self_as: set[int]) -> None:
        self.done = done
        self.self_as = self_as

    def why_not(self, case: Any, step: Any) -> Reason:
        if case.student_id in self.self_as:
            return _("Nobody signs a case of her own.")
        same = self.done.get(case.id, set()) & set(step.declared["hands_differ_from"])
        if not same:
            return None
        if "about" in same:
            return _("You had a hand in the decision that this case is about; this step needs another hand.")
        if "submit" in same:
            return _("You handed this case in; this step needs another hand.")
        return _("You signed “%(step)s” of this case; this step needs another hand.", step=label("step", min(same)))


def hands_of(user_id: int, ids: list[int]) -> Hands:
    """What she has done in these cases, and whether she had a hand in the case that each is about."""
    case, event = Case.__table__.c, CaseEvent.__table__.c
    hers = event.actor_id == user_id, event.act.in_(("submit", "resubmit", "approve"))
    own = select(event.case_id, event.act, event.step_key).where(among(event.case_id, ids), *hers)
    about = (
        select(case.id, literal("about"), null())
        .join(CaseEvent.__table__, event.case_id == case.appealed_case_id)
        .where(among(case.id, ids), *hers)
    )
    done: dict[int, set[str]] = {}
    for case_id, act, step_key in db.session.execute(union(own, about)):
        done.setdefault(case_id, set()).add({"approve": step_key, "about": "about"}.get(act, "submit"))
    herself = select(Identity.student_id).where(Identity.user_id == user_id, Identity.student_id.is_not(None))
    return Hands(done, set(db.session.scalars(herself)))


def notes_records(act: str, step: Any) -> bool:
    """Whether this act upon a case at this step notes what the step records."""
    return act == "approve" or (act == "refuse" and step.declared.get("refusal") == "recorded")


def _why_not_act(decision: Decision, case: Any, step: Any) -> Reason:
    if decision.act != "approve" and step.declared["after_effect"]:
        return _("The change has taken effect: it can no longer be undone here.")
    if decision.act == "refuse" and step.declared.get("refusal") == "barred":
        return _("Others have decided this; here it is carried out. If something is wrong, send it back.")
    if not notes_records(decision.act, step):
        return None
    if decision.act == "approve" and step.declared["originals"] and not decision.records.get("originals"):
        return _("Confirm that the originals are at hand: only then does the change take effect.")
    empty = [name for name in step.declared["records"]
             if decision.records.get(name) in (None, "") and getattr(case, name) is None]  # fmt: skip
    if (name := _still_to_come(decision, case, step)) is not None:
        return _("%(field)s: this day is still to come.", field=label("field", name))
    if empty:
        return _("This step must record: %(fields)s.", fields=listed(label("field", name) for name in empty))
    return None


def _still_to_come(decision: Decision, case: Any, step: Any) -> str | None:
    """The first column to be recorded that tells the day of something that has happened, and is given a day to come."""
    for name in step.declared["records"]:
        said = str(decision.records.get(name) or "")
        try:
            if is_fact(flow_of(case), name) and date.fromisoformat(said) > clock.today():
                return name
        except ValueError:
            continue  # what is no day is said where it is read
    return None


def _missing(cases: dict[int, Any], steps: dict[int, Any]) -> dict[int, Reason]:
    """Cases whose first step would pass without what must be attached before."""
    first = [case_id for case_id, step in steps.items() if step.position == 1]
    kinds = attached_kinds(first) if first else {}
    reasons = {}
    for case_id in first:
        missing = missing_materials(flow_of(cases[case_id]), cases[case_id], kinds.get(case_id, set()))
        if missing:
            reasons[case_id] = _("Not attached: %(materials)s.", materials=listed(missing))
    return reasons


def _wrong_status(cases: dict[int, Any], steps: dict[int, Any]) -> dict[int, Reason]:
    """Cases whose change would be made to a student whose roster has changed since, or changes by another of them;
    locks the students."""
    making = [cases[case_id] for case_id in sorted(cases) if steps[case_id].declared["takes_effect"]]
    if not making:
        return {}
    table = Student.__table__.c
    ids = sorted({case.student_id for case in making})
    query = select(table.id, table.status, table.registered).where(among(table.id, ids)).order_by(table.id)
    found = {row.id: row for row in db.session.execute(query.with_for_update())}
    changing = [case for case in making if flow_of(case).changes_roster]
    late = out_of_order({case.id: (case.student_id, counts_from(flow_of(case), case)) for case in changing})
    reasons: dict[int, Reason] = {}
    first: dict[int, Any] = {}  # of several changes of one student the first is made, and the others are looked at anew
    for case in making:
        flow, student = flow_of(case), found[case.student_id]
        reason = why_not_status(flow, student.status, student.registered) or late.get(case.id)
        if reason is None and flow.changes_roster and first.setdefault(case.student_id, case) is not case:
            reason = _("%(number)s of the same student is decided together with it. Look at this one again afterwards.",
                       number=first[case.student_id].number)  # fmt: skip
        if reason:
            reasons[case.id] = reason
    return reasons


def _no_grounds(cases: dict[int, Any], steps: dict[int, Any]) -> dict[int, Reason]:
    """Cases, not in effect yet, whose ground no longer holds: it is looked at again at every signature."""
    undecided = [cases[case_id] for case_id, step in steps.items() if not step.declared["after_effect"]]
    reasons: dict[int, Reason] = {}
    for flow, ids in by_flow(undecided):
        if flow.grounds:
            reasons |= flow.grounds(ids, {})
    return reasons


def no_longer_fit(cases: dict[int, Any]) -> dict[int, Reason]:
    """Why changes that were decided for a later day cannot be made as their students stand now; locks the students."""
    table = CaseStep.__table__
    making = table.c.declared["takes_effect"].as_boolean()
    query = select(*table.c).where(among(table.c.case_id, list(cases)), making, table.c.state == StepState.DONE)
    steps = {step.case_id: step for step in db.session.execute(query)}
    reasons = _wrong_status(cases, steps)
    return reasons | _against_rules({}, {key: step for key, step in steps.items() if key not in reasons})


def _against_rules(records: dict[str, Any], steps: dict[int, Any]) -> dict[int, Reason]:
    by_rule: dict[str, list[int]] = {}
    for case_id, step in steps.items():
        if step.declared["rule"]:
            by_rule.setdefault(step.declared["rule"], []).append(case_id)
    reasons: dict[int, Reason] = {}
    for name, ids in by_rule.items():
        reasons |= HOOKS[name](ids, records)
    return reasons
