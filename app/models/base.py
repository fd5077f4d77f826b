"""The declarative base, the database handle and the column types that every table shares."""

from datetime import date, datetime
from typing import Annotated, Any

from flask_appbuilder import Model
from flask_appbuilder.models.sqla.base import SQLA
from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Identity,
    Index,
    Integer,
    String,
    any_,
    bindparam,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

# Every constraint and index has a name that a migration, and an error message, can refer to.
Model.metadata.naming_convention = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}

db = SQLA(model_class=Model)

SmallId = Annotated[int, mapped_column(Integer, Identity(), primary_key=True)]
BigId = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Key = Annotated[str, mapped_column(String(40))]
Name = Annotated[str, mapped_column(String(80), info={"compared": True})]  # by `folded`; in small tables
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Now = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]


def one_text(table: str, column: str, *within: str, where: str | None = None) -> Index:
    """A unique index by which no two rows say the same in a text column: width, case, accents and spaces don't count."""
    name = f"uq_{table}_{column}_folded"
    return Index(name, *within, text(f"folded({column})"), unique=True, postgresql_where=where and text(where))


def among(column: Any, ids: list[int]) -> Any:
    """`column = any(ids)`: one parameter and one prepared statement however many ids there are."""
    return column == any_(bindparam(None, ids, type_=ARRAY(BigInteger)))


__all__ = [
    "BigId",
    "Key",
    "Mapped",
    "Model",
    "Moment",
    "Name",
    "Now",
    "SmallId",
    "among",
    "date",
    "datetime",
    "db",
    "mapped_column",
    "one_text",
]
