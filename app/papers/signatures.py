"""签名栏 the rows in which the steps of a flow sign its form: what the system knows of a signature, else room for a hand."""

from flask_babel import lazy_gettext as _
from markupsafe import escape
from sqlalchemy import and_, or_, select

from app.access import Role
from app.kit import clock
from app.kit.flow import Flow, Step, label
from app.kit.paper.kinds import Placeholder, chinese_date
from app.models import CaseEvent, CaseStep, StepState, among, db
from app.models.accounts.account import name_alone

BLANK_DAY = "年　　月　　日"
BLANK_MEETING = "经　　　　年　　月　　日第　　次会议研究，同意。"
SAMPLE = "签名：李四　2026年9月2日"
LONGEST = 60  # characters of a resolution or an opinion; the rest stands in the minutes, or with the case
LONGEST_REFUSAL = 200  # and of why it was refused, which is what the applicant has to read
# Noted by a step after the form was signed; the receipt and the opinion are papers themselves.
HEARD = frozenset({"informed_how", "informed_on", "defence", "legality_by", "legality_on", "legality_opinion"})


def signing_steps(flow: Flow) -> list[Step]:
    """The steps that sign on the form: not those after the change, nor what has a paper of its own."""
    last = next(place for place, step in enumerate(flow.steps) if step.takes_effect)
    return [
        step for step in flow.steps[: last + 1] if not (step.publicity or step.document or HEARD & set(step.records))
    ]


def places(flow: Flow) -> tuple[Placeholder, ...]:
    """A placeholder for each who signs; the applicant signs by hand."""
    return (
        Placeholder("sign_applicant", _("Signature of the applicant"), BLANK_DAY),
        *(Placeholder(f"sign_{step.key}", label("step", step.key), SAMPLE) for step in signing_steps(flow)),
    )


def rows(flow: Flow) -> str:
    """The rows of the form, in Chinese as papers are."""
    own, other = (
        ("学生本人签名", "家长签名") if Role.STUDENT in flow.applicants else ("学院经办人签名", "家长（亲属）签名")
    )
    applicant = (
        f'<tr><th>{own}</th><td class="sign">{{{{ sign_applicant }}}}</td><th>{other}</th>'
        f'<td class="sign">{BLANK_DAY}</td></tr>\n'
    )
    return applicant + "".join(
        f'<tr><th>{escape(label("step", step.key))}</th><td colspan="3" class="{"sign seal" if step.seal else "sign"}">'
        f"{{{{ sign_{step.key} }}}}</td></tr>\n"
        for step in signing_steps(flow)
    )


def signatures(flow: Flow, case_ids: list[int]) -> dict[int, dict[str, str]]:
    """case → what stands in the place of each who signs, or refused. A step that was sent back has not signed."""
    agreed = and_(CaseEvent.act == "approve", CaseStep.state == StepState.DONE)
    refused = and_(CaseEvent.act == "refuse", CaseStep.state == StepState.CLOSED)
    query = (
        select(CaseEvent, CaseStep.records)
        .join(CaseStep, (CaseStep.case_id == CaseEvent.case_id) & (CaseStep.key == CaseEvent.step_key))
        .where(among(CaseEvent.case_id, case_ids), or_(agreed, refused))
        .order_by(CaseEvent.id)
    )
    known = {(event.case_id, event.step_key): (event, records) for event, records in db.session.execute(query)}
    return {
        case_id: {"sign_applicant": BLANK_DAY}
        | {
            f"sign_{step.key}": _words(step, *known.get((case_id, step.key), (None, {})))
            for step in signing_steps(flow)
        }
        for case_id in case_ids
    }


def _words(step: Step, event: CaseEvent | None, records: dict) -> str:
    lines, name, day, agrees = [], "", BLANK_DAY, ""
    refused = event is not None and event.act == "refuse"
    if step.meeting and not refused:
        agreed = _short(str(records.get("resolution") or "同意"), LONGEST)
        lines.append(f"经{records['meeting']}研究：{agreed}" if records.get("meeting") else BLANK_MEETING)
    if event is not None:
        said = " ".join((event.opinion or "").split())
        if refused:
            lines.append(f"不同意：{_short(said, LONGEST_REFUSAL)}")
        elif said:
            lines.append(_short(said, LONGEST))
        elif not lines:
            agrees = "同意　"
        absent = f"（代 {name_alone(event.on_behalf_of)}）" if event.on_behalf_of else ""
        name = f"{name_alone(event.actor_name)}{absent}"
        day = chinese_date(event.at.astimezone(clock.ZONE).date())
    room, seal = "　" if name else "　" * 7, "（盖章）" if step.seal else ""
    return "\n".join([*lines, f"{agrees}{Role(step.role).label}签名：{name}{room}{seal}", day])


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[:most]}……"
