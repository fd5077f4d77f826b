"""The tables, one family a file. Importing this package registers every table, the accounts' `ab_*` among them."""

import flask_appbuilder.security.sqla.models  # noqa: F401  (registers ab_* in the metadata)

from app.models.accounts.account import ColumnChoice, Delegation, Holder, Identity, KeptList, Password, SavedFilter
from app.models.accounts.audit import AuditEntry
from app.models.accounts.notice import Mail, MailState, Notice
from app.models.accounts.proposal import Proposal, ProposalKind, ProposalState
from app.models.accounts.session import LoginAttempt, UserSession
from app.models.base import Model, among, db
from app.models.calendar.year import (
    AcademicYear,
    CalendarDay,
    CalendarFeed,
    DatedTask,
    Owner,
    TaskEvent,
    TaskKind,
    TaskRule,
)
from app.models.cases import grounds as _grounds  # noqa: F401 - adds a column to the ledger
from app.models.cases.applications import (
    AdmissionCancellationCase,
    AppealCase,
    CancellationCase,
    CorrectionCase,
    DeferralCase,
    DismissalCase,
    InfoChangeCase,
)
from app.models.cases.case import (
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
from app.models.cases.dated_effect import DatedEffect
from app.models.cases.flow_version import FlowVersion
from app.models.cases.paper import Paper, PaperCounter, PaperMark, PaperTemplate, PrintRun
from app.models.job import JobRun, JobState
from app.models.organisation.codes import Code, CodeSet
from app.models.organisation.settings import Season, Setting, Term, setting, setting_int
from app.models.organisation.units import ClassGroup, College, Department, Major
from app.models.proceedings.dismissal import Exemption
from app.models.proceedings.document import Document
from app.models.proceedings.meeting import Meeting, MeetingKind
from app.models.proceedings.publicity import Objection, Publicity, PublicityEntry
from app.models.roster.ledger import MOVED, EffectState, FieldChange, RosterChange, as_of
from app.models.roster.legal_clock import Absence, ClockKind, LegalClock
from app.models.roster.registration import Registration, RegistrationState
from app.models.roster.reorganisation import Reorganisation
from app.models.roster.student import RosterStatus, Student
from app.models.transfers.rounds import RoundState, TransferCase, TransferChoice, TransferQuota, TransferRound

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
    "FlowVersion",
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
    "among",
    "as_of",
    "db",
    "setting",
    "setting_int",
]
