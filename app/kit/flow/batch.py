"""批量办理 deciding: any number of cases in one act, each checked by itself, with a fixed number of statements."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import insert, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB

from app.access import Actor, Permission
from app.kit import clock
from app.kit.flow import news
from app.kit.flow.check import Decision, Reason, hindrances, notes_records
from app.kit.flow.declare import HOOKS
from app.kit.flow.ending import end_what_is_open, take_off_lists
from app.kit.flow.filling import LONGEST_TEXT, typed
from app.kit.flow.registry import by_flow, version_of
from app.kit.flow.steps import open_next, reopen_previous
from app.kit.operation import Refused, audit_columns, operation
from app.models import AuditEntry, Case, CaseEvent, CaseState, CaseStep, StepState, among, db

ACTS = frozenset({"approve", "send_back", "refuse"})


@dataclass(frozen=True)
class Outcome:
    """What became of one case: done, or the reason why not."""

    case_id: int
    number: str
    subject: str
    done: bool
    reason: Reason = None


@operation(needs=Permission.CASE_DECIDE)
def decide(
    actor: Actor,
    case_ids: Iterable[int],
    *,
    expected_step: str,
    act: str = "approve",
    opinion: str | None = None,
    records: dict[str, Any] | None = None,
    to: str = "previous",
) -> list[Outcome]:
    """Approve, send back (`to` "previous" or "applicant") or refuse cases that wait at `expected_step`.

    Whoever cannot be decided is left as it is, with its reason; the others are decided together.
    """
    opinion = (opinion or "").strip() or None
    if act not in ACTS or to not in ("previous", "applicant"):
        raise Refused(_("There is no such decision."))
    if act != "approve" and opinion is None:
        raise Refused(_("Give a reason: the applicant reads it."))
    if opinion and len(opinion) > LONGEST_TEXT:
        raise Refused(_("An opinion has at most %(most)s characters.", most=LONGEST_TEXT))
    # kept as JSON with the step and in the audit
    kept = {key: value.isoformat() if isinstance(value, date) else value for key, value in (records or {}).items()}
    decision = Decision(actor, expected_step, act, opinion, kept)
    ids = sorted(set(case_ids))
    db.session.flush()
    cases = _lock(ids)
    reasons, steps, notes = hindrances(decision, cases)
    decision = replace(decision, records=decision.records | notes)
    passed = [case_id for case_id in cases if case_id not in reasons]
    if passed:
        _decide([cases[case_id] for case_id in passed], [steps[case_id] for case_id in passed], decision, to)
    db.session.expire_all()  # what the statements changed, sessions must read again
    return [_outcome(case_id, cases.get(case_id), reasons) for case_id in ids]


def _lock(ids: list[int]) -> dict[int, Any]:
    """The cases that the actor's scope reaches, locked in order of id so that two batches never wait in a ring."""
    query = select(*Case.__table__.c).where(among(Case.__table__.c.id, ids)).order_by(Case.__table__.c.id)
    return {row.id: row for row in db.session.execute(query.with_for_update())}


def _outcome(case_id: int, case: Any, reasons: dict[int, Reason]) -> Outcome:
    if case is None:
        return Outcome(case_id, "", "", False, _("There is no such record, or it is not one of yours."))
    return Outcome(case_id, case.number, case.subject, case_id not in reasons, reasons.get(case_id))


def _decide(cases: list[Any], steps: list[Any], decision: Decision, to: str) -> None:
    ids, step_ids = [case.id for case in cases], [step.id for step in steps]
    actor, before = decision.actor, news.open_step_ids([case.id for case in cases])
    signed = {"decided_by": decision.actor.user_id, "decided_at": clock.now()}
    _write_events(step_ids, decision)
    if decision.act == "approve":
        _set_steps(among(CaseStep.id, step_ids), state=StepState.DONE, records=decision.records, **signed)
        _record(cases, steps, decision)
        _take_effect(cases, steps, actor)
        open_next(ids)
        made = [case.id for case, step in zip(cases, steps, strict=True) if step.declared["takes_effect"]]
        news.tell_applicants(actor, "decided", made)
        news.tell_next_hands(actor, ids, before)
    elif decision.act == "refuse":
        unfinished = CaseStep.state.in_((StepState.OPEN, StepState.WAITING))
        _set_steps(among(CaseStep.id, step_ids), state=StepState.CLOSED, **signed)
        _record(cases, steps, decision)
        tells = CaseStep.declared["tells_refusal"].as_boolean().is_(True)
        _set_steps(among(CaseStep.case_id, ids) & unfinished & ~tells, state=StepState.CLOSED)
        _set_cases(ids, state=CaseState.REFUSED, step_key=None, closed_at=clock.now())
        untold = select(CaseStep.case_id).where(among(CaseStep.case_id, ids), unfinished, tells).distinct()
        if still := list(db.session.scalars(untold)):
            open_next(still)
        for flow, refused in by_flow(cases):
            if flow.refused_paper:
                flow.refused_paper(actor, refused)
        take_off_lists(actor, ids, str(decision.opinion))
        news.tell_applicants(actor, "refuse", ids, decision.opinion)
        news.tell_next_hands(actor, still, before)
    else:
        first = [case.id for case, step in zip(cases, steps, strict=True) if to == "applicant" or step.position == 1]
        previous = sorted(set(ids) - set(first))
        waiting = {"state": StepState.WAITING, "opened_at": None, "due_on": None}
        _set_steps(among(CaseStep.id, step_ids), **waiting, **signed)
        _set_steps(among(CaseStep.case_id, ids) & (CaseStep.state == StepState.OPEN), **waiting)
        _set_steps(among(CaseStep.case_id, first) & (CaseStep.state == StepState.DONE), **waiting)
        _set_cases(first, state=CaseState.SENT_BACK, step_key=None)
        reopen_previous(previous)
        take_off_lists(actor, ids, str(decision.opinion))
        news.tell_applicants(actor, "send_back", first, decision.opinion)
        news.tell_next_hands(actor, previous, before, decision.opinion)
    _write_audit(ids, decision)


def _set_steps(condition, **values: Any) -> None:
    db.session.execute(update(CaseStep.__table__).where(condition).values(**values))


def _set_cases(ids: list[int], **values: Any) -> None:
    table = Case.__table__
    db.session.execute(update(table).where(among(table.c.id, ids)).values(version=table.c.version + 1, **values))


def _record(cases: list[Any], steps: list[Any], decision: Decision) -> None:
    """Keep what was recorded with each step, and write into the cases what their step has to fill in; one statement for
    each flow and set of columns."""
    noted = [pair for pair in zip(cases, steps, strict=True) if notes_records(decision.act, pair[1])]
    if decision.act != "approve":  # which every step has noted with its state
        _set_steps(among(CaseStep.id, [step.id for _case, step in noted]), records=decision.records)
    for word in ("meeting", "document"):
        kept = [step.id for _case, step in noted if step.declared.get(word)]
        if kept:
            _set_steps(among(CaseStep.id, kept), **{f"{word}_id": decision.records[f"{word}_id"]})
    groups: dict[tuple[str, int, tuple[str, ...], str | None], list[int]] = defaultdict(list)
    for case, step in noted:
        records = tuple(step.declared["records"])
        groups[case.flow, case.flow_version, records, step.declared.get("fills")].append(case.id)
    for (key, version, columns, fills), ids in groups.items():
        flow = version_of(key, version)
        given = {name: typed(flow, name, decision.records[name]) for name in columns if name in decision.records}
        given |= HOOKS[fills](given) if fills else {}
        if given:
            db.session.execute(update(Case.__table__).where(among(Case.__table__.c.id, ids)).values(**given))


def _take_effect(cases: list[Any], steps: list[Any], actor: Actor) -> None:
    effective = [case for case, step in zip(cases, steps, strict=True) if step.declared["takes_effect"]]
    for flow, ids in by_flow(effective):
        for effect in (flow.paper, flow.effect):  # the ledger quotes the number of the paper
            if effect:
                effect(actor, ids)
    made = [case.id for case in effective]
    if made:
        _set_cases(made, took_effect=True)
        news.tell_colleges(actor, made)
        end_what_is_open(actor, made)


def _write_events(step_ids: list[int], decision: Decision) -> None:
    step, actor = CaseStep.__table__.c, decision.actor
    columns = {
        "case_id": step.case_id, "student_id": step.student_id, "college_id": step.college_id,
        "student_college_id": step.student_college_id, "target_college_id": step.target_college_id,
        "act": literal(decision.act), "step_key": step.key, "role": step.role, "actor_id": literal(actor.user_id),
        "actor_name": literal(actor.name), "on_behalf_of": literal(actor.on_behalf_of or None),
        "opinion": literal(decision.opinion), "at": literal(clock.now()),
    }  # fmt: skip
    _insert_from(CaseEvent, columns, among(step.id, step_ids))


def _write_audit(ids: list[int], decision: Decision) -> None:
    case = Case.__table__.c
    detail = {"step": decision.step, "opinion": decision.opinion, "records": decision.records,
              "on_behalf_of": decision.actor.on_behalf_of}  # fmt: skip
    columns = {name: literal(value) for name, value in audit_columns(decision.actor, f"case:{decision.act}").items()}
    columns |= {"subject": literal("flow_case"), "subject_id": case.id, "college_id": case.college_id,
                "detail": literal(detail, JSONB)}  # fmt: skip
    _insert_from(AuditEntry, columns, among(case.id, ids))


def _insert_from(model: Any, columns: dict[str, Any], condition: Any) -> None:
    labelled = [value.label(name) for name, value in columns.items()]
    db.session.execute(insert(model.__table__).from_select(list(columns), select(*labelled).where(condition)))
