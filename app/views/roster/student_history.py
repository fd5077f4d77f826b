"""变更历史 the values of a student's history in words: states, codes and places are stored as keys."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from app.kit.screen.present import yes_no
from app.kit.sensitive import mask
from app.models import ClassGroup, College, FieldChange, Major, RosterStatus, db
from app.models.organisation.codes import codes_of
from app.models.roster.student import CODED

PLACES: dict[str, Any] = {"college_id": College, "major_id": Major, "class_group_id": ClassGroup}


class HistoryWords:
    """What the rows of one page say; the names of places and codes are looked up once for all of them."""

    def __init__(self, rows: Iterable[FieldChange], masked: Iterable[str]) -> None:
        rows = list(rows)
        self.masked = frozenset(masked)
        self.words: dict[str, dict[str, str]] = {"status": {kind.value: str(kind.label) for kind in RosterStatus}}
        for field in {row.field for row in rows}:
            if field in PLACES:
                self.words[field] = self._names(field, rows)
            elif field in CODED:
                self.words[field] = {code.code: str(code) for code in codes_of(CODED[field], retired=True)}

    @staticmethod
    def _names(field: str, rows: list[FieldChange]) -> dict[str, str]:
        model = PLACES[field]
        values = {value for row in rows if row.field == field for value in (row.old, row.new) if value}
        ids = [int(value) for value in values if value.isdecimal()]
        return {str(place.id): str(place) for place in db.session.scalars(select(model).where(model.id.in_(ids)))}

    def of(self, field: str, value: str | None) -> str | None:
        """A stored value of a field as the reader reads it; sensitive ones masked."""
        if not value:
            return value
        if field in self.masked:
            return mask(value)
        if value in ("true", "false"):
            return yes_no(value == "true")
        return self.words.get(field, {}).get(value, value)
