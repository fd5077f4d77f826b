"""转专业 what a round is decided by: the places that each major offers, and the scores by which applications are ranked."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, insert, select, text

from app.access import Actor, Permission
from app.kit.operation import Refused, audit, audit_many, get, operation
from app.models import CaseState, Major, RoundState, TransferChoice, TransferQuota, TransferRound, db
from app.models.language import listed
from app.operations.transfers.rounds import check_running, select_quotas

MOST_PLACES, MOST_SCORE, LONGEST_CONDITIONS = 999, Decimal("9999.99"), 300
GRADES = (1990, 2100)
SHOWN = 10


@dataclass(frozen=True)
class Offer:
    """What a round asks of a major: how many places, for students of which grade, from which score on."""

    places: int
    grade: int | None = None
    least_score: Decimal | None = None
    conditions: str | None = None

    @classmethod
    def read(cls, major: str, places: str, grade: str, least_score: str, conditions: str) -> "Offer":
        """An offer as it was typed. Raises Refused with the place of what cannot be read."""
        try:
            made = cls(int(places), int(grade) if grade else None, Decimal(least_score) if least_score else None,
                       conditions or None)  # fmt: skip
        except (ValueError, InvalidOperation) as error:
            raise Refused(_("%(major)s: places, grade and least score are numbers.", major=major)) from error
        right = 0 <= made.places <= MOST_PLACES and (made.grade is None or GRADES[0] <= made.grade <= GRADES[1])
        score = made.least_score
        if not right or (score is not None and not (score.is_finite() and 0 <= score <= MOST_SCORE)):
            raise Refused(_("%(major)s: at most %(places)s places; a grade is a year such as 2025; a score is at most"
                            " %(score)s.", major=major, places=MOST_PLACES, score=MOST_SCORE))  # fmt: skip
        if len(conditions) > LONGEST_CONDITIONS:
            raise Refused(_("%(major)s: the conditions have at most %(most)s characters.", major=major,
                            most=LONGEST_CONDITIONS))  # fmt: skip
        return made


@operation(needs=Permission.TRANSFER_WRITE)
def offer_majors(actor: Actor, round_id: int, offers: dict[int, Offer]) -> None:
    """Set what a round offers: major → offer. A major that is left out is offered no more, unless somebody chose it."""
    one = get(TransferRound, round_id, lock=True)
    if one.state == RoundState.DECIDED:
        raise Refused(_("The round is “%(state)s”; this cannot be done now.", state=RoundState(one.state).label))
    old = {quota.major_id: quota.places for quota in select_quotas(round_id)}
    known = {major.id: major for major in db.session.scalars(select(Major).where(Major.id.in_({*offers, *old})))}
    if unknown := offers.keys() - known.keys():
        raise Refused(_("There is no major with the number %(number)s.", number=min(unknown)))
    running = (CaseState.OPEN, CaseState.SENT_BACK)
    chosen = select(TransferChoice.major_id).where(
        TransferChoice.round_id == round_id, TransferChoice.case_state.in_(running)
    )
    if missed := set(db.session.scalars(chosen.distinct())) - offers.keys():
        raise Refused(_("Applications chose these majors already, so the round must go on offering them: %(majors)s.",
                        majors=listed([str(known[key]) for key in sorted(missed & known.keys())[:SHOWN]])))  # fmt: skip
    db.session.execute(delete(TransferQuota.__table__).where(TransferQuota.__table__.c.round_id == round_id))
    rows = [{"round_id": round_id, "major_id": key, **vars(offer)} for key, offer in offers.items()]
    if rows:
        db.session.execute(insert(TransferQuota.__table__), rows)
    audit(actor, "transfer:offer", subject="transfer_round", subject_id=round_id,
          old={"places": {str(known[key]): places for key, places in old.items()}},
          new={"places": {str(known[key]): offer.places for key, offer in offers.items()}})  # fmt: skip
    db.session.expire_all()


_SCORE = """
    update flow_case c set score = v.score, second_score = {second}, version = c.version + 1
    from {table} v join student s on s.student_no = v.student_no
    where c.student_id = s.id and c.round_id = :round and c.state = 'open'
    returning c.id, c.college_id, c.score, c.second_score
"""


@operation(needs=Permission.TRANSFER_RANK)
def set_scores(actor: Actor, round_id: int, table: str, columns: list[str]) -> None:
    """Write the scores of a typed import table (student_no, score, second_score) into the applications of a round."""
    check_running(round_id)
    # a sheet without the column leaves the second figure as it was
    second = "v.second_score" if "second_score" in columns else "c.second_score"
    done = db.session.execute(text(_SCORE.format(table=table, second=second)), {"round": round_id}).all()
    audit(actor, "transfer:score", subject="transfer_round", subject_id=round_id, new={"scores": len(done)})
    audit_many(actor, "case:score", [
        {"subject": "flow_case", "subject_id": row.id, "college_id": row.college_id, "old": None, "detail": None,
         "new": {"score": str(row.score), "second_score": row.second_score and str(row.second_score)}} for row in done
    ])  # fmt: skip
    db.session.expire_all()
