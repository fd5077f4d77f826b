"""关口 what steps ask of proceedings: a meeting that agreed, the end of a publicity, a document."""

from typing import Any

from flask_babel import format_date
from flask_babel import lazy_gettext as _
from sqlalchemy import Date, cast, exists, func, or_, select

from app.access import Role
from app.kit import clock
from app.kit.flow.gates import Found, Reasons, Steps, gate
from app.kit.operation import Refused
from app.models import Case, Document, Meeting, MeetingKind, Objection, Publicity, PublicityEntry, among, db
from app.models.text import clean_lines

LONGEST_RESOLUTION = 2000
AGREED = "同意"  # what a meeting resolved on a case where nothing else is said; records are in Chinese


def meeting_named(number: Any, kind: str | None = None) -> Meeting:
    """The meeting that a form names by its id: one that has been held, of this kind where one is given, and whose minutes
    are at hand. Raises Refused."""
    number = str(number or "")
    meeting = db.session.get(Meeting, int(number)) if number.isdecimal() and len(number) < 10 else None
    if meeting is None or meeting.cancelled:
        raise Refused(_("This step must record the meeting that agreed. Choose it, or record it first."))
    if meeting.held_on > clock.today():
        raise Refused(_("The meeting is dated %(day)s, which is still to come.", day=meeting.held_on))
    if kind is not None and (wrong := why_not_kind(meeting, kind)):
        raise Refused(wrong)
    if meeting.minutes_path is None:
        raise Refused(_("The minutes of the meeting %(meeting)s are not attached yet. Attach their scan under “Meetings”.",
                        meeting=str(meeting)))  # fmt: skip
    return meeting


def why_not_kind(meeting: Meeting, kind: str) -> Any | None:
    """Why this meeting cannot agree where one of another kind is asked for; None if it is of that kind."""
    if meeting.kind == kind:
        return None
    return _("%(meeting)s is of the kind “%(other)s”; this step needs a “%(kind)s”.", meeting=str(meeting),
             other=MeetingKind(meeting.kind).label, kind=MeetingKind(kind).label)  # fmt: skip


def earlier_than(meeting: Meeting, case_ids: list[int]) -> Reasons:
    """Cases that were handed in after the day of the meeting, which cannot have agreed to them."""
    handed_in = cast(func.timezone(clock.ZONE.key, Case.submitted_at), Date)
    late = select(Case.id, handed_in.label("day")).where(among(Case.id, case_ids), handed_in > meeting.held_on)
    return {
        row.id: _("The meeting %(meeting)s was held before the case was handed in on %(day)s: it cannot have agreed to it.",
                  meeting=str(meeting), day=row.day)
        for row in db.session.execute(late)
    }  # fmt: skip


@gate("meeting", recorded=True)
def meeting_agreed(records: dict[str, Any], steps: Steps) -> Found:
    """The meeting is one of the college that signs, or of the school, held when the case lay before it. What it resolved
    on the case is noted in the case's own step: the minutes are about others as well, and stay with the meeting."""
    try:
        meeting = meeting_named(records.get("meeting_id"))
    except Refused as refused:
        return Found(dict.fromkeys(steps, refused.reason))
    resolution = clean_lines(str(records.get("resolution") or ""))[:LONGEST_RESOLUTION] or AGREED
    # in words for those who may not see its minutes
    notes = {"meeting_id": meeting.id, "meeting": str(meeting), "resolution": resolution}
    foreign = _("The meeting %(meeting)s is not one of those who sign this step.", meeting=str(meeting))
    reasons = earlier_than(meeting, list(steps))
    for case_id, step in steps.items():
        if meeting.college_id != (step.signing_college_id if Role(step.role).scope == "college" else None):
            reasons[case_id] = foreign
        elif wrong := why_not_kind(meeting, step.declared["meeting"]):
            reasons[case_id] = wrong
    return Found(reasons, notes)


@gate("publicity")
def time_is_over(records: dict[str, Any], steps: Steps) -> Found:
    """The latest list with the case is past its last day, and nobody waits for an answer."""
    entry, objection = PublicityEntry, Objection
    about = or_(objection.case_id == entry.case_id, objection.case_id.is_(None))
    open_objection = exists().where(objection.publicity_id == entry.publicity_id, objection.answer.is_(None), about)
    query = (
        select(
            entry.case_id, func.max(Publicity.closes_on).label("closes_on"), func.bool_or(open_objection).label("open")
        )
        .join(Publicity, Publicity.id == entry.publicity_id)
        .where(among(entry.case_id, list(steps)), ~entry.removed)
        .group_by(entry.case_id)
    )
    published = {row.case_id: row for row in db.session.execute(query)}
    reasons: Reasons = {}
    for case_id in steps:
        row = published.get(case_id)
        if row is None:
            reasons[case_id] = _("It has not been published yet. Publish it under “Publicity” first.")
        elif row.closes_on >= clock.today():
            reasons[case_id] = _(
                "It is published until %(day)s and cannot pass before.", day=format_date(row.closes_on)
            )
        elif row.open:
            reasons[case_id] = _("An objection to it waits for an answer.")
    return Found(reasons)


@gate("document")
def document_issued(records: dict[str, Any], steps: Steps) -> Found:
    """Only issuing a document decides such a step; the operation names the document it has just numbered."""
    number = records.get("document_id")
    if isinstance(number, int) and db.session.scalar(exists().where(Document.id == number).select()):
        return Found()
    return Found(dict.fromkeys(steps, _("This step is decided by issuing a document, under “Documents”.")))
