"""办件页面 what the page of one case shows: diagram, facts, materials, timeline, what comes next, papers, decisions."""

from typing import Any

from flask import g, url_for
from flask_babel import format_date, format_datetime
from flask_babel import lazy_gettext as _
from markupsafe import Markup
from sqlalchemy import select

from app.access import Permission, Role, current_actor
from app.kit import clock
from app.kit.flow import flow_of, label
from app.kit.flow.check import hands_of, notes_records
from app.kit.flow.diagram import case_diagram
from app.kit.flow.hands import select_holders, vacancies_of
from app.kit.flow.inbox import may, sent_back_whys, step_for, what_next
from app.kit.flow.material import ACCEPT
from app.kit.flow.steps import was_refused
from app.kit.flow.window import why_closed
from app.kit.flow.words import keys_told, shown_change, told_alone
from app.kit.screen.present import TONES, masked
from app.kit.sensitive import SENSITIVE, permitted
from app.models import (
    Case,
    CaseEvent,
    CaseState,
    CaseStep,
    DatedEffect,
    EffectState,
    Material,
    Paper,
    PaperMark,
    Student,
    db,
    setting,
    setting_int,
)
from app.models.accounts.account import signature
from app.models.language import listed
from app.operations.cases.leaving import checklist
from app.operations.cases.reassigning import may_reassign
from app.operations.proceedings.appeals import why_not_extend
from app.operations.roster.spelling import why_unspelled
from app.views.cases.forms import records_form
from app.views.cases.words import ACTS, act_words, event_name

WHYS = {CaseState.SENT_BACK: "send_back", CaseState.REFUSED: "refuse", CaseState.ENDED: "end"}
EVENT_TONES = {"approve": "ok", "submit": "info", "resubmit": "info", "send_back": "warn", "refuse": "bad"}


def page(case: Case, filled: Any = None) -> dict[str, Any]:
    """The variables of xueji/case.html; `filled` is the form of the reader's step as she sent it."""
    flow, actor, acts = flow_of(case), current_actor(), may(current_actor(), case)
    if why_not_extend(actor, case) is None:
        acts.add("extend")
    state = CaseState(case.state)
    step = step_for(actor, case)
    student = db.session.get(Student, case.student_id)
    form = filled or (records_form(flow, step.declared, case, student) if step and "approve" in acts else None)
    return {
        "case": {
            "number": case.number, "title": flow.title, "subject": case.subject, "state": state.label,
            "tone": TONES.get(state, "muted"), "opened": format_datetime(case.opened_at, "short"),
            "opener": signature(case.opener),
            "subject_url": url_for("StudentScreen.show", pk=case.student_id)
            if student and actor.may(Permission.ROSTER_READ) else None,
        },
        "notes": [*notes(case), *(("warn", why) for why in waits_for_window(case)), *barred(case, step, acts), *vacant(case)],
        "diagram": case_diagram(case),
        "diagram_tall": case_diagram(case, tall=True),
        "facts": facts(case),
        "timeline": timeline(case),
        "materials": materials(case, "add_material" in acts),
        "next": following(case),
        "decisions": [{"key": key, "records": step is not None and notes_records(key, step)} | act_words(key, step) | asked(key)
                      for key in ACTS if key in acts],
        "decide_title": _("My application: %(flow)s", flow=flow.title) if actor.has(Role.STUDENT) else _("Your decision"),
        "decide_url": url_for("CaseScreen.decide", case_id=case.id),
        "expected_step": step.key if step else case.step_key or "",
        "form": form,
        "edit_url": url_for("CaseScreen.fill", case_id=case.id) if "save" in acts else None,
        "papers": papers(case, student),
        "checklist": checklist(case),
        "my_items": step.declared.get("items") if step and "approve" in acts else None,
        "my_step_id": step.id if step else None,
        "checklist_url": url_for("CaseScreen.tick", case_id=case.id),
        "holders": holders(case),
        "reassign_url": url_for("CaseScreen.reassign", case_id=case.id),
    }  # fmt: skip


def asked(act: str) -> dict[str, Any]:
    """An office that takes a case back says why."""
    return {"needs_opinion": True} if act == "withdraw" and not current_actor().has(Role.STUDENT) else {}


def notes(case: Case) -> list[tuple[str, Any]]:
    """Why it was sent back or refused, and to whom one turns then; that it was let in late."""
    made: list[tuple[str, Any]] = []
    if told_alone(current_actor()):
        return made
    effect = db.session.scalar(select(DatedEffect).where(DatedEffect.case_id == case.id))
    if effect is not None and effect.state != EffectState.APPLIED:
        return [effect_note(effect)]
    stopped = case.state in (CaseState.WITHDRAWN, CaseState.ENDED)  # where a step that sent it back is no refusal
    act = "refuse" if was_refused(case.steps) and not stopped else WHYS.get(CaseState(case.state))
    if act:
        why = last_opinion(case, act)
        made.append({
            "refuse": ("bad", refusal(flow_of(case).remedy, why.rstrip(".。"))),
            "send_back": ("warn", _("Sent back: %(why)s", why=why)), "end": ("warn", _("Ended: %(why)s", why=why)),
        }[act])  # fmt: skip
    if case.state == CaseState.OPEN and (wanted := sent_back_whys([case.id]).get(case.id)):
        said_where = {"step": label("step", case.step_key), "why": wanted}
        made.append(("warn", _("Sent back to “%(step)s”: %(why)s", **said_where)))
    if case.late_reason:
        made.append(("info", _("Let in outside the window: %(why)s", why=case.late_reason)))
    return made


def waits_for_window(case: Case) -> list[Any]:
    """Why a draft cannot be handed in today, and when it can; said before its applicant has filled in everything."""
    why = why_closed(flow_of(case), case, clock.today()) if case.state == CaseState.DRAFT else None
    return [why] if why else []


def refusal(remedy: tuple[str, str] | None, why: str) -> Any:
    """Why it was refused, and what one can do: appeal where the law has an appeal, or apply again."""
    if remedy is None:
        return _("Refused: %(why)s. What was missing can be put right and applied for again while the procedure is open;"
                 " whoever disagrees may turn to %(role)s.", why=why, role=Role.REGISTRY.label)  # fmt: skip
    body, days = remedy
    return _("Refused: %(why)s. Whoever disagrees may turn to %(body)s within %(days)s days of receiving this.",
             why=why, body=setting(body), days=setting(days))  # fmt: skip


def last_opinion(case: Case, act: str) -> str:
    """What was said when this act was last done to a case."""
    said = select(CaseEvent.opinion).where(CaseEvent.case_id == case.id, CaseEvent.act == act)
    return db.session.scalar(said.order_by(CaseEvent.id.desc()).limit(1)) or ""


def effect_note(effect: DatedEffect) -> tuple[str, Any]:
    """That a decided change waits for its day, or why it never took effect."""
    day = format_date(effect.effective_on)
    if effect.state == EffectState.WAITING:
        return "info", _("Decided. It takes effect on %(day)s; until then the roster stays as it is.", day=day)
    if effect.state == EffectState.ANNULLED:
        return "warn", _("Annulled before its day, %(day)s: %(why)s", day=day, why=effect.reason)
    return "bad", _("It could not take effect on %(day)s: %(why)s", day=day, why=effect.reason)


def barred(case: Case, step: CaseStep | None, acts: set[str]) -> list[tuple[str, Any]]:
    """Why the reader, who holds the role of the open step, cannot sign it: he had a hand in the case before."""
    actor = current_actor()
    if step is None or "approve" in acts or not actor.may(Permission.CASE_DECIDE):
        return []
    why = hands_of(actor.user_id, [case.id]).why_not(case, step)
    return [("warn", _("You cannot sign this step. %(why)s", why=why))] if why else []


def vacant(case: Case) -> list[tuple[str, Any]]:
    """That the case waits for somebody whom nobody has appointed; a department sees too little of it to tell."""
    return [] if told_alone(current_actor()) else [("bad", why) for why in vacancies_of(case)]


def facts(case: Case) -> list[tuple[Any, Any]]:
    """What was applied for and what the steps recorded, in words; for a department, what its notice says."""
    flow, actor = flow_of(case), current_actor()
    words = [(key, shown_change(flow, case, key, format_date)) for key in keys_told(flow, actor)]
    made = [(label("field", key), revealed(case, key, word)) for key, word in words if word is not None]
    if told_alone(actor):
        return made
    if told := why_unspelled(getattr(case, "new_name", None)):
        after = next(place for place, (name, _word) in enumerate(made, 1) if name == label("field", "new_name"))
        made.insert(after, (_("Pinyin"), told))
    made += case.findings()
    for step in case.steps:
        agreed = [(_("Meeting"), "meeting"), (_("Resolution"), "resolution"), (_("Document"), "document")]
        made += [(name, step.records[key]) for name, key in agreed if step.records.get(key)]
        if step.declared.get("originals") and step.records.get("originals") and step.decided_at and step.decider:
            seen = format_date(step.decided_at.astimezone(clock.ZONE).date())
            made.append((_("Originals at hand"), _("%(who)s, %(day)s", who=signature(step.decider), day=seen)))
    return made


def revealed(case: Case, key: str, word: Any) -> Any:
    """The masked words of a sensitive column, with the button that reveals it for whoever may see it."""
    if key not in SENSITIVE or not permitted(current_actor(), key):
        return word
    g.xueji_shown_row = case.id
    before, arrow, _new = word.rpartition(" → ")
    return Markup("{}{}{}").format(before, arrow, masked("CaseScreen", key, SENSITIVE[key])(getattr(case, key)))


def timeline(case: Case) -> list[dict[str, Any]]:
    events = db.session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id.desc()))
    receipts = {step.key for step in case.steps if step.declared.get("after_effect")}
    made = []
    for event in events:
        title = event_name(event.act, event.step_key in receipts)
        if event.step_key:
            title = f"{label('step', event.step_key)} · {title}"
        role = Role(event.role).label if event.role else ""
        who = " · ".join(str(part) for part in (event.actor_name, role) if part)
        if event.on_behalf_of:
            who = _("%(who)s, on behalf of %(absent)s", who=who, absent=event.on_behalf_of)
        made.append({
            "title": title, "when": format_datetime(event.at, "short"), "who": who, "text": None if told_alone(current_actor()) else event.opinion,
            "tone": EVENT_TONES.get(event.act, "muted"),
        })  # fmt: skip
    return made


def materials(case: Case, may_change: bool) -> list[dict[str, Any]] | None:
    """What the flow asks for and what is there; None for a department, which is told of the case alone."""
    if told_alone(current_actor()):
        return None
    flow = flow_of(case)
    needed = {item.key for item in flow.materials_for(case)}
    query = select(Material).where(Material.case_id == case.id, ~Material.removed).order_by(Material.id)
    files: dict[str, list[Material]] = {}
    for material in db.session.scalars(query):
        files.setdefault(material.kind, []).append(material)
    most = setting_int("material_max_mb")
    return [
        {
            "label": label("material", item.key),
            "required": item.key in needed,
            "hint": _("JPG, PNG, WebP, HEIC or PDF, at most %(most)s MB; several at once", most=most),
            "key": item.key,
            "files": [file_words(one, may_change) for one in files.get(item.key, [])],
            "upload_url": url_for("CaseScreen.upload", case_id=case.id, kind=item.key) if may_change else None,
            "accept": ACCEPT,
            "max_bytes": most * 1024 * 1024,
        }
        for item in flow.materials if item.key in needed or item.key in files
    ]  # fmt: skip


def file_words(one: Material, may_change: bool) -> dict[str, Any]:
    """A scan as the page and its script show it."""
    return {
        "name": one.file_name, "url": url_for("CaseScreen.material", material_id=one.id),
        "picture": one.content_type.startswith("image/"),
        "small": url_for("CaseScreen.small", material_id=one.id), "note": f"{max(one.size // 1024, 1)} KB",
        "remove_url": url_for("CaseScreen.remove", material_id=one.id) if may_change else None,
    }  # fmt: skip


def following(case: Case) -> dict[str, Any] | None:
    """Who has to act next, by when."""
    waits = what_next(case)
    if not waits:
        return None
    dates = [one.by for one in waits if one.by]
    by = min(dates) if dates else None
    return {
        "who": listed(dict.fromkeys(str(one.who) for one in waits)),
        "text": listed(dict.fromkeys(str(one.what) for one in waits)),
        "by": format_date(by) if by else None,
        "overdue": bool(by and by < clock.today()),
    }


def holders(case: Case) -> list[tuple[Any, list[tuple[str, Any]]]]:
    """(step, choices) of each open step that the reader may hand on; the first choice is everybody of its role."""
    actor = current_actor()
    made = []
    for step in case.steps:
        if not may_reassign(actor, step):
            continue
        everybody = [(f"{step.id}:", _("Everybody: %(role)s", role=step.department or Role(step.role).label))]
        people = [(f"{step.id}:{user.id}", signature(user))
                  for user in db.session.scalars(select_holders(step))]  # fmt: skip
        choices = [*(everybody if step.assigned_to else []), *people]
        made.append((label("step", step.key), [one for one in choices if one[0] != f"{step.id}:{step.assigned_to}"]))
    return [(title, choices) for title, choices in made if choices]


def papers(case: Case, student: Student | None) -> list[tuple[Any, str]]:
    made: list[tuple[Any, str]] = []
    if not current_actor().may(Permission.PAPER_PRINT):
        return made
    # whoever may not see her is not shown her form, but for the college through which she handed it in
    if student or case.college_id == current_actor().scope.college_id:
        made.append((_("Application form"), url_for("PaperScreen.application", case_id=case.id)))
    for paper in db.session.scalars(select(Paper).where(Paper.case_id == case.id).order_by(Paper.id)):
        name = f"{paper.title} {paper.number}"
        said = _("%(paper)s (%(mark)s)", paper=name, mark=PaperMark(paper.mark).label) if paper.mark else name
        made.append((said, url_for("PaperScreen.print", id=paper.id)))
    return made
