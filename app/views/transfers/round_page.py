"""转专业批次页面 what the page of a round of transfers shows to its reader: figures, majors, what to examine, the proposal."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import url_for
from flask_babel import format_decimal
from sqlalchemy import Integer, cast, func, or_, select

from app.access import Actor, Permission, Role
from app.models import (
    Case,
    CaseState,
    Major,
    MeetingKind,
    RoundState,
    TransferCase,
    TransferChoice,
    TransferQuota,
    TransferRound,
    db,
)
from app.operations.proceedings.meetings import select_own_meetings
from app.operations.transfers.decision import PANEL, Proposal, Ranked, propose
from app.operations.transfers.rounds import STATES, select_quotas, unexamined

TYPED = ("places", "grade", "least_score", "conditions")
RUNNING = (CaseState.OPEN, CaseState.SENT_BACK)
ENDED = (CaseState.DRAFT, CaseState.WITHDRAWN)
Row = dict[str, Any]


def sees_ranking(actor: Actor) -> bool:
    """Whether the whole round, and not only the applications of one college, is this identity's business."""
    return actor.may(Permission.TRANSFER_READ) and actor.scope.kind in ("school", "transfers", "auditor")


def page(one: TransferRound, actor: Actor) -> Row:
    """The variables of xueji/transfer_round.html."""
    whole, state = sees_ranking(actor), RoundState(one.state)
    college = actor.scope.college_id if actor.scope.kind == "college" else None
    proposal = propose(one.id) if whole and state == RoundState.RANKING else None
    choices = choices_about(one.id, college) if college else []
    return {
        "round": one, "state": state, "states": [item.label for item in STATES], "at": STATES.index(state) + 1,
        "moves": moves(state) if actor.may(Permission.TRANSFER_WRITE) else [],
        "figures": figures(one.id), "majors": majors(one.id), "whole": whole,
        "proposal": proposal, "may_rank": actor.may(Permission.TRANSFER_RANK) and state != RoundState.DECIDED,
        "may_settle": actor.may(Permission.TRANSFER_DECIDE),
        "choices": choices, "of_college": college is not None,
        "examines": actor.has(Role.COLLEGE_CLERK) and state in (RoundState.OPEN, RoundState.RANKING),
        "confirms": actor.has(Role.COLLEGE_LEADER) and any(row["waits"] for row in choices),
        "meetings": meetings(actor),
        "applications_url": url_for("TransferApplicationScreen.list", _flt_0_round=one.id),
    }  # fmt: skip


def moves(state: RoundState) -> list[tuple[str, bool]]:
    """(state, whether it is the way on) that the registry may bring a round to from here."""
    return {
        RoundState.DRAFT: [("open", True)],
        RoundState.OPEN: [("ranking", True)],
        RoundState.RANKING: [("open", False)],
        RoundState.DECIDED: [],
    }[state]


def figures(round_id: int) -> Row:
    """How many applications of a round stand where, within the reader's scope."""
    case = TransferCase
    at_college = case.step_key.in_(("accept", "college"))
    running = case.state.in_(RUNNING)
    counted = {
        "handed_in": case.state.not_in(ENDED),
        "at_college": running & or_(at_college, case.step_key.is_(None)),
        "at_panel": running & (case.step_key == PANEL),
        "unscored": running & (case.step_key == PANEL) & case.score.is_(None),
        "admitted": case.major_id.is_not(None) & case.state.in_((*RUNNING, CaseState.DONE)),
        "refused": case.state == CaseState.REFUSED,
    }
    columns = [func.count().filter(condition).label(name) for name, condition in counted.items()]
    found: Any = db.session.execute(select(*columns).where(case.round_id == round_id)).one()
    return dict(found._mapping) | {"unexamined": unexamined(round_id)}


def majors(round_id: int) -> list[Row]:
    """The majors offered, with how many chose them and how many of these passed and were admitted."""
    choice = TransferChoice
    live = choice.case_state.not_in(ENDED)
    query = select(
        choice.major_id,
        func.count().filter(live & (choice.place == 1)).label("first"),
        func.count().filter(live).label("all"),
        func.count().filter(live & choice.passed.is_(True) & choice.confirmed_by.is_not(None)).label("passed"),
        func.count().filter(choice.admitted).label("admitted"),
    ).where(choice.round_id == round_id)
    counts = {row.major_id: row._mapping for row in db.session.execute(query.group_by(choice.major_id))}
    empty = {"first": 0, "all": 0, "passed": 0, "admitted": 0}
    return [{"quota": quota, "least_score": plain(quota.least_score), **dict(counts.get(quota.major_id, empty))}
            for quota in select_quotas(round_id)]  # fmt: skip


def choices_about(round_id: int, college_id: int) -> list[Row]:
    """The choices that a college has to examine, those that nobody has looked at first."""
    choice = TransferChoice
    query = (
        select(choice, Case.id)  # a college reads the case of a first choice; of a later one its row here alone
        .outerjoin(Case, Case.id == choice.case_id)
        .where(choice.round_id == round_id, choice.target_college_id == college_id)
        .where(choice.case_state.in_((*RUNNING, CaseState.DONE, CaseState.REFUSED)))
        .order_by(cast(choice.passed.is_not(None), Integer), choice.major_id, choice.place, choice.id)
    )
    return [
        {
            "choice": row, "case_id": case_id, "open": row.confirmed_by is None and row.case_state == CaseState.OPEN,
            "waits": row.passed is not None and row.confirmed_by is None and row.case_state == CaseState.OPEN,
        }
        for row, case_id in db.session.execute(query)
    ]  # fmt: skip


def meetings(actor: Actor) -> list[tuple[int, str]]:
    """The meetings with minutes that this identity may name: its college's, else the panel's."""
    if not actor.may(Permission.MEETING_READ):
        return []
    kind = MeetingKind.COLLEGE if actor.scope.kind == "college" else MeetingKind.TRANSFERS
    query = select_own_meetings(actor, kind).limit(100)
    return [(row.id, f"{row} {row.resolution[:30]}") for row in db.session.scalars(query)]


@dataclass(frozen=True)
class OfferRow:
    """A major as the page of places shows it: its quota as text, or what was just typed."""

    major_id: int
    college: str
    major: str
    typed: dict[str, str]
    chosen: int


def offer_rows(one: TransferRound, sent: Mapping[str, str] | None) -> list[OfferRow]:
    quotas = {quota.major_id: quota for quota in select_quotas(one.id)}
    counted = (
        select(TransferChoice.major_id, func.count())
        .where(TransferChoice.round_id == one.id, TransferChoice.case_state.in_(RUNNING))
        .group_by(TransferChoice.major_id)
    )
    chosen = {major_id: count for major_id, count in db.session.execute(counted)}
    wanted = or_(Major.active, Major.id.in_(quotas))
    found = db.session.scalars(select(Major).where(wanted).order_by(Major.college_id, Major.code, Major.id))

    def typed(major: Major) -> dict[str, str]:
        if sent is not None:
            return {name: sent.get(f"{name}-{major.id}", "").strip() for name in TYPED}
        quota: TransferQuota | None = quotas.get(major.id)
        return {name: "" if quota is None else plain(getattr(quota, name)) for name in TYPED}

    return [OfferRow(major.id, str(major.college), str(major), typed(major), chosen.get(major.id, 0))
            for major in found]  # fmt: skip


def plain(value: Any) -> str:
    """A number without the noughts that its column adds, a text as it is."""
    if isinstance(value, Decimal):
        return f"{value:f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))
    return "" if value is None else str(value)


def ranking(one: TransferRound) -> Row:
    """Each major's applications in the order of their scores, with what is proposed for each."""
    proposal = propose(one.id)
    made = []
    for quota in select_quotas(one.id):
        wanting = [(place, item) for item in proposal.ranked.values() for place, major in item.wishes
                   if major == quota.major_id]  # fmt: skip
        order = sorted(
            wanting, key=lambda pair: (pair[1].score is None, [-(part or 0) for part in pair[1].key], pair[0])
        )
        admitted = sum(1 for _place, major in proposal.admitted.values() if major == quota.major_id)
        made.append({"quota": quota, "admitted": admitted, "rows": ranks(order, quota.major_id, proposal)})
    return {"majors": made, "proposal": proposal}


def ranks(order: list[tuple[int, Ranked]], major_id: int, proposal: Proposal) -> list[Row]:
    """Rows in order; equals bear the same rank."""
    made: list[Row] = []
    last, rank = None, 0
    tied = {item.case_id for item in proposal.ties.get(major_id, [])}
    for number, (place, item) in enumerate(order, 1):
        if item.key != last:
            last, rank = item.key, number
        admitted = proposal.admitted.get(item.case_id)
        result = (
            "tied" if item.case_id in tied else "admitted" if admitted and admitted[1] == major_id
            else "elsewhere" if admitted else "unscored" if item.score is None else "not"
        )  # fmt: skip
        made.append({"rank": rank, "item": item, "place": place, "result": result,
                     "score": score(item.score), "second": score(item.second)})  # fmt: skip
    return made


def score(value: Any) -> str | None:
    return None if value is None else format_decimal(value)
