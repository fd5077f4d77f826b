"""到期 what has come due: sources that find it day after day, and notices that tell each person once.

A source looks at what is true on a day, not at what became true on it, so that a day on which nothing ran is made up
by the next. It may change rows as well; everything that it does, and every notice, is one transaction.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import current_app
from flask_babel import force_locale
from sqlalchemy import select, text

from app.access import Actor, Permission, Role, Scope
from app.access.scope import NOBODY
from app.models import Holder, db

LONGEST_TITLE = 200
NAME = "学籍通"  # in whose name the machine acts, in audit and history


@dataclass(frozen=True)
class Due:
    """News for some people. `key` says what it is about: the same key is told to the same person once, whatever runs
    again. Title and text are lazy, and are kept in both languages; `path` is the page where something can be done."""

    key: str
    users: tuple[int, ...]
    title: Any
    text: Any
    path: str | None = None


Source = Callable[[Actor, date], Iterable[Due]]
SOURCES: dict[str, Source] = {}


def due_source(key: str) -> Callable[[Source], Source]:
    """Register `find(actor, today) -> dues`. The daily job calls it in a transaction of its own, for the whole school."""

    def register(find: Source) -> Source:
        if key in SOURCES:
            raise ValueError(f"There are two sources called {key!r}.")
        SOURCES[key] = find
        return find

    return register


def machine() -> Actor:
    """The actor of what happens by itself: no person, the whole school."""
    return Actor(NOBODY, NAME, NOBODY, frozenset(), Scope("school", NOBODY, NAME), permissions=frozenset(Permission))


def tell(dues: Iterable[Due]) -> int:
    """Raise the notices, and write their letters, inside the running transaction. How many were new."""
    return raise_notices([
        {
            "users": list(due.users), "key": due.key, "page": due.path,
            "zh": in_language("zh", due.title), "en": in_language("en", due.title),
            "body_zh": in_language("zh", due.text), "body_en": in_language("en", due.text),
        }
        for due in dues
        if due.users
    ])  # fmt: skip


def raise_notices(news: list[dict[str, Any]]) -> int:
    """The same for news that are written out already, any number with one statement: `letter_zh` and `letter_en` stand
    in a letter in place of a text that is not to leave the house."""
    if not news:
        return 0
    for one in news:
        one["zh"], one["en"] = one["zh"][:LONGEST_TITLE], one["en"][:LONGEST_TITLE]
    values = {"news": json.dumps(news), "address": current_app.config["XUEJI_ADDRESS"]}
    return db.session.scalar(text("select raise_notices(cast(:news as jsonb), :address)"), values) or 0


class Staff:
    """Who holds which role, and for which 学院: one statement for any number of questions."""

    def __init__(self) -> None:
        self._users: dict[tuple[str, int | None], set[int]] = {}
        for holder in db.session.scalars(select(Holder)):
            self._users.setdefault((holder.role, holder.college_id), set()).add(holder.user_id)

    def holding(self, *roles: Role, college_id: int | None = None) -> tuple[int, ...]:
        """The users who hold one of the roles; those of a 学院 alone where a role is one of the colleges'."""
        found: set[int] = set()
        for role in roles:
            found |= self._users.get((role, college_id if role.scope == "college" else None), set())
        return tuple(sorted(found))


def in_language(language: str, words: Any) -> str:
    with force_locale(language):
        return str(words)
