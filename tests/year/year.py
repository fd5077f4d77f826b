"""One year of the school: its clock, who acts, what they did, and what the database holds of it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from flask import Flask
from sqlalchemy import create_engine, inspect, select, text

from app.access import Actor, actor_of, scope_as
from app.kit import clock
from app.kit.operation import Told
from app.models import Identity, db
from app.models.accounts.account import User
from tests.year import database_clock

DAY = timedelta(days=1)
TOLD = 12  # acts that are told of each fault
# The days off of 2026 as the State Council said them, and the statutory ones of 2027; weekends that are worked.
OFF = ["2026-09-25", "2026-10-01", "2026-10-02", "2026-10-05", "2026-10-06", "2026-10-07", "2027-01-01", "2027-02-05",
       "2027-02-08", "2027-02-09", "2027-02-10", "2027-04-05", "2027-05-03", "2027-05-04", "2027-06-09", "2027-09-15",
       "2027-10-01", "2027-10-04", "2027-10-05"]  # fmt: skip
WORKED = ["2026-09-20", "2026-10-10"]


def works(day: date) -> bool:
    """Whether offices work, told apart from the product's own calendar."""
    return str(day) in WORKED or (day.weekday() < 5 and str(day) not in OFF)


class Year:
    """`year.act("clerk", submit, 7)` calls an operation as that person's request would: rows come back as their
    ids, a refusal is counted and comes back as None."""

    def __init__(self, app: Flask, owner: str, seed: int) -> None:
        self.app, self.random = app, Random(seed)  # noqa: S311 (chooses acts, keeps no secret)
        self.owner = create_engine(owner, isolation_level="AUTOCOMMIT",
                                   connect_args={"options": "-c timezone=Asia/Shanghai"})  # fmt: skip
        self.database = self.owner.connect()
        self.log: list[str] = []
        self.faults: dict[str, str] = {}  # what did not hold → when it was first seen, and what was done before
        self.counts: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.put_off: dict[str, date] = {}  # account → when it is switched on again

    # the database

    def rows(self, statement: str, **values: Any) -> list[Any]:
        result = self.database.execute(text(statement), values)
        return list(result) if result.returns_rows else []

    def column(self, statement: str, **values: Any) -> list[Any]:
        return [row[0] for row in self.rows(statement, **values)]

    def one(self, statement: str, **values: Any) -> Any:
        (value,) = self.column(statement, **values)
        return value

    # the clock

    @contextmanager
    def at(self, day: date, hour: time = clock.NOON) -> Iterator[None]:
        """Let it be that moment, in Python and in the database."""
        database_clock.set_moment(self.database, datetime.combine(day, hour, clock.ZONE))
        with clock.on(day, hour):
            yield

    @property
    def today(self) -> date:
        return clock.today()

    # acting

    def actor(self, username: str) -> Actor | None:
        """The person as she is now; None when her account is switched off."""
        query = select(Identity).join(User).where(User.username == username, User.active).order_by(Identity.id)
        identity = db.session.scalars(query).first()
        actor = actor_of(identity) if identity else None
        db.session.remove()
        return actor

    def act(self, who: str | Actor, verb: Callable, *args: Any, **how: Any) -> Any:
        actor = self.actor(who) if isinstance(who, str) else who
        said = f"{clock.now():%m-%d %H:%M} {actor.name if actor else who} {verb.__name__}{_short(args, how)}"
        if actor is None:
            return None
        try:
            with scope_as(actor.scope):
                result = _ids(verb(actor, *args, **how))
        except Told as refused:
            self._note_refusal(verb.__name__, refused.reason)
            self.log.append(f"{said}: {str(refused)[:120]}")
            return None
        except Exception:
            self.log.append(f"{said}: !")
            raise
        self.counts[verb.__name__] += 1
        self.log.append(said)
        for outcome in result if isinstance(result, list) else ():
            if getattr(outcome, "done", True) is False:
                self._note_refusal(verb.__name__, outcome.reason)
                self.log.append(f"  {outcome.number}: {str(outcome.reason)[:120]}")
        return result

    def _note_refusal(self, verb: str, reason: Any) -> None:
        """By the sentence before it was filled in, so that all of a kind are one."""
        kind = reason._args[0] if hasattr(reason, "_args") else str(reason)
        self.refusals[f"{verb}: {str(kind)[:100]}"] += 1

    def tell(self, day: date, rows: list[Any]) -> str:
        """The first rows of a fault, and the acts in which their numbers are named."""
        shown = [dict(row._mapping) for row in rows[:3]]
        numbers = {str(value) for row in shown for key, value in row.items()
                   if value and key in ("id", "case_id", "student_id", "student", "ended_by")}  # fmt: skip
        named = re.compile(rf"\b({'|'.join(numbers)})\b") if numbers else None
        acts = [line for line in self.log if named and named.search(line)]
        return "\n".join([f"{day}: {len(rows)} rows", *map(str, shown), *acts[-TOLD:]])

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def some(self, things: list[Any], most: int) -> list[Any]:
        return self.random.sample(things, min(most, len(things)))


def _ids(result: Any) -> Any:
    """Rows as their ids: outside of the act there is no session to ask them anything else."""
    if isinstance(result, list):
        return [_ids(one) for one in result]
    return inspect(result).identity[0] if isinstance(result, db.Model) else result


def _short(args: tuple, how: dict[str, Any]) -> str:
    shown = ", ".join(
        [str(getattr(arg, "key", arg)) for arg in args] + [f"{key}={value}" for key, value in how.items()]
    )
    return f"({shown[:160]})"
