"""A year of the school, day by day: whatever people do, what holds at the end of each week is asked of the database alone.

`SEED=7 make walks ARGS=tests/year` lets another year pass.
"""

import os
from datetime import date, time, timedelta

import pytest

from app import cluster
from app.jobs.daily import run_sources
from tests.year import applying, database_clock, offices, signing
from tests.year.invariants import CHECKS, ONCE
from tests.year.school import build_school
from tests.year.year import DAY, Year, works

FIRST, LAST = date(2026, 8, 31), date(2027, 9, 26)
SEED = int(os.environ.get("SEED", "20260831"))
WEEKS = timedelta(days=18)  # after a term has begun: everybody comes at once
MOMENTS = (time(0, 5), time(9, 0), time(12, 0), time(23, 59, 59))
MUST_HAPPEN = {"submit", "decide", "withdraw", "publish", "issue_document", "declare", "exempt", "delegate", "annul",
               "register", "take_back", "confirm", "record_discharge", "reassign", "let_in_late", "decide_round",
               "open_year"}  # fmt: skip


@pytest.fixture
def year(own_app, bed) -> Year:
    database = own_app.config["SQLALCHEMY_DATABASE_URI"].rsplit("/", 1)[1].split("?")[0]
    with own_app.app_context():
        one = Year(own_app, bed.cluster.url(cluster.SUPERUSER, database), SEED)
        moved = database_clock.take_over(one.database)
        assert {"legal_clock", "notice", "audit_entry", "roster_change"} <= moved
        build_school(one.database)
        working = [{"day": FIRST + n * DAY} for n in range(500) if works(FIRST + n * DAY)]
        database_clock.know_working_days(one.database, working)
        yield one
        one.database.close()
        one.owner.dispose()


def live(year: Year, day: date) -> None:
    """What people do on one day, and the daily job before and after it."""
    with year.at(day, time(0, 7)):
        run_sources(day)
    with year.at(day, year.random.choice(MOMENTS)):
        offices.plan_ahead(year)
        opening = any(timedelta(0) <= day - first < WEEKS for first in (FIRST, date(2027, 3, 1), date(2027, 9, 6)))
        for _one in range(8 if opening else 4 if works(day) else 1):
            applying.apply(year)
        if works(day):
            work(year, opening)
    with year.at(day, time(23, 59)):
        run_sources(day)


def work(year: Year, opening: bool) -> None:
    """What the offices do on a day on which they work."""
    applying.come_back_to_drafts(year)
    signing.sign_some(year, 35)
    signing.publish_and_issue(year)
    offices.examine_transfers(year)
    offices.look_after_students(year)
    offices.change_hands(year)
    for share, act in (
        (0.3, applying.think_again),
        (0.3, applying.declare_candidates),
        (0.3, signing.hand_on),
        (0.6 if opening else 0.1, offices.register_term),
    ):
        if year.chance(share):
            act(year)


def look(year: Year, day: date) -> None:
    """Note everything that does not hold; of each kind the first week in which it did not."""
    week = {"today": day, "since": day - timedelta(days=7)}
    with year.at(day, time(23, 59, 59)):
        for name, query in CHECKS.items():
            if name not in year.faults and (rows := year.rows(query, **week)):
                year.faults[name] = year.tell(day, rows)


@pytest.mark.walks
def test_a_year_holds_what_the_rules_say_whatever_people_do(year):
    """P01 to P34 were found in such a year."""
    day = FIRST
    while day <= LAST:
        try:
            live(year, day)
        except Exception as error:
            year.faults.setdefault(
                f"{type(error).__name__}: {error}"[:300], "\n".join([f"{day}", *list(year.log)[-5:]])
            )
        if day.weekday() == 6:
            look(year, day)
        day += DAY
    for name, query in ONCE.items():
        if missed := year.column(query):
            year.faults[name] = str(missed)
    if missed := [verb for verb in MUST_HAPPEN if not year.counts[verb]]:
        year.faults["every act was done"] = str(missed)
    print(year.counts, *year.refusals.most_common(80), sep="\n")
    told = [f"## {name}\n{said}" for name, said in year.faults.items()]
    assert not told, f"seed {SEED}\n" + "\n".join(told)
