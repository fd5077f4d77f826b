"""The declarative base, the database handle and the column types that every table shares."""

from datetime import date, datetime
from typing import Annotated

from flask_appbuilder import Model
from flask_appbuilder.models.sqla.base import SQLA
from sqlalchemy import BigInteger, DateTime, Identity, Integer, String, func
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
Name = Annotated[str, mapped_column(String(80))]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Now = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]

__all__ = [
    "BigId",
    "Key",
    "Mapped",
    "Model",
    "Moment",
    "Name",
    "Now",
    "SmallId",
    "date",
    "datetime",
    "db",
    "mapped_column",
]
