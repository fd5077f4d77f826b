"""敏感信息 sensitive columns: which they are, who sees them whole, and what everybody else sees instead.

Wherever one appears, on a screen, a form, a paper, a case, in the audit, an export or an answer of the API, this is the
rule: masked, unless the reader has the permission, and then each time it is shown is logged.
"""

from typing import Any

import sqlalchemy as sa

from app.access import Actor, Permission
from app.kit.workbook.rendering import IN_SQL

SENSITIVE: dict[str, Permission] = {
    "address": Permission.STUDENT_CONTACT_READ,
    "contact": Permission.STUDENT_CONTACT_READ,  # of who objects
    "email": Permission.STUDENT_CONTACT_READ,
    "guardian_phone": Permission.STUDENT_CONTACT_READ,
    "id_number": Permission.STUDENT_ID_NUMBER_READ,
    "new_id_number": Permission.STUDENT_ID_NUMBER_READ,
    "phone": Permission.STUDENT_CONTACT_READ,
    "recipient": Permission.STUDENT_CONTACT_READ,  # of a letter
}


def mask(value: str) -> str:
    """The ends of a sensitive value: an ID number as 5001**********1234, a phone as 138****0000."""
    keep = 4 if len(value) >= 12 else 3 if len(value) >= 8 else 1
    if len(value) <= 2 * keep:
        return "*" * len(value)
    return value[:keep] + "*" * (len(value) - 2 * keep) + value[-keep:]


def mask_in_sql(value: sa.ColumnElement) -> sa.ColumnElement:
    """The same as SQL."""
    length, text = sa.func.length(value), sa.Text()
    keep = sa.case((length >= 12, 4), (length >= 8, 3), else_=1)
    stars = sa.func.repeat("*", length - 2 * keep, type_=text)
    ends = sa.func.left(value, keep, type_=text) + stars + sa.func.right(value, keep, type_=text)
    return sa.case((length <= 2 * keep, sa.func.repeat("*", length, type_=text)), else_=ends)


IN_SQL[mask] = mask_in_sql


def permitted(actor: Actor | None, column: str) -> bool:
    """Whether this reader sees the column whole."""
    needed = SENSITIVE.get(column)
    return needed is None or (actor is not None and actor.may(needed))


def seen_by(actor: Actor | None, column: str, value: Any) -> Any:
    """A value of a column as this reader sees it; as nobody in particular does, if there is no reader."""
    return value if value in (None, "") or permitted(actor, column) else mask(str(value))
