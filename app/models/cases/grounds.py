"""事由 why an entry of the ledger was made: the national code, or, where that calls it "other", the reason of the case."""

from sqlalchemy import case, func, select
from sqlalchemy.orm import column_property

from app.models.cases.case import Case
from app.models.roster.ledger import RosterChange

OTHER = "99"
_of_case = select(Case.reason).where(Case.id == RosterChange.case_id).correlate_except(Case).scalar_subquery()
RosterChange.why = column_property(
    case((RosterChange.reason == OTHER, func.coalesce(_of_case, OTHER)), else_=RosterChange.reason)
)
