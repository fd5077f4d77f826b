"""办件通知 news: what happens to a case is told to who applied, and to those whose hands it comes to, once each.

One act is told with a fixed number of statements however many cases it decides; of several cases at once a person gets
one notice with their number. What people wrote stands in the notice alone, never in its letter.
"""

import re
from collections import defaultdict
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select, true, union

from app.access import Actor, Role
from app.kit.flow.labels import label
from app.kit.flow.registry import FLOWS
from app.kit.jobs.due import in_language, raise_notices
from app.models import Case, CaseEvent, CaseStep, Holder, Identity, RosterChange, StepSigner, StepState, among, db

# act → (title, text) of the applicant's notice; “{…}” is filled in for each case after it was translated.
TO_APPLICANT: dict[str, tuple[Any, Any]] = {
    "submit": (_("Handed in for you: {flow} {number}"), _("The college has handed it in.")),
    "send_back": (_("Sent back: {flow} {number}"), _("Put it right and hand it in again. Reason: {why}")),
    "refuse": (_("Refused: {flow} {number}"), _("Reason: {why}")),
    "withdraw": (_("Taken back: {flow} {number}"), _("The college has taken it back. Reason: {why}")),
    "let_in_late": (_("Let in outside the window: {flow} {number}"), _("It can be handed in now.")),
    "decided": (_("Approved: {flow} {number}"), _("It has been decided. Its page says what follows, and from when.")),
    "extend": (_("The review takes longer: {flow} {number}"), _("Reason: {why}")),
    "revoke": (_("Revoked on appeal: {flow} {number}"), _("The decision no longer holds.")),
    "end": (_("Ended: {flow} {number}"), _("It ended because the student has left the roster.")),
}
LETTER = _("What was said about it is on its page.")
SEVERAL = _("{count} cases, the first of them {number}. Each is listed under “All cases”.")
WAITS = (_("Waits for you: {flow}, {step} ({number})"), _("{subject}. Sign it by {due}."))
WAIT = (_("{count} cases wait for you: {flow}, {step}"), _("They were handed to you in one act. Sign them by {due}."))
BACK = (_("Sent back to you: {flow}, {step} ({number})"), _("{subject}. Sign it again by {due}. Reason: {why}"))
BACKS = (_("{count} cases were sent back to you: {flow}, {step}"), _("Sign them again by {due}. Reason: {why}"))
SIGN = _("Sign by {due}.")
LONGER = (_("More time: {flow} {number}"), _("The review can take until {due}."))
GONE = (_("Taken back: {flow} {number}"), _("It waits for you no more."))


CHANGED = (_("On the roster: {flow} {number}"),
           _("{subject}, from {day}. Its numbered notice is under “Papers”: hand it on, and act on it."))  # fmt: skip
CHANGES = (_("{count} changes on the roster: {flow}"),
           _("The first of them is {number}. Their numbered notices are under “Papers”: hand them on."))  # fmt: skip
ON_ROSTER = _("It counts from {day}. Its numbered notice is under “Papers”.")


def open_step_ids(case_ids: list[int]) -> set[int]:
    """The steps that are open now; asked before an act, so that it tells of those that it opens."""
    query = select(CaseStep.id).where(among(CaseStep.case_id, case_ids), CaseStep.state == StepState.OPEN)
    return set(db.session.scalars(query))


def tell_applicants(
    actor: Actor, act: str, case_ids: list[int], why: str | None = None, *, students: bool = True
) -> None:
    """Tell of an act whoever applied: the student, where it is hers to apply, and who opened the case for her."""
    if not case_ids:
        return
    own = [key for key, flow in FLOWS.items() if Role.STUDENT in flow.applicants]
    table = Case.__table__.c
    openers = select(table.id.label("case_id"), table.opened_by.label("user_id")).where(among(table.id, case_ids))
    hers = (
        select(table.id, Identity.user_id)
        .join(Identity, Identity.student_id == table.student_id)
        .where(among(table.id, case_ids), table.flow.in_(own))
    )
    people = union(openers, hers).subquery()
    herself = select(Identity.user_id).where(Identity.student_id == table.student_id).correlate(Case.__table__)
    query = (
        select(people.c.user_id, table.flow, func.count().label("count"), func.min(table.id).label("case_id"),
               func.min(table.number).label("number"), func.max(_last_event(table.id)).label("event"))
        .join(people, people.c.case_id == table.id)
        .where(people.c.user_id != actor.user_id)
        .where(true() if students else people.c.user_id.not_in(herself))
        .group_by(people.c.user_id, table.flow)
    )  # fmt: skip
    said: dict[str, dict[str, list[str]]] = {}
    several, letter = _both(SEVERAL), _both(LETTER)
    news = []
    for row in db.session.execute(query):
        said.setdefault(row.flow, _sentences(row.flow, *TO_APPLICANT[act]))
        values = {"number": row.number, "why": why or "", "count": row.count}
        one = {language: [_fill(part, values) for part in said[row.flow][language]] for language in ("zh", "en")}
        if row.count > 1:
            for language in ("zh", "en"):
                one[language][1] = _fill(several[language], values) + (f" {why}" if why else "")
        news.append(_notice(
            f"case:{row.event}:{act}", [row.user_id], one,
            f"/casescreen/show/{row.case_id}" if row.count == 1 else f"/casescreen/list/?_flt_0_flow={row.flow}",
            letter if why else None,
        ))  # fmt: skip
    raise_notices(news)


def tell_next_hands(actor: Actor, case_ids: list[int], before: set[int], back: str | None = None) -> None:
    """Tell those who can sign the steps that an act has opened, which were not among the open ones `before` it; `back` is the
    reason why they were sent back to them."""
    step, case = CaseStep, Case.__table__.c
    columns = (
        func.count().label("count"), func.min(step.id).label("step_id"), func.min(case.id).label("case_id"),
        func.min(case.number).label("number"), func.min(case.subject).label("subject"),
        func.min(step.due_on).label("due_on"), func.max(_last_event(case.id)).label("event"),
    )  # fmt: skip
    if not case_ids:
        return
    query = (
        select(StepSigner.user_id, case.flow, step.key, *columns)
        .join(step, step.id == StepSigner.step_id)
        .join(Case.__table__, case.id == step.case_id)
        .where(among(StepSigner.case_id, case_ids), ~among(StepSigner.step_id, sorted(before)))
        .where(StepSigner.user_id != actor.user_id)
        .group_by(StepSigner.user_id, case.flow, step.key)
    )
    same: dict[tuple, list[int]] = defaultdict(list)  # what is told alike → to whom
    for user_id, *told in db.session.execute(query):
        same[tuple(told)].append(user_id)
    news, outside = [], _both(SIGN)
    for (flow, key, count, step_id, case_id, number, subject, due_on, event), users in same.items():
        values = {"number": number, "subject": subject, "count": count, "due": due_on, "why": back or ""}
        one_or_more = (WAITS, WAIT) if back is None else (BACK, BACKS)
        words = _sentences(flow, *one_or_more[count > 1], step=label("step", key))
        one = {language: [_fill(part, values) for part in words[language]] for language in words}
        path = f"/casescreen/show/{case_id}" if count == 1 else f"/inbox/?flow={flow}"
        # names of students do not leave the house
        letter = {language: _fill(outside[language], values) for language in words}
        news.append(_notice(f"waits:{step_id}:{event}", users, one, path, letter))
    raise_notices(news)


def tell_former_hands(actor: Actor, case_ids: list[int], user_ids: list[int]) -> None:
    """Tell those for whom a case waited that it does so no more: it was taken back."""
    query = select(Case.id, Case.flow, Case.number, _last_event(Case.id).label("event")).where(among(Case.id, case_ids))
    users = [user_id for user_id in user_ids if user_id != actor.user_id]
    raise_notices([
        _notice(f"gone:{row.event}", users, {
            language: [_fill(part, {"number": row.number}) for part in parts]
            for language, parts in _sentences(row.flow, *GONE).items()
        }, f"/casescreen/show/{row.id}")
        for row in db.session.execute(query)
        if users
    ])  # fmt: skip


def tell_more_time(actor: Actor, case_ids: list[int]) -> None:
    """Tell those for whom the cases wait that they have more time."""
    columns = (
        Case.id,
        Case.flow,
        Case.number,
        _last_event(Case.id).label("event"),
        func.max(CaseStep.due_on).label("due"),
    )
    query = (
        select(*columns, func.array_agg(StepSigner.user_id.distinct()).label("users"))
        .join(CaseStep, CaseStep.case_id == Case.id)
        .join(StepSigner, StepSigner.step_id == CaseStep.id)
        .where(among(Case.id, case_ids))
        .group_by(Case.id)
    )
    raise_notices([
        _notice(f"longer:{row.event}", [one for one in row.users if one != actor.user_id], {
            language: [_fill(part, {"number": row.number, "due": row.due}) for part in parts]
            for language, parts in _sentences(row.flow, *LONGER).items()
        }, f"/casescreen/show/{row.id}")
        for row in db.session.execute(query)
    ])  # fmt: skip


def tell_colleges(actor: Actor, case_ids: list[int]) -> None:
    """Tell the clerk and the leader of a student's college of the change that has just been entered into the ledger; of
    a move, those of both colleges."""
    case, change = Case.__table__.c, RosterChange.__table__.c
    columns = (
        func.count().label("count"), func.max(change.id).label("entry"), func.min(case.id).label("case_id"),
        func.min(case.number).label("number"), func.min(case.subject).label("subject"),
        func.min(change.effective_on).label("day"),
    )  # fmt: skip
    query = (
        select(Holder.user_id, case.flow, *columns)
        .join(change.id.table, Holder.college_id.in_((change.old_college_id, change.new_college_id)))
        .join(Case.__table__, case.id == change.case_id)
        .where(among(case.id, case_ids), Holder.role.in_((Role.COLLEGE_CLERK, Role.COLLEGE_LEADER)))
        .where(Holder.user_id != actor.user_id)
        .group_by(Holder.user_id, case.flow)
    )
    same: dict[tuple, list[int]] = defaultdict(list)  # what is told alike → to whom
    for user_id, *told in db.session.execute(query):
        same[tuple(told)].append(user_id)
    news, outside = [], _both(ON_ROSTER)
    for (flow, count, entry, case_id, number, subject, day), users in same.items():
        values = {"number": number, "subject": subject, "count": count, "day": day}
        words = _sentences(flow, *(CHANGED if count == 1 else CHANGES))
        one = {language: [_fill(part, values) for part in words[language]] for language in words}
        path = f"/casescreen/show/{case_id}" if count == 1 else f"/casescreen/list/?_flt_0_flow={flow}"
        letter = {language: _fill(outside[language], values) for language in words} if count == 1 else None
        news.append(_notice(f"changed:{entry}", users, one, path, letter))
    raise_notices(news)


def signers_of(case_ids: list[int]) -> list[int]:
    """Those for whom the cases wait now."""
    return list(db.session.scalars(select(StepSigner.user_id).where(among(StepSigner.case_id, case_ids)).distinct()))


def _last_event(case_id: Any) -> Any:
    """The line of the timeline that an act has just written: it makes the notice that one act raises its own."""
    event = CaseEvent.__table__.alias()
    return select(func.max(event.c.id)).where(event.c.case_id == case_id).scalar_subquery()


def _both(words: Any) -> dict[str, str]:
    return {language: in_language(language, words) for language in ("zh", "en")}


def _sentences(flow: str, *words: Any, **more: Any) -> dict[str, list[str]]:
    """The sentences in both languages, with what is the same for all cases of a flow filled in."""
    return {
        language: [
            _fill(in_language(language, part), {"flow": in_language(language, FLOWS[flow].title)}
                  | {name: in_language(language, value) for name, value in more.items()})
            for part in words
        ]
        for language in ("zh", "en")
    }  # fmt: skip


def _fill(sentence: str, values: dict[str, Any]) -> str:
    """Fill in what is between braces, in one go: what is filled in is not looked through for braces of its own."""
    return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], found[0])), sentence)


def _notice(
    key: str, users: list[int], said: dict[str, list[str]], path: str, letter: dict[str, str] | None = None
) -> dict[str, Any]:
    (zh, body_zh), (en, body_en) = said["zh"], said["en"]
    letter = letter or {"zh": body_zh, "en": body_en}
    return {
        "users": users, "key": key, "page": path, "zh": zh, "en": en, "body_zh": body_zh, "body_en": body_en,
        "letter_zh": letter["zh"], "letter_en": f"{en}\n{letter['en']}",
    }  # fmt: skip
