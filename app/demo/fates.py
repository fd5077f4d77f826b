"""What has happened to an invented student: the entries of her ledger, and where she stands after the last."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from app.demo.organisation import Cohort
from app.demo.people import People
from app.demo.terms import TERM_WEEKS
from app.models import RosterStatus

ON_LEAVE, RETURNED, WITHDRAWN = 0.026, 0.005, 0.004  # of those who were in school for a year
REASONS = [("10", 70), ("24", 12), ("99", 18)]
HALF_A_YEAR = timedelta(days=182)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a student stands: the ledger's columns that a change can change. `class_at` counts the cohort's classes."""

    status: RosterStatus
    grade: int
    class_at: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the ledger, after which she stands as `after`."""

    code: str
    day: date
    after: Standing
    reason: str | None = None
    until: date | None = None


class Calendar:
    """The days that a fate is made of, seen from a term of the academic year `this_year`."""

    def __init__(self, this_year: int, first_monday: date, autumn: bool) -> None:
        self.this_year, self.first_monday, self.autumn = this_year, first_monday, autumn

    def entry(self, year: int) -> date:
        """When those of a year were enrolled: the freshmen of this autumn on its first Monday."""
        return self.first_monday if year == self.this_year and self.autumn else date(year, 9, 1)

    def leaves(self, entry: date) -> list[tuple[date, date]]:
        """The leaves of whole terms that a student enrolled on `entry` may be on: running, just ended, overdue."""
        spans = [(1, 1)] * 3 + [(1, 2)] * 5 + [(2, 2)] * 3 + [(2, 1), (3, 2)]  # (terms ago, length in terms)
        starts = [(self.first_monday - timedelta(weeks=TERM_WEEKS * ago), terms) for ago, terms in spans]
        return [
            (start, start + timedelta(weeks=TERM_WEEKS * terms, days=-1))
            for start, terms in starts
            if start > entry + timedelta(days=30)
        ]


def fate(people: People, calendar: Calendar, cohort: Cohort, class_at: int, later_classes: int) -> list[Entry]:
    """The ledger of a student of a cohort's class; `later_classes` are those that the next grade has."""
    entered = calendar.entry(cohort.year)
    here = Standing(RosterStatus.ENROLLED, cohort.year, class_at)
    entries = [Entry("A2", entered, here)]
    if cohort.year + cohort.major.length <= calendar.this_year:
        return [*entries, _leaving(people, here, date(cohort.year + cohort.major.length, 6, 25))]
    if cohort.year == calendar.this_year:
        return entries
    chance = people.random()
    leaves = calendar.leaves(entered)
    if chance < ON_LEAVE and leaves:
        start, until = leaves[people.number(len(leaves))]
        return [*entries, _leave(people, here, start + timedelta(days=people.number(10)), until)]
    chance -= ON_LEAVE
    if 0 <= chance < WITHDRAWN:
        return [*entries, Entry("31", entered + HALF_A_YEAR, replace(here, status=RosterStatus.WITHDRAWN), "21")]
    chance -= WITHDRAWN
    if 0 <= chance < RETURNED and cohort.year + 2 <= calendar.this_year and later_classes:
        return [*entries, *_leave_and_return(people, here, entered, later_classes)]
    return entries


def waiting(people: People, calendar: Calendar, cohort: Cohort) -> list[Entry]:
    """The ledger of somebody admitted this year who is in no class; a few have deferred or waived the admission."""
    admitted = Standing(RosterStatus.ADMITTED, cohort.year, None)
    day = min(date(cohort.year, 8, 10), calendar.entry(cohort.year))
    entries = [Entry("A1", day, admitted)]
    chance = people.random()
    if chance < 0.03:
        after = replace(admitted, status=RosterStatus.DEFERRED)
        return [*entries, Entry("14", calendar.entry(cohort.year), after, "34")]  # until she is discharged
    if chance < 0.05:
        return [*entries, Entry("W1", calendar.entry(cohort.year), replace(admitted, status=RosterStatus.WAIVED))]
    return entries


def _leaving(people: People, here: Standing, day: date) -> Entry:
    chance = people.random()
    if chance < 0.965:
        return Entry("G1", day, replace(here, status=RosterStatus.GRADUATED))
    if chance < 0.99:
        return Entry("62", day, replace(here, status=RosterStatus.COMPLETED), "22")
    return Entry("63", day, replace(here, status=RosterStatus.ATTENDED), "22")


def _leave(people: People, here: Standing, start: date, until: date) -> Entry:
    if people.random() < 0.15:
        return Entry("19", start, replace(here, status=RosterStatus.RETAINED), "34")
    return Entry("11", start, replace(here, status=RosterStatus.ON_LEAVE), _reason(people), until)


def _leave_and_return(people: People, here: Standing, entered: date, later_classes: int) -> list[Entry]:
    start = entered + HALF_A_YEAR + timedelta(days=people.number(10))
    until = start + timedelta(days=364)
    reason = _reason(people)
    back = Standing(RosterStatus.ENROLLED, here.grade + 1, people.number(later_classes))
    return [
        Entry("11", start, replace(here, status=RosterStatus.ON_LEAVE), reason, until),
        Entry("12", until + timedelta(days=1), back, reason),
    ]


def _reason(people: People) -> str:
    chance = people.number(100)
    for reason, percent in REASONS:
        if chance < percent:
            return reason
        chance -= percent
    return "99"
