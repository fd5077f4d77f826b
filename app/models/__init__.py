"""The tables, one family a file. Importing this package registers every table, the accounts' `ab_*` among them."""

import flask_appbuilder.security.sqla.models  # noqa: F401  (registers ab_* in the metadata)

from app.models.accounts import ColumnChoice, Delegation, Holder, Identity, KeptList, Password, SavedFilter
from app.models.applications import (
    AdmissionCancellationCase,
    AppealCase,
    CancellationCase,
    CorrectionCase,
    DeferralCase,
    DismissalCase,
    InfoChangeCase,
)
from app.models.audit import AuditEntry
from app.models.base import Model, db
from app.models.calendar import AcademicYear, CalendarDay, CalendarFeed, DatedTask, Owner, TaskEvent, TaskKind, TaskRule
from app.models.case import (
    DECISION,
    FACT,
    PLAN,
    Case,
    CaseEvent,
    CaseState,
    CaseStep,
    Heard,
    IntoClass,
    LeaveCase,
    Material,
    ReturnCase,
    StepSigner,
    StepState,
    Told,
)
from app.models.codes import Code, CodeSet
from app.models.dated_effect import DatedEffect, EffectState
from app.models.dismissal import Exemption
from app.models.document import Document
from app.models.job import JobRun, JobState
from app.models.ledger import MOVED, FieldChange, RosterChange, as_of
from app.models.legal_clock import Absence, ClockKind, LegalClock
from app.models.meeting import Meeting, MeetingKind
from app.models.notice import Mail, MailState, Notice
from app.models.organisation import ClassGroup, College, Department, Major
from app.models.paper import Paper, PaperCounter, PaperMark, PaperTemplate, PrintRun
from app.models.proposal import Proposal, ProposalKind, ProposalState
from app.models.publicity import Objection, Publicity, PublicityEntry
from app.models.registration import Registration, RegistrationState
from app.models.reorganisation import Reorganisation
from app.models.session import LoginAttempt, UserSession
from app.models.settings import Season, Setting, Term, setting, setting_int
from app.models.student import RosterStatus, Student
from app.models.transfer import RoundState, TransferCase, TransferChoice, TransferQuota, TransferRound

__all__ = [
    "DECISION",
    "FACT",
    "MOVED",
    "PLAN",
    "Absence",
    "AcademicYear",
    "AdmissionCancellationCase",
    "AppealCase",
    "AuditEntry",
    "CalendarDay",
    "CalendarFeed",
    "CancellationCase",
    "Case",
    "CaseEvent",
    "CaseState",
    "CaseStep",
    "ClassGroup",
    "ClockKind",
    "Code",
    "CodeSet",
    "College",
    "ColumnChoice",
    "CorrectionCase",
    "DatedEffect",
    "DatedTask",
    "DeferralCase",
    "Delegation",
    "Department",
    "DismissalCase",
    "Document",
    "EffectState",
    "Exemption",
    "FieldChange",
    "Heard",
    "Holder",
    "Identity",
    "InfoChangeCase",
    "IntoClass",
    "JobRun",
    "JobState",
    "KeptList",
    "LeaveCase",
    "LegalClock",
    "LoginAttempt",
    "Mail",
    "MailState",
    "Major",
    "Material",
    "Meeting",
    "MeetingKind",
    "Model",
    "Notice",
    "Objection",
    "Owner",
    "Paper",
    "PaperCounter",
    "PaperMark",
    "PaperTemplate",
    "Password",
    "PrintRun",
    "Proposal",
    "ProposalKind",
    "ProposalState",
    "Publicity",
    "PublicityEntry",
    "Registration",
    "RegistrationState",
    "Reorganisation",
    "ReturnCase",
    "RosterChange",
    "RosterStatus",
    "RoundState",
    "SavedFilter",
    "Season",
    "Setting",
    "StepSigner",
    "StepState",
    "Student",
    "TaskEvent",
    "TaskKind",
    "TaskRule",
    "Term",
    "Told",
    "TransferCase",
    "TransferChoice",
    "TransferQuota",
    "TransferRound",
    "UserSession",
    "as_of",
    "db",
    "setting",
    "setting_int",
]
