"""办件 case: one application travelling through its flow, with steps, events and materials."""

from enum import StrEnum
from typing import Any

from flask_appbuilder.security.sqla.models import User
from flask_babel import lazy_gettext as _
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Computed,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import column_property, declared_attr, relationship

from app.models.base import BigId, Key, Mapped, Model, Moment, Now, date, mapped_column
from app.models.organisation.units import ClassGroup, College, Department
from app.models.roster.ledger import FollowsStudent
from app.models.roster.student import Student, one_of

MOST_TERMS = 8  # of one leave
# What a day of a form is: a fact has happened and is never to come, a plan may be, a decision is made on the day itself.
FACT, PLAN, DECISION = ({"day": kind} for kind in ("fact", "plan", "decision"))


class CaseState(StrEnum):
    """Where a case stands as a whole. `label` is shown."""

    DRAFT = "draft"
    OPEN = "open"
    SENT_BACK = "sent_back"
    DONE = "done"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"  # with its student's roster, or annulled before its day

    @property
    def label(self):
        return CASE_STATE_LABELS[self]


CASE_STATE_LABELS = {
    CaseState.DRAFT: _("Draft"),
    CaseState.OPEN: _("In progress"),
    CaseState.SENT_BACK: _("Sent back"),
    CaseState.DONE: _("Done"),
    CaseState.REFUSED: _("Refused"),
    CaseState.WITHDRAWN: _("Taken back"),
    CaseState.ENDED: _("Ended"),
}


class StepState(StrEnum):
    WAITING = "waiting"
    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"
    CLOSED = "closed"  # the case ended before it came this far


class Case(FollowsStudent, Model):
    """One application. Each flow's own columns are added by a subclass in the same table."""

    __tablename__ = "flow_case"
    __table_args__ = (
        FollowsStudent.student_key("flow_case"),
        UniqueConstraint("id", "student_id", "student_college_id"),
        UniqueConstraint("id", "state"),  # target of the key by which a transfer's choices follow their case
        one_of("state", CaseState),
        # a student has at most one undecided case of a flow: two clerks pressing the button at once make one
        Index(
            "uq_flow_case_running",
            "student_id",
            "flow",
            unique=True,
            postgresql_where="state in ('draft', 'open', 'sent_back') and not took_effect",
        ),
        Index("ix_flow_case_flow_state", "flow", "state"),
        Index("ix_flow_case_subject_key", "subject_key"),
        Index("ix_flow_case_college_state", "college_id", "state"),
    )
    id: Mapped[BigId]
    number: Mapped[str] = mapped_column(String(24), unique=True)
    flow: Mapped[Key]
    flow_version: Mapped[int] = mapped_column(SmallInteger)
    target_college_id: Mapped[int | None] = mapped_column(ForeignKey("college.id"), index=True)
    state: Mapped[str] = mapped_column(String(12), default=CaseState.DRAFT, server_default="draft")
    step_key: Mapped[str | None] = mapped_column(String(40))  # the step it waits at; what a page was shown
    subject: Mapped[str] = mapped_column(
        String(120), info={"compared_by": "subject_key", "sorted_by": ("subject_pinyin", "subject")}
    )  # name and number of the student as they were then
    subject_key: Mapped[str | None] = mapped_column(String(240), Computed("folded(subject)", persisted=True))
    subject_pinyin: Mapped[str] = mapped_column(String(120), default="", server_default="")
    opened_by: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    opened_by_role: Mapped[str] = mapped_column(String(40))
    opened_at: Mapped[Now]
    submitted_at: Mapped[Moment | None]
    closed_at: Mapped[Moment | None]
    took_effect: Mapped[bool] = mapped_column(
        Boolean, default=False, server_default="false"
    )  # decided; others follow up
    late_reason: Mapped[str | None] = mapped_column(String(300))  # the registry's exception from the window
    late_by: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    statement: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(String(20))
    evidence_date: Mapped[date | None] = mapped_column(Date, info=FACT)
    handed_in: Mapped[dict | None] = mapped_column(JSONB)  # what its form said of the student then
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")

    student: Mapped[Student] = relationship(viewonly=True)
    opener: Mapped[User] = relationship(foreign_keys=[opened_by])
    steps: Mapped[list["CaseStep"]] = relationship(
        back_populates="case", order_by="CaseStep.position, CaseStep.id", viewonly=True
    )

    @declared_attr
    def college(cls) -> Mapped[College]:
        return relationship(College, primaryjoin="foreign(Case.college_id) == College.id", viewonly=True)

    __mapper_args__ = {"polymorphic_on": "flow", "polymorphic_abstract": False, "version_id_col": version}

    def __str__(self) -> str:
        return f"{self.number} {self.subject}"

    def findings(self) -> list[tuple[Any, Any]]:
        """What others have said of it beside its steps: (label, words), shown on its page."""
        return []


class LeaveCase(Case):
    """休学申请 with its reason and length."""

    leave_from: Mapped[date | None] = mapped_column(Date, info=PLAN)
    leave_terms: Mapped[int | None] = mapped_column(SmallInteger, info={"bounds": (1, MOST_TERMS)})
    leave_until: Mapped[date | None] = mapped_column(Date, info=PLAN)
    # whether the calendar does not know yet when it ends; empty where it ends on a day of its own, as it once did
    until_estimated: Mapped[bool | None] = mapped_column(Boolean)
    __mapper_args__ = {"polymorphic_identity": "leave"}

    def findings(self) -> list[tuple[Any, Any]]:
        if not self.until_estimated:
            return []
        return [(_("Last day of the leave"), _("an estimate: the calendar does not have the term after it yet, and the day"
                                               " follows when it has"))]  # fmt: skip


class IntoClass:
    """Mixin for the case of a student who joins another class: the grade and class that a college proposes."""

    grade: Mapped[int | None] = mapped_column(SmallInteger, use_existing_column=True)
    class_group_id: Mapped[int | None] = mapped_column(ForeignKey("class_group.id"), use_existing_column=True)

    @declared_attr
    def class_group(cls) -> Mapped[ClassGroup | None]:
        return relationship(ClassGroup, viewonly=True)


class Told:
    """Mixin for a case whose decision must reach the student: how and when it did, which starts the time to appeal."""

    delivered_how: Mapped[str | None] = mapped_column(String(12), use_existing_column=True)
    delivered_on: Mapped[date | None] = mapped_column(Date, index=True, use_existing_column=True, info=FACT)
    appeal_until: Mapped[date | None] = mapped_column(Date, use_existing_column=True, info=PLAN)


class Heard:
    """Mixin for a case that ends in a decision against the student: she was told its grounds and heard, and its legality
    was examined, before the school decided (order 41, articles 55 and 56)."""

    informed_how: Mapped[str | None] = mapped_column(String(12), use_existing_column=True)
    informed_on: Mapped[date | None] = mapped_column(Date, use_existing_column=True, info=FACT)
    defence: Mapped[str | None] = mapped_column(Text, use_existing_column=True)
    legality_by: Mapped[str | None] = mapped_column(String(80), use_existing_column=True)
    legality_on: Mapped[date | None] = mapped_column(Date, use_existing_column=True, info=FACT)
    legality_result: Mapped[str | None] = mapped_column(String(12), use_existing_column=True)
    legality_opinion: Mapped[str | None] = mapped_column(Text, use_existing_column=True)
    other_ground: Mapped[str | None] = mapped_column(String(200), use_existing_column=True)  # of "other", in words
    defence_taken: Mapped[str | None] = mapped_column(String(12), use_existing_column=True)  # by those who decided
    defence_answer: Mapped[str | None] = mapped_column(Text, use_existing_column=True)


class ReturnCase(IntoClass, Case):
    """复学申请 with the grade and class that the college proposes."""

    return_on: Mapped[date | None] = mapped_column(Date, info=PLAN)
    __mapper_args__ = {"polymorphic_identity": "return"}


class OfCase(FollowsStudent):
    """Mixin for a row that belongs to a case and is seen by whoever sees the case."""

    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("flow_case.id"), index=True)
    target_college_id: Mapped[int | None] = mapped_column(Integer, index=True)


class CaseStep(OfCase, Model):
    """One step of one case, copied from the flow's version when the case was opened: an open row is somebody's 待办."""

    __tablename__ = "case_step"
    __table_args__ = (
        FollowsStudent.student_key("case_step"),
        one_of("state", StepState),
        Index("ix_case_step_inbox", "role", "signing_college_id", "state"),
        Index("ix_case_step_open", "role", "due_on", postgresql_where="state = 'open'"),
        CheckConstraint("state <> 'done' or decided_at is not null", name="done_is_decided"),
    )
    id: Mapped[BigId]
    position: Mapped[int] = mapped_column(SmallInteger)
    key: Mapped[Key]
    role: Mapped[Key]
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"), index=True)
    # whose leader and clerk sign it: the student's college, or the one she goes to
    signing_college_id: Mapped[int] = mapped_column(ForeignKey("college.id"))
    # to whom of those who hold the role it was handed; nobody: whoever of them comes first signs
    assigned_to: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"), index=True)
    days: Mapped[int] = mapped_column(SmallInteger)
    declared: Mapped[dict] = mapped_column(JSONB)  # the whole step as its flow's version declared it
    state: Mapped[str] = mapped_column(String(10), default=StepState.WAITING, server_default="waiting")
    opened_at: Mapped[Moment | None]
    due_on: Mapped[date | None] = mapped_column(Date)
    decided_at: Mapped[Moment | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"), index=True)
    records: Mapped[dict] = mapped_column(JSONB, default=dict, server_default="{}")
    cleared: Mapped[list[str]] = mapped_column(ARRAY(String(60)), default=list, server_default="{}")  # leaving items
    meeting_id: Mapped[int | None] = mapped_column(ForeignKey("meeting.id"), index=True)
    document_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"), index=True)
    case: Mapped[Case] = relationship(back_populates="steps", viewonly=True)
    decider: Mapped[User | None] = relationship(foreign_keys=[decided_by])
    assignee: Mapped[User | None] = relationship(foreign_keys=[assigned_to])
    department: Mapped[Department | None] = relationship(lazy="joined")
    signing_college: Mapped[College] = relationship(foreign_keys=[signing_college_id], viewonly=True)


class StepSigner(Model):
    """Who can sign an open step: holds its role where it is signed, and has no hand in the case that bars her. A view;
    a step without a row is one that nobody can sign."""

    __tablename__ = "step_signer"
    __table_args__ = {"info": {"view": True}}
    step_id: Mapped[int] = mapped_column(ForeignKey("case_step.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"), primary_key=True)
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("flow_case.id"))


# What lists of cases are filtered by and no page loads: whether the case runs, and when its first open step is due.
Case.running = column_property(Case.state.in_((CaseState.OPEN, CaseState.SENT_BACK)), deferred=True)
Case.due_on = column_property(
    select(func.min(CaseStep.due_on))
    .where(CaseStep.case_id == Case.id, CaseStep.state == StepState.OPEN)
    .correlate_except(CaseStep)
    .scalar_subquery(),
    deferred=True,
)


class CaseEvent(OfCase, Model):
    """What happened to a case, in order: the timeline, and the record of who signed what in whose name. Append-only."""

    __tablename__ = "case_event"
    __table_args__ = (FollowsStudent.student_key("case_event"),)
    id: Mapped[BigId]
    act: Mapped[Key]
    step_key: Mapped[str | None] = mapped_column(String(40))
    role: Mapped[str | None] = mapped_column(String(40))
    actor_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    actor_name: Mapped[str] = mapped_column(String(80))
    on_behalf_of: Mapped[str | None] = mapped_column(String(80))
    opinion: Mapped[str | None] = mapped_column(Text)
    at: Mapped[Now]


class Material(OfCase, Model):
    """材料: one uploaded scan. The file lies under a random name outside the web root."""

    __tablename__ = "case_material"
    __table_args__ = (FollowsStudent.student_key("case_material"),)
    id: Mapped[BigId]
    kind: Mapped[Key]
    file_name: Mapped[str] = mapped_column(String(200))
    content_type: Mapped[str] = mapped_column(String(60))
    size: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    path: Mapped[str] = mapped_column(String(80), unique=True)
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    uploaded_at: Mapped[Now]
    removed: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
