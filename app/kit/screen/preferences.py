"""What a person keeps for a list: named filters, pasted lists of numbers and the choice of columns."""

import re
from datetime import timedelta
from hashlib import sha256
from typing import Any

from flask import request, url_for
from sqlalchemy import delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from app.access import current_actor
from app.models import ColumnChoice, KeptList, SavedFilter, db

MOST_FILTERS = 50  # of one user on one list
KEPT = re.compile(r"kept-(\d{1,18})", re.ASCII)  # how an address names a kept list
KEPT_FOR = timedelta(days=90)


def chosen_columns(screen: str, offered: list[str], default: list[str]) -> list[str]:
    """The columns that the reader chose for a list, in the screen's order; the screen's own when none."""
    choice = db.session.get(ColumnChoice, (current_actor().user_id, screen))
    names = choice.columns.split(",") if choice else []
    return [name for name in offered if name in names] or default


def save_columns(screen: str, columns: list[str]) -> None:
    """Keep a choice of columns; an empty one forgets it."""
    key = (current_actor().user_id, screen)
    if columns:
        db.session.merge(ColumnChoice(user_id=key[0], screen=screen, columns=",".join(columns)))
    else:
        db.session.execute(delete(ColumnChoice).where(ColumnChoice.user_id == key[0], ColumnChoice.screen == screen))
    db.session.commit()


def saved_filters(screen: str, endpoint: str) -> list[dict[str, str]]:
    """{label, url, delete_url} of the reader's filters on a list."""
    asked: dict[str, Any] = request.args.to_dict(flat=False)
    mine = select(SavedFilter).where(SavedFilter.user_id == current_actor().user_id, SavedFilter.screen == screen)
    return [
        {
            "label": row.name,
            "url": f"{url_for(f'{endpoint}.list')}?{row.query}",
            "delete_url": url_for(f"{endpoint}.forget_filter", filter_id=row.id, **asked),
        }
        for row in db.session.scalars(mine.order_by(SavedFilter.name).limit(MOST_FILTERS))
    ]


def save_filter(screen: str, name: str, query: str) -> None:
    """Keep the query of a list under a name; the same name again replaces it."""
    user = current_actor().user_id
    found = db.session.scalar(
        select(SavedFilter).where(SavedFilter.user_id == user, SavedFilter.screen == screen, SavedFilter.name == name)
    )
    row = found or SavedFilter(user_id=user, screen=screen, name=name)
    row.query = query
    db.session.add(row)
    db.session.commit()


def forget_filter(filter_id: int) -> None:
    db.session.execute(
        delete(SavedFilter).where(SavedFilter.id == filter_id, SavedFilter.user_id == current_actor().user_id)
    )
    db.session.commit()


def own_query() -> str:
    """The filter part of the posted query, free of page numbers."""
    pairs = [part for part in request.form.get("query", "")[:4000].split("&") if part and not part.startswith("page_")]
    return "&".join(pairs)


def keep_list(values: list[str]) -> str:
    """Keep a pasted list and return the name by which an address asks for it; the same list again has the same name.

    The user's old lists go meanwhile, unless a saved filter names them.
    """
    user, listed = current_actor().user_id, "\n".join(values)
    named = select(SavedFilter.id).where(
        SavedFilter.user_id == user,
        SavedFilter.query.regexp_match(func.concat(literal("=kept-"), KeptList.id, literal("(&|$)"))),
    )
    old = KeptList.made_at < func.now() - KEPT_FOR
    db.session.execute(delete(KeptList).where(KeptList.user_id == user, old, ~named.correlate(KeptList).exists()))
    row = {"user_id": user, "digest": sha256(listed.encode()).hexdigest(), "listed": listed}
    upsert = insert(KeptList).values(row).on_conflict_do_update(
        index_elements=["user_id", "digest"], set_={"made_at": func.now()}
    )  # fmt: skip
    number = db.session.scalar(upsert.returning(KeptList.id))
    db.session.commit()
    return f"kept-{number}"


def kept_list(text: str) -> list[str] | None:
    """The values of a kept list of the reader's by its name, none if it is gone; None for a text that is no such name."""
    named = KEPT.fullmatch(text)
    if named is None:
        return None
    row = db.session.get(KeptList, int(named[1]))
    return row.listed.split("\n") if row else []
