"""转专业 the decision of a round: proposed by choice in turn and ranking within quota, and made for the whole list at once."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from flask_babel import force_locale, gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import ARRAY, Integer, and_, cast, func, select, text, update

from app.access import Actor, Permission
from app.kit import clock
from app.kit.flow import Outcome, decide, hook
from app.kit.flow.ending import refuse_with_applicants
from app.kit.operation import Refused, audit, get, operation
from app.models import (
    CaseState,
    ClassGroup,
    Major,
    RoundState,
    Student,
    TransferCase,
    TransferChoice,
    TransferRound,
    among,
    db,
)
from app.models.language import listed
from app.operations.transfers.rounds import select_quotas, unexamined

PANEL = "panel"  # the step at which applications wait for the decision
SHOWN = 10  # names in one sentence


@dataclass(frozen=True)
class Ranked:
    """One application as it is ranked: its score, the choices that their colleges passed, what is proposed for it."""

    case_id: int
    subject: str
    grade: int
    score: Any
    second: Any
    wishes: tuple[tuple[int, int], ...]  # (place, major) of those passed

    @property
    def key(self) -> tuple[Any, Any]:
        return self.score, -1 if self.second is None else self.second


@dataclass
class Proposal:
    """What a round comes to: who is admitted to which major by which choice, who ties for a last place, what is missing."""

    admitted: dict[int, tuple[int, int]] = field(default_factory=dict)  # case → (place, major)
    ranked: dict[int, Ranked] = field(default_factory=dict)
    ties: dict[int, list[Ranked]] = field(default_factory=dict)  # major → those equal at its last place
    hindrances: list[Any] = field(default_factory=list)
    sent_back: list[int] = field(default_factory=list)  # with their applicants: they hold nobody up

    @property
    def refused(self) -> list[int]:
        return [case_id for case_id in self.ranked if case_id not in self.admitted]

    @property
    def print(self) -> str:
        """What the registry saw, so that it decides nothing else."""
        return hashlib.sha256(
            repr((sorted(self.admitted.items()), sorted(self.refused), self.sent_back)).encode()
        ).hexdigest()[:16]


def propose(round_id: int) -> Proposal:
    """Admit first choices first, each major by score within its quota; who ties at the last place is left to people."""
    quotas = {quota.major_id: quota for quota in select_quotas(round_id)}
    proposal = Proposal(ranked={one.case_id: one for one in _ranked(round_id)})
    left = {major_id: quota.places for major_id, quota in quotas.items()}
    for place in sorted({place for one in proposal.ranked.values() for place, _major in one.wishes}):
        wanting: dict[int, list[Ranked]] = defaultdict(list)
        for one in proposal.ranked.values():
            major_id = dict(one.wishes).get(place)
            if one.case_id in proposal.admitted or major_id not in quotas or one.score is None:
                continue
            least = quotas[major_id].least_score
            if least is None or one.score >= least:
                wanting[major_id].append(one)
        for major_id, group in wanting.items():
            taken, tied = _best(group, left[major_id])
            proposal.admitted |= {one.case_id: (place, major_id) for one in taken}
            left[major_id] -= len(taken)
            if tied:
                proposal.ties[major_id], left[major_id] = tied, 0
    with_applicants = (TransferCase.round_id == round_id) & (TransferCase.state == CaseState.SENT_BACK)
    proposal.sent_back = list(
        db.session.scalars(select(TransferCase.id).where(with_applicants).order_by(TransferCase.id))
    )
    proposal.hindrances = _hindrances(round_id, proposal, {key: str(quota.major) for key, quota in quotas.items()})
    return proposal


def _best(group: list[Ranked], places: int) -> tuple[list[Ranked], list[Ranked]]:
    """Those that certainly have a place, and those equal to each other of whom only some would."""
    order = sorted(group, key=lambda one: one.key, reverse=True)
    if places >= len(order) or places <= 0:
        return order[: max(places, 0)], []
    edge = order[places - 1].key
    if order[places].key != edge:
        return order[:places], []
    return [one for one in order if one.key > edge], [one for one in order if one.key == edge]


def _ranked(round_id: int) -> Iterable[Ranked]:
    choice = TransferChoice
    passed = and_(choice.case_id == TransferCase.id, choice.passed.is_(True), choice.confirmed_by.is_not(None))
    of_level = select(Major.id).where(Major.education_level == Student.education_level).correlate(Student)
    wishes = func.jsonb_agg(func.jsonb_build_array(choice.place, choice.major_id)).filter(choice.id.is_not(None))
    query = (
        select(
            TransferCase.id, TransferCase.subject, Student.grade, TransferCase.score, TransferCase.second_score, wishes
        )
        .join(Student, Student.id == TransferCase.student_id)
        .outerjoin(choice, and_(passed, choice.major_id.in_(of_level)))
        .where(TransferCase.round_id == round_id, TransferCase.state == CaseState.OPEN, TransferCase.step_key == PANEL)
        .group_by(TransferCase.id, Student.grade)
        .order_by(TransferCase.id)
    )
    for case_id, subject, grade, score, second, wished in db.session.execute(query):
        yield Ranked(case_id, subject, grade, score, second, tuple(sorted(map(tuple, wished or []))))


def _hindrances(round_id: int, proposal: Proposal, names: dict[int, str]) -> list[Any]:
    """Why the round cannot be decided yet, a sentence each."""
    found: list[Any] = []
    running = (TransferCase.round_id == round_id) & (TransferCase.state == CaseState.OPEN)
    earlier = db.session.scalar(
        select(func.count()).where(running & (TransferCase.step_key.in_(("accept", "college"))))
    )
    if earlier:
        found.append(_("%(n)s applications still wait at the student's own college.", n=earlier))
    if waiting := unexamined(round_id):
        found.append(_("%(n)s choices have not been examined and confirmed by the college they are about.", n=waiting))
    unscored = [one.subject for one in proposal.ranked.values() if one.score is None and one.wishes]
    if unscored:
        found.append(_("No score yet for %(n)s: %(who)s. Import the ranking sheet.", n=len(unscored),
                       who=listed(unscored[:SHOWN])))  # fmt: skip
    for major_id, tied in proposal.ties.items():
        found.append(_("Equal for the last place in %(major)s: %(who)s. Change the quota, or give the figure that decides"
                       " in the ranking sheet.", major=names[major_id],
                       who=listed([one.subject for one in tied[:SHOWN]])))  # fmt: skip
    return found


@hook
def admitted_in_round(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Applications that somebody would approve alone: the round decides all of them at once."""
    alone = select(TransferCase.id).where(among(TransferCase.id, case_ids), TransferCase.major_id.is_(None))
    return dict.fromkeys(
        db.session.scalars(alone), _("Transfers are decided with the whole list, under “Transfer rounds”.")
    )


_ADMIT = text("""
    update flow_case c set major_id = a.major_id, target_college_id = m.college_id, grade = a.grade,
        class_group_id = nullif(a.class_id, 0), version = c.version + 1
    from unnest(cast(:cases as bigint[]), cast(:majors as int[]), cast(:grades as int[]), cast(:classes as int[]))
        a(case_id, major_id, grade, class_id) join major m on m.id = a.major_id where c.id = a.case_id
""")
_SIGNING = text("""
    update case_step s set target_college_id = c.target_college_id,
        signing_college_id = case when (s.declared ->> 'target')::boolean then c.target_college_id
            else s.signing_college_id end
    from flow_case c where c.id = s.case_id and c.id = any(:cases)
""")
_MARK = text("""
    update transfer_choice t set admitted = true from flow_case c
    where c.id = t.case_id and c.major_id = t.major_id and c.id = any(:cases)
""")


@operation(needs=Permission.TRANSFER_DECIDE)
def decide_round(actor: Actor, round_id: int, *, meeting_id: int | str, expected: str) -> list[Outcome]:
    """Admit and refuse every application of a round in one act, as the panel's meeting agreed to the proposal shown."""
    one = get(TransferRound, round_id, lock=True)
    if one.state != RoundState.RANKING:
        raise Refused(_("The round is “%(state)s”; this cannot be done now.", state=RoundState(one.state).label))
    proposal = propose(round_id)
    if proposal.hindrances:
        raise Refused(" ".join(str(reason) for reason in proposal.hindrances))
    if not proposal.ranked:
        raise Refused(_("No application waits for the decision."))
    if proposal.print != expected:
        raise Refused(_("The proposal has changed since it was shown. Look at it again."))
    ids = list(proposal.admitted)
    outcomes: list[Outcome] = []
    if ids:
        _admit(proposal)
        outcomes += decide(actor, ids, expected_step=PANEL, records={"meeting_id": meeting_id})
    if proposal.refused:
        with force_locale("zh"):
            opinion = gettext(
                "Not admitted by any choice in “%(round)s”: quota, ranking or examination.", round=one.title
            )
        outcomes += decide(actor, proposal.refused, expected_step=PANEL, act="refuse", opinion=opinion)
    with force_locale("zh"):
        missed = gettext("The round was decided before it was handed in again.")
    refuse_with_applicants(actor, proposal.sent_back, missed)
    held = [f"{outcome.subject}（{outcome.reason}）" for outcome in outcomes if not outcome.done]
    if held:
        raise Refused(_("Nothing was decided: %(cases)s", cases=listed(held[:SHOWN])))
    db.session.execute(
        update(TransferRound.__table__)
        .where(TransferRound.__table__.c.id == round_id)
        .values(state=RoundState.DECIDED, decided_at=clock.now(), version=TransferRound.__table__.c.version + 1)
    )
    audit(actor, "transfer:decide", subject="transfer_round", subject_id=round_id,
          new={"admitted": len(ids), "refused": len(proposal.refused), "not_handed_in": len(proposal.sent_back)})  # fmt: skip
    db.session.expire_all()
    return outcomes


def _admit(proposal: Proposal) -> None:
    ids = list(proposal.admitted)
    classes = _classes(proposal)
    db.session.execute(_ADMIT, {
        "cases": ids, "majors": [proposal.admitted[one][1] for one in ids],
        "grades": [proposal.ranked[one].grade for one in ids], "classes": [classes.get(one, 0) for one in ids],
    })  # fmt: skip
    db.session.execute(_SIGNING, {"cases": ids})
    db.session.execute(_MARK, {"cases": ids})


def _classes(proposal: Proposal) -> dict[int, int]:
    """Case → the class proposed for it: of its new major and its grade, the one with the fewest students, in turn."""
    majors = sorted({major_id for _place, major_id in proposal.admitted.values()})
    sizes_of = func.class_sizes(cast(majors, ARRAY(Integer))).table_valued("class_group_id", "members")
    query = select(ClassGroup.id, ClassGroup.major_id, ClassGroup.grade, sizes_of.c.members)
    query = query.join(sizes_of, sizes_of.c.class_group_id == ClassGroup.id)
    groups: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    for group_id, major_id, grade, count in db.session.execute(query.order_by(ClassGroup.code)):
        groups[major_id, grade][group_id] = count
    found: dict[int, int] = {}
    for case_id, (_place, major_id) in proposal.admitted.items():
        sizes = groups.get((major_id, proposal.ranked[case_id].grade))
        if sizes:
            smallest = min(sizes, key=lambda one: sizes[one])
            sizes[smallest] += 1
            found[case_id] = smallest
    return found
