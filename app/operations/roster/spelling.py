"""拼音 the spelling of students' names as they are stored: columns of their own, by which lists are searched and sorted."""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Connection, bindparam, func, or_, select, update

from app.kit.pinyin import COMPOUND_SURNAMES, READINGS, romanise, without_reading
from app.models import Student
from app.models.language import listed
from app.models.text import HAN

CHUNK = 5_000


def spelling(name: str) -> dict[str, str]:
    """The columns that hold how a name is spelled, as long as they hold it."""
    pinyin, initials = romanise(name)
    return {"pinyin": pinyin[:120], "initials": initials[:30]}


def why_unspelled(name: str | None) -> Any | None:
    """What is to be known of a name with characters that nobody can read to us; None for any other."""
    if not (unread := without_reading(name or "")):
        return None
    return _("No reading is known for %(characters)s. Who is called so is found by the name, and by the pinyin of its"
             " other characters.", characters=listed(unread))  # fmt: skip


def spell_anew(connection: Connection) -> int:
    """Bring stored spellings to what the readings of today say; how many changed. For the owner, after a deploy.

    Asked are the names that can have changed: of surnames with readings of their own, with letters, or spelled not at all.
    """
    student = Student.__table__
    surnames = sorted({*READINGS, *COMPOUND_SURNAMES})
    asked = or_(
        student.c.pinyin == "",
        student.c.name.regexp_match(f"[^{HAN}]"),
        *(func.left(student.c.name, length).in_([one for one in surnames if len(one) == length]) for length in (1, 2)),
    )
    query = select(student.c.id, student.c.name, student.c.pinyin, student.c.initials).where(asked)
    changed = [
        {"of": student_id} | new
        for student_id, name, pinyin, initials in connection.execute(query)
        if (new := spelling(name)) != {"pinyin": pinyin, "initials": initials}
    ]
    statement = update(student).where(student.c.id == bindparam("of"))
    for start in range(0, len(changed), CHUNK):
        connection.execute(statement, changed[start : start + CHUNK])
    return len(changed)
