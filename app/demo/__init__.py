"""演示数据 a plausible university for trying the product out, and for measuring it at any size."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, text

from app.demo.accounts import make_accounts, sample_accounts
from app.demo.admissions import Fault, write_admissions_file
from app.demo.fates import Calendar
from app.demo.organisation import make_organisation, plan
from app.demo.people import People
from app.demo.proceedings import make_proceedings
from app.demo.roster import make_roster
from app.demo.terms import current_term, open_terms
from app.demo.transfers import make_transfers
from app.kit.calendar import monday_of
from app.models import Season
from app.reference import load_reference

__all__ = ["Fault", "Made", "make_demo", "sample_accounts", "write_admissions_file"]

SEED = "xueji"


@dataclass(frozen=True)
class Made:
    """What a run has done: rows made now, students there are; whether the calendar was moved to today."""

    students: int
    accounts: int
    total: int
    terms_opened: bool

    @property
    def changed(self) -> bool:
        return bool(self.students or self.accounts or self.terms_opened)


def make_demo(
    connection: Connection, students: int, today: date, password_hash_of: Callable[[str], str],
    files_root: Path | None = None,
) -> Made:  # fmt: skip
    """Fill an empty database with a university of `students` students, in the caller's transaction, as the owner.

    Where students are already, only the calendar is moved, if its windows have closed. `password_hash_of` gives the
    stored hash for a username; one hash for all is right in a demo. Scans of its cases lie below `files_root`, if given.
    """
    load_reference(connection)
    total = connection.scalar(text("select count(*) from student")) or 0
    if total or connection.scalar(text("select exists (select from college)")):
        return Made(0, 0, total, open_terms(connection, today))
    year, season = current_term(today)
    calendar = Calendar(year, monday_of(today), season is Season.AUTUMN)
    people = People(SEED)
    cohorts = plan(students, year)
    make_organisation(connection, cohorts)
    opened = open_terms(connection, today)
    made = make_roster(connection, cohorts, calendar, people)
    accounts = make_accounts(connection, password_hash_of, people)
    for table in ("college", "major", "class_group", "student", "roster_change"):
        connection.execute(text(f"analyze {table}"))
    make_proceedings(connection, today, files_root)
    make_transfers(connection, today, files_root)
    return Made(made, accounts, made, opened)
