"""会议 meetings: recorded by those who were there, with the scan of the minutes; cases name them when they are signed."""

from datetime import date
from pathlib import Path
from typing import BinaryIO

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError

from app.access import Actor, Permission
from app.access.roles import granted
from app.kit import clock
from app.kit.filing import stored
from app.kit.flow.material import stored_scan
from app.kit.operation import NotAllowed, NotFound, Refused, audit, get, operation
from app.models import Meeting, MeetingKind, db, setting_int

KINDS = {"college": (MeetingKind.COLLEGE,), "transfers": (MeetingKind.TRANSFERS,)}
OF_SCHOOL = (MeetingKind.SCHOOL, MeetingKind.APPEALS)


def kinds_of(actor: Actor) -> tuple[MeetingKind, ...]:
    """Whose meetings this identity records: its college's, its panel's, or the school's."""
    return KINDS.get(actor.scope.kind, OF_SCHOOL)


@operation(needs=Permission.MEETING_WRITE)
def record_meeting(
    actor: Actor, *, number: str, held_on: date, participants: str, resolution: str, kind: str | None = None
) -> Meeting:
    """A meeting that was held. A college records its own, the school's offices the school's."""
    allowed = kinds_of(actor)
    if held_on > clock.today():
        raise Refused(_("The meeting is dated %(day)s, which is still to come.", day=held_on))
    most = setting_int("meeting_past_days")
    if (clock.today() - held_on).days > most:
        raise Refused(_("The meeting is dated %(day)s. One is recorded at most %(most)s days after it was held: check the"
                        " year.", day=held_on, most=most))  # fmt: skip
    texts = {"number": number, "participants": participants, "resolution": resolution}
    empty = [name for name, text in texts.items() if not text.strip()]
    if empty or len(number.strip()) > 40:
        raise Refused(_("A meeting needs its number (at most 40 characters), who took part and what was resolved."))
    chosen = allowed[0] if kind is None or allowed == (MeetingKind.COLLEGE,) else MeetingKind(kind)
    if chosen not in allowed:
        raise Refused(_("A meeting is recorded by those whose it was: choose another kind."))
    meeting = Meeting(
        kind=chosen, college_id=actor.scope.college_id if chosen == MeetingKind.COLLEGE else None, held_on=held_on,
        recorded_by=actor.user_id, recorded_role=min(_recorders(actor)), recorded_at=clock.now(), **{name: text.strip() for name, text in texts.items()},
    )  # fmt: skip
    try:
        with db.session.begin_nested():
            db.session.add(meeting)
    except IntegrityError as error:
        raise Refused(_("A meeting with the number %(number)s is recorded already.", number=number.strip())) from error
    audit(actor, "meeting:record", subject="meeting", subject_id=meeting.id, college_id=meeting.college_id,
          new={"number": meeting.number, "held_on": str(held_on)})  # fmt: skip
    return meeting


@operation(needs=Permission.MEETING_WRITE)
def attach_minutes(actor: Actor, meeting_id: int, stream: BinaryIO, file_name: str, *, files_root: Path) -> Meeting:
    """The scan of the minutes; a later one takes the earlier one's place on the page, and its file stays. Once a case names
    the meeting, its minutes stay as they are."""
    meeting = _own(actor, meeting_id)
    if is_named(meeting):
        raise Refused(_("Cases rest on the minutes of this meeting already; they can no longer be replaced. If something in"
                        " them is wrong, record the meeting that put it right."))  # fmt: skip
    old = {"file_name": meeting.minutes_name, "path": meeting.minutes_path} if meeting.minutes_path else None
    scan = stored_scan(stream, file_name, files_root=files_root)
    meeting.minutes_name, meeting.minutes_path, meeting.minutes_type = scan.file_name, scan.path, scan.content_type
    audit(actor, "meeting:minutes", subject="meeting", subject_id=meeting.id, college_id=meeting.college_id, old=old,
          new={"file_name": scan.file_name, "sha256": scan.sha256, "path": scan.path})  # fmt: skip
    return meeting


@operation(needs=Permission.MEETING_WRITE)
def cancel_meeting(actor: Actor, meeting_id: int) -> Meeting:
    """A meeting recorded by mistake. One that a case names already stays."""
    meeting = _own(actor, meeting_id)
    if is_named(meeting):
        raise Refused(_("Cases name this meeting already; it can no longer be removed."))
    meeting.cancelled = True
    audit(actor, "meeting:cancel", subject="meeting", subject_id=meeting.id, college_id=meeting.college_id)
    return meeting


def minutes_file(actor: Actor, meeting_id: int, *, files_root: Path) -> tuple[Path, Meeting]:
    """Where the scan of the minutes lies. Raises NotFound for a meeting that is not one of the actor's."""
    if not actor.may(Permission.MEETING_READ):
        raise NotAllowed(_("Your role does not read meetings."))
    meeting = get(Meeting, meeting_id)
    if meeting.minutes_path is None:
        raise NotFound(_("The minutes have not been attached."))
    return stored(meeting.minutes_path, files_root=files_root), meeting


def select_own_meetings(actor: Actor, kind: str) -> Select[tuple[Meeting]]:
    """The meetings of this kind, with minutes, that this identity may name, the latest first."""
    mine = (
        Meeting.college_id == actor.scope.college_id if actor.scope.kind == "college" else Meeting.college_id.is_(None)
    )
    usable = Meeting.kind == kind, ~Meeting.cancelled, Meeting.minutes_path.is_not(None)
    return select(Meeting).where(mine, *usable).order_by(Meeting.held_on.desc(), Meeting.id.desc())


def is_named(meeting: Meeting) -> bool:
    """Whether a case rests on this meeting, be it one that the reader may not see."""
    return bool(db.session.scalar(select(func.meeting_is_named(meeting.id))))


def is_own(actor: Actor, meeting: Meeting) -> bool:
    """Whether the actor keeps the record of this meeting: its college's, its panel's, or that of the office that made it."""
    if not _recorders(actor) or meeting.kind not in kinds_of(actor):
        return False
    if meeting.kind == MeetingKind.COLLEGE:
        return meeting.college_id == actor.scope.college_id
    return meeting.recorded_role in actor.roles


def _recorders(actor: Actor) -> set[str]:
    """The actor's roles that record meetings; an auditor records none."""
    return {role for role in actor.roles if Permission.MEETING_WRITE in granted(frozenset({role}))}


def _own(actor: Actor, meeting_id: int) -> Meeting:
    meeting = get(Meeting, meeting_id, lock=True)
    if not is_own(actor, meeting):
        raise NotAllowed(_("Only those whose meeting it was may change its record."))
    return meeting
