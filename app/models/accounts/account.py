"""身份 identities: in which roles, and for whose rows, a user acts; delegation while absent (代理)."""

import re

from flask_appbuilder.security.sqla.models import Role as AccountRole
from flask_appbuilder.security.sqla.models import User
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import relationship

from app.models.base import BigId, Key, Mapped, Model, Moment, Name, Now, SmallId, date, mapped_column
from app.models.organisation.units import College, Department

# Its hash is the login's alone to read (migration 0022): no query takes the column along unasked.
password = User.__mapper__.get_property("password", _configure_mappers=False)
password.deferred, password.strategy_key = True, (("deferred", True), ("instrument", True))

Index("ix_ab_user_email_folded", func.lower(User.__table__.c.email))

identity_role = Table(
    "identity_role",
    Model.metadata,
    Column("identity_id", ForeignKey("identity.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("ab_role.id", ondelete="CASCADE"), primary_key=True),
)


def person_name(user: User) -> str:
    """A user's name in the order of its language: family name first and joined in Chinese."""
    name = f"{user.last_name}{user.first_name}"
    return name if not name.isascii() else f"{user.first_name} {user.last_name}".strip()


SIGNATURE = 80  # characters, as long as the columns that keep one
LONGEST_ACCOUNT = 40


def signature(user: User) -> str:
    """Name and account, as whoever acts is written down: a name alone could be anybody's."""
    name, account = person_name(user), user.username[:LONGEST_ACCOUNT]
    return f"{name[: SIGNATURE - len(account) - 3]} ({account})" if name not in ("", account) else account


def name_alone(signature: str) -> str:
    """The name out of a signature: accounts do not belong on papers."""
    return re.sub(r" \([^()]*\)$", "", signature)


class Identity(Model):
    """What a user may be: a set of roles together with the rows they reach. One is active at a time."""

    __tablename__ = "identity"
    __table_args__ = (
        CheckConstraint(
            "(scope = 'college') = (college_id is not null) and (scope = 'student') = (student_id is not null)"
            " and (scope = 'department') = (department_id is not null)",
            name="scope_complete",
        ),
        CheckConstraint(
            "scope in ('none','school','auditor','freshmen','transfers','college','teacher','student','department')",
            name="scope_known",
        ),
    )
    id: Mapped[SmallId]
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    scope: Mapped[str] = mapped_column(String(12))
    college_id: Mapped[int | None] = mapped_column(ForeignKey("college.id"))
    student_id: Mapped[int | None] = mapped_column(ForeignKey("student.id", ondelete="CASCADE"), index=True)
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    title: Mapped[Name | None]
    last_used: Mapped[Now]
    ended_on: Mapped[date | None] = mapped_column(Date)  # from then on it opens nothing; it stays as it was
    user: Mapped[User] = relationship()
    college: Mapped[College | None] = relationship(lazy="joined")
    department: Mapped[Department | None] = relationship(lazy="joined")
    roles: Mapped[list[AccountRole]] = relationship(secondary=identity_role, lazy="selectin")

    def __str__(self) -> str:
        return self.title or ", ".join(role.name for role in self.roles)


class Holder(Model):
    """A role that somebody of the staff holds whose account is in use. A view: nobody writes it."""

    __tablename__ = "role_holder"
    __table_args__ = {"info": {"view": True}}
    identity_id: Mapped[int] = mapped_column(ForeignKey("identity.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    college_id: Mapped[int | None] = mapped_column(ForeignKey("college.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))


class Delegation(Model):
    """代理: from `starts_on` to `ends_on` the deputy may sign what the absent identity may sign, in its name."""

    __tablename__ = "delegation"
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="dates_in_order"),
        CheckConstraint("deputy_user_id <> absent_user_id", name="another_person"),
    )
    id: Mapped[SmallId]
    absent_user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    absent_identity_id: Mapped[int] = mapped_column(ForeignKey("identity.id", ondelete="CASCADE"))
    deputy_user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(String(200))
    revoked: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    created_at: Mapped[Now]
    absent_identity: Mapped[Identity] = relationship(foreign_keys=[absent_identity_id])
    absent: Mapped[User] = relationship(foreign_keys=[absent_user_id])
    deputy: Mapped[User] = relationship(foreign_keys=[deputy_user_id])


class Password(Model):
    """Whether a user must still choose a password of his own, and who gave it one last; a row is made with the account."""

    __tablename__ = "password_state"
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), primary_key=True)
    must_change: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    changed_at: Mapped[Now]
    given_by: Mapped[int | None] = mapped_column(
        ForeignKey("ab_user.id", ondelete="SET NULL")
    )  # another; never its owner
    given_at: Mapped[Moment | None]


class SavedFilter(Model):
    """A named filter of one user on one list."""

    __tablename__ = "saved_filter"
    __table_args__ = (UniqueConstraint("user_id", "screen", "name"),)
    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    screen: Mapped[Key]
    name: Mapped[Name]
    query: Mapped[str] = mapped_column(Text)


class KeptList(Model):
    """A pasted list of values, too long for an address, which names it instead. A user's own; forgotten when old."""

    __tablename__ = "kept_list"
    __table_args__ = (UniqueConstraint("user_id", "digest"),)
    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64))
    listed: Mapped[str] = mapped_column(Text)  # one a line
    made_at: Mapped[Now]


class ColumnChoice(Model):
    """Which columns one user wants to see in one list, in order, as comma-separated names."""

    __tablename__ = "column_choice"
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), primary_key=True)
    screen: Mapped[Key] = mapped_column(primary_key=True)
    columns: Mapped[str] = mapped_column(Text)
