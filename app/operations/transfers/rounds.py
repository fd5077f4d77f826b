"""转专业 rounds of transfers: opened and closed by the registry, joined by applications, examined by target colleges."""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased, joinedload

from app.access import Actor, Permission, Role
from app.kit.flow import hook
from app.kit.operation import NotAllowed, Refused, audit, get, operation
from app.models import (
    CaseState,
    Major,
    MeetingKind,
    RoundState,
    Student,
    TransferCase,
    TransferChoice,
    TransferQuota,
    TransferRound,
    among,
    db,
)
from app.operations.proceedings.gates import earlier_than, meeting_named

STATES = (RoundState.DRAFT, RoundState.OPEN, RoundState.RANKING, RoundState.DECIDED)


@operation(needs=Permission.TRANSFER_WRITE)
def move_round(actor: Actor, round_id: int, to: str) -> TransferRound:
    """Open a round for applications, close it for ranking, or open it again. Deciding it is an act of its own."""
    one = get(TransferRound, round_id, lock=True)
    allowed = {
        RoundState.DRAFT: {RoundState.OPEN}, RoundState.OPEN: {RoundState.RANKING},
        RoundState.RANKING: {RoundState.OPEN}, RoundState.DECIDED: set(),
    }[RoundState(one.state)]  # fmt: skip
    if to not in allowed:
        raise Refused(_("The round is “%(state)s”; this cannot be done now.", state=RoundState(one.state).label))
    if not db.session.scalar(exists().where(TransferQuota.round_id == one.id).select()):
        raise Refused(_("The round offers no major yet. Enter its quotas first."))
    old, one.state = one.state, RoundState(to)
    try:
        with db.session.begin_nested():
            db.session.flush()
    except IntegrityError as error:
        raise Refused(_("Another round is open for applications. Close it first.")) from error
    audit(actor, "transfer:move", subject="transfer_round", subject_id=one.id, old={"state": old}, new={"state": to})
    return one


@hook
def join_round(case: TransferCase) -> None:
    """An application belongs to the round that is open; each major wished for becomes a choice that its college sees."""
    if case.submitted_at is None:  # a draft of an earlier round joins the one that is open now
        opened = select(TransferRound.id).where(TransferRound.state == RoundState.OPEN)
        case.round_id = db.session.scalar(opened) or case.round_id
    if case.round_id is None or case.major_id is not None:  # who has been admitted chooses no more
        return
    majors = {major.id: major for major in db.session.scalars(select(Major).where(Major.id.in_(case.wishes)))}
    wished = [one for one in case.wishes if one in majors]
    case.target_college_id = majors[wished[0]].college_id if wished else None
    db.session.flush()
    table = TransferChoice.__table__
    there = select(table.c.round_id, table.c.major_id).where(table.c.case_id == case.id).order_by(table.c.place)
    if db.session.execute(there).all() == [(case.round_id, one) for one in wished]:
        return
    student = get(Student, case.student_id)
    db.session.execute(delete(table).where(table.c.case_id == case.id))
    if wished:
        db.session.execute(insert(table), [
            {"case_id": case.id, "round_id": case.round_id, "place": place, "major_id": one, "grade": student.grade,
             "from_major_id": student.major_id, "subject": case.subject, "case_state": case.state,
             "student_id": case.student_id, "college_id": case.college_id, "admitted": False,
             "student_college_id": case.student_college_id, "target_college_id": majors[one].college_id}
            for place, one in enumerate(wished, 1)
        ])  # fmt: skip


@hook
def fits_round(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Applications that no open round takes, or whose choices it does not."""
    query = select(TransferCase, Student).join(Student, Student.id == TransferCase.student_id)
    return {
        case.id: reason
        for case, student in db.session.execute(query.where(among(TransferCase.id, case_ids)))
        if (reason := _why_not_taken(case, student))
    }


def _why_not_again(case: TransferCase) -> Any | None:
    """Why an application that a round has admitted, and that was sent back, cannot be handed in again."""
    chosen = select(TransferChoice.major_id).where(TransferChoice.case_id == case.id).order_by(TransferChoice.place)
    if list(db.session.scalars(chosen)) == case.wishes:
        return None
    return _("The round has admitted this application: its choices stay as they were.")


def _why_not_taken(case: TransferCase, student: Student) -> Any | None:
    one = case.round
    if case.major_id is not None:
        return _why_not_again(case)
    takes = {RoundState.OPEN, RoundState.RANKING} if case.submitted_at else {RoundState.OPEN}
    if one is None or one.state not in takes:
        return _("No round of transfers is open for applications. The roster registry announces the next one.")
    wishes = case.wishes
    if len(wishes) > one.choices:
        return _("This round takes at most %(most)s choices.", most=one.choices)
    if wrong := check_choices(case, student):
        return next(iter(wrong.values()))
    quotas = {quota.major_id: quota for quota in select_quotas(one.id)}
    for wish in wishes:
        quota = quotas.get(wish)
        if quota is None:
            return _("This round does not offer one of the chosen majors. Choose again.")
        if quota.major.education_level != student.education_level:
            return _another_level(quota.major)
        if quota.grade and quota.grade != student.grade:
            return _("%(major)s takes students of grade %(grade)s alone.", major=str(quota.major), grade=quota.grade)
    return None


@hook
def same_level(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Applications for a major of another level than the student's: what it was admitted to, or else one of its choices."""
    wished = (TransferCase.first_major_id, TransferCase.second_major_id, TransferCase.third_major_id)
    chosen = or_(
        Major.id == TransferCase.major_id,
        and_(TransferCase.major_id.is_(None), or_(*(Major.id == one for one in wished))),
    )
    former = aliased(Major)  # the college that she goes to does not see the student, but whence she comes
    left = (
        select(former.education_level)
        .join(TransferChoice, TransferChoice.from_major_id == former.id)
        .where(TransferChoice.case_id == TransferCase.id)
        .limit(1)
    )
    level = func.coalesce(Student.education_level, left.correlate(TransferCase).scalar_subquery())
    query = (
        select(TransferCase.id, Major)
        .outerjoin(Student, Student.id == TransferCase.student_id)
        .join(Major, chosen)
        .where(among(TransferCase.id, case_ids), Major.education_level != level)
        .order_by(TransferCase.id, Major.id)
    )
    return {case_id: _another_level(major) for case_id, major in db.session.execute(query)}


def _another_level(major: Major) -> Any:
    return _("%(major)s leads to another level of education; a change of major does not.", major=str(major))


@hook
def check_choices(case: TransferCase, student: Student) -> dict[str, Any]:
    """Choice → why it cannot be one: chosen twice, out of turn, or the student's own major."""
    keys = ("first_major_id", "second_major_id", "third_major_id")
    chosen = {key: getattr(case, key) for key in keys if getattr(case, key)}
    wrong: dict[str, Any] = {}
    for key, major_id in chosen.items():
        if major_id == student.major_id:
            wrong[key] = _("The student is in this major already.")
        elif major_id in [chosen.get(before) for before in keys[: keys.index(key)]]:
            wrong[key] = _("The same major is chosen twice.")
    if case.third_major_id and not case.second_major_id:
        wrong["third_major_id"] = _("Fill in the choices in turn: the second before the third.")
    return wrong


def select_quotas(round_id: int) -> list[TransferQuota]:
    """The quotas of a round in the order of colleges."""
    query = select(TransferQuota).join(Major).where(TransferQuota.round_id == round_id)
    query = query.options(joinedload(TransferQuota.major).joinedload(Major.college))
    return list(db.session.scalars(query.order_by(Major.college_id, Major.code)))


@operation(needs=Permission.TRANSFER_EXAMINE)
def examine(actor: Actor, choice_ids: list[int], *, passed: bool, remark: str = "") -> int:
    """The target college's clerk says of choices whether they pass its first examination; how many."""
    if not actor.has(Role.COLLEGE_CLERK):
        raise NotAllowed(_("The clerk examines; the leader confirms."))
    if not passed and not remark.strip():
        raise Refused(_("Give a reason: the applicant reads it."))
    choice = TransferChoice.__table__.c
    waiting = _examinable(choice_ids, actor) & choice.confirmed_by.is_(None)
    done = db.session.execute(
        update(TransferChoice.__table__)
        .where(waiting)
        .values(passed=passed, remark=remark.strip()[:300] or None, examined_by=actor.user_id)
    ).rowcount
    if not choice_ids or done < len(set(choice_ids)):
        raise Refused(_("Some of these choices can no longer be examined here. Reload the page and select again."))
    audit(actor, "transfer:examine", subject="transfer_choice", college_id=actor.scope.college_id,
          new={"choices": sorted(choice_ids), "passed": passed, "remark": remark.strip()[:300]})  # fmt: skip
    return done


@operation(needs=Permission.TRANSFER_EXAMINE)
def confirm(actor: Actor, round_id: int, meeting_id: int | str) -> int:
    """The leader of the target college signs what its clerk examined, with the meeting that agreed; how many."""
    if not actor.has(Role.COLLEGE_LEADER):
        raise NotAllowed(_("Only the leader signs for the college."))
    meeting = meeting_named(meeting_id, MeetingKind.COLLEGE)
    if meeting.college_id != actor.scope.college_id:
        raise Refused(_("Choose a meeting of your own college."))
    choice = TransferChoice.__table__.c
    mine = (choice.round_id == round_id) & (choice.target_college_id == actor.scope.college_id)
    own = mine & choice.confirmed_by.is_(None) & (choice.examined_by == actor.user_id)
    if db.session.scalar(exists().where(own).select()):
        raise Refused(_("You examined some of them yourself; they need another hand."))
    check_running(round_id)
    waiting = mine & choice.passed.is_not(None) & choice.confirmed_by.is_(None) & (choice.case_state == CaseState.OPEN)
    agreed_to = list(db.session.scalars(select(choice.case_id).where(waiting)))
    if early := earlier_than(meeting, agreed_to):
        raise Refused(next(iter(early.values())))
    done = db.session.execute(
        update(TransferChoice.__table__).where(waiting).values(confirmed_by=actor.user_id, meeting_id=meeting.id)
    ).rowcount
    if not done:
        raise Refused(_("Nothing has been examined that waits to be confirmed."))
    audit(actor, "transfer:confirm", subject="transfer_round", subject_id=round_id, college_id=actor.scope.college_id,
          new={"choices": done, "meeting": str(meeting)})  # fmt: skip
    return done


def _examinable(choice_ids: list[int], actor: Actor) -> Any:
    choice = TransferChoice.__table__.c
    running = select(TransferRound.id).where(TransferRound.state.in_((RoundState.OPEN, RoundState.RANKING)))
    return (
        among(choice.id, choice_ids)
        & (choice.target_college_id == actor.scope.college_id)
        & (choice.case_state == CaseState.OPEN)
        & choice.round_id.in_(running)
    )


def check_running(round_id: int) -> None:
    """Raise Refused unless the round takes applications or is being ranked."""
    one = get(TransferRound, round_id)
    if one.state not in (RoundState.OPEN, RoundState.RANKING):
        raise Refused(_("The round is “%(state)s”; this cannot be done now.", state=RoundState(one.state).label))


def unexamined(round_id: int) -> int:
    """How many choices of running applications no college has confirmed yet."""
    waiting = (TransferChoice.round_id == round_id) & TransferChoice.confirmed_by.is_(None)
    running = TransferChoice.case_state == CaseState.OPEN
    return db.session.scalar(select(func.count()).where(waiting & running, TransferChoice.case_id.is_not(None))) or 0


def waiting_in_rounds(actor: Actor) -> list[tuple[TransferRound, int]]:
    """The rounds with the number of choices that wait there for this identity: a clerk of the chosen 学院 examines
    them, its leader confirms what was examined."""
    hands = []
    if actor.has(Role.COLLEGE_CLERK):
        hands.append(TransferChoice.passed.is_(None))
    if actor.has(Role.COLLEGE_LEADER):
        hands.append(TransferChoice.passed.is_not(None))
    if not hands or actor.scope.college_id is None:
        return []
    query = (
        select(TransferRound, func.count())
        .join(TransferChoice, TransferChoice.round_id == TransferRound.id)
        .where(TransferRound.state.in_((RoundState.OPEN, RoundState.RANKING)), or_(*hands))
        .where(TransferChoice.target_college_id == actor.scope.college_id, TransferChoice.confirmed_by.is_(None))
        .where(TransferChoice.case_state == CaseState.OPEN, TransferChoice.case_id.is_not(None))
        .group_by(TransferRound.id)
        .order_by(TransferRound.id)
    )
    return [(one, waiting) for one, waiting in db.session.execute(query)]
