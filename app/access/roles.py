"""角色与权限 roles and permissions: who may do what. Nothing is allowed that is not written here."""

from enum import StrEnum

from flask_babel import lazy_gettext as _


class Role(StrEnum):
    """The roles of the manual. `label` is shown; `scope` says which rows an identity of this role reaches."""

    REGISTRY = "registry"
    AFFAIRS_DIRECTOR = "affairs_director"
    VICE_PRESIDENT = "vice_president"
    EXAM_CENTER = "exam_center"
    OPERATIONS = "operations"
    ADMISSIONS = "admissions"
    IT_OFFICE = "it_office"
    PRESIDENT_OFFICE = "president_office"
    DEGREE_COMMITTEE = "degree_committee"
    TRANSFER_PANEL = "transfer_panel"
    COLLEGE_CLERK = "college_clerk"
    COLLEGE_LEADER = "college_leader"
    SECTION_HEAD = "section_head"
    TEACHER = "teacher"
    DEPARTMENT = "department"
    STUDENT = "student"
    ADMIN = "admin"
    AUDITOR = "auditor"

    @property
    def label(self):
        return ROLE_LABELS[self]

    @property
    def scope(self) -> str:
        return ROLE_SCOPES.get(self, "none")


ROLE_LABELS = {
    Role.REGISTRY: _("Roster registry"),
    Role.AFFAIRS_DIRECTOR: _("Director of academic affairs"),
    Role.VICE_PRESIDENT: _("Vice president"),
    Role.EXAM_CENTER: _("Examination center"),
    Role.OPERATIONS: _("Teaching operations"),
    Role.ADMISSIONS: _("Admissions office"),
    Role.IT_OFFICE: _("IT office"),
    Role.PRESIDENT_OFFICE: _("President's office"),
    Role.DEGREE_COMMITTEE: _("Degree committee"),
    Role.TRANSFER_PANEL: _("Transfer panel"),
    Role.COLLEGE_CLERK: _("College clerk"),
    Role.COLLEGE_LEADER: _("College leader"),
    Role.SECTION_HEAD: _("Section head"),
    Role.TEACHER: _("Teacher"),
    Role.DEPARTMENT: _("Department"),
    Role.STUDENT: _("Student"),
    Role.ADMIN: _("Administrator of accounts"),
    Role.AUDITOR: _("Auditor"),
}

# A role that is not here reaches no rows. The offices whose rows (cards, degrees) have no table yet
# are left out on purpose: they get their scope with the flow that gives them something to see.
ROLE_SCOPES = {
    Role.REGISTRY: "school",
    Role.AFFAIRS_DIRECTOR: "school",
    Role.VICE_PRESIDENT: "school",
    Role.EXAM_CENTER: "school",
    Role.OPERATIONS: "school",
    Role.ADMISSIONS: "freshmen",
    Role.IT_OFFICE: "freshmen",
    Role.TRANSFER_PANEL: "transfers",
    Role.COLLEGE_CLERK: "college",
    Role.COLLEGE_LEADER: "college",
    Role.SECTION_HEAD: "college",
    Role.TEACHER: "teacher",
    Role.DEPARTMENT: "department",
    Role.STUDENT: "student",
    Role.AUDITOR: "auditor",
}


SCOPE_LABELS = {
    "school": _("Whole school"),
    "college": _("Own college"),
    "department": _("Own department"),
    "freshmen": _("Freshmen of the whole school"),
    "transfers": _("Applications for a change of major"),
    "auditor": _("Whole school, reading alone"),
    "teacher": _("Own teaching classes"),
    "none": _("No students"),
    "student": _("Oneself"),
}


class Permission(StrEnum):
    """What an act needs, named `resource:field:action`, in alphabetical order."""

    ACCOUNT_CONFIRM = "account:all:confirm"
    ACCOUNT_READ = "account:all:read"
    ACCOUNT_WRITE = "account:all:write"
    ADMISSION_IMPORT = "admission:file:import"
    AUDIT_READ = "audit:all:read"
    CALENDAR_READ = "calendar:all:read"
    CALENDAR_TICK = "calendar:task:tick"
    CALENDAR_WRITE = "calendar:all:write"
    CASE_DECIDE = "case:step:decide"
    CASE_EXCEPT = "case:window:except"
    CASE_OPEN = "case:all:open"
    CASE_OVERVIEW = "case:all:overview"
    CASE_READ = "case:all:read"
    CASE_REASSIGN = "case:step:reassign"
    CLASS_READ = "class:all:read"
    CODE_WRITE = "code:all:write"
    COHORT_PLACE = "cohort:class:place"
    DELEGATION_WRITE = "delegation:own:write"
    DOCUMENT_ISSUE = "document:all:issue"
    DOCUMENT_READ = "document:all:read"
    HISTORY_READ = "history:all:read"
    HOME_READ = "home:all:read"
    JOB_READ = "job:own:read"
    MEETING_READ = "meeting:all:read"
    MEETING_WRITE = "meeting:own:write"
    ORGANISATION_READ = "organisation:all:read"
    ORGANISATION_WRITE = "organisation:all:write"
    PAPER_PRINT = "paper:all:print"
    PAPER_WORD = "paper:template:write"
    PUBLICITY_READ = "publicity:all:read"
    PUBLICITY_WRITE = "publicity:all:write"
    REGISTRATION_CONFIRM = "registration:own:confirm"
    REGISTRATION_WRITE = "registration:all:write"
    ROSTER_EXPORT = "roster:all:export"
    ROSTER_READ = "roster:all:read"
    SETTING_READ = "setting:all:read"
    SETTING_WRITE = "setting:all:write"
    STUDENT_CONTACT_READ = "student:contact:read"
    STUDENT_CONTACT_WRITE = "student:contact:write"
    STUDENT_ID_NUMBER_READ = "student:id_number:read"
    TRANSFER_DECIDE = "transfer:round:decide"
    TRANSFER_EXAMINE = "transfer:choice:examine"
    TRANSFER_RANK = "transfer:score:import"
    TRANSFER_READ = "transfer:all:read"
    TRANSFER_WRITE = "transfer:round:write"


P = Permission
PERSON = frozenset({P.HOME_READ, P.JOB_READ})
OWNER = {P.CALENDAR_READ, P.CALENDAR_TICK}  # of tasks of the time-table
SIGNER = PERSON | OWNER | {P.CASE_READ, P.CASE_DECIDE, P.DELEGATION_WRITE, P.CLASS_READ, P.ORGANISATION_READ}
OFFICE = SIGNER | {
    P.CASE_OVERVIEW,
    P.ROSTER_READ,
    P.ROSTER_EXPORT,
    P.HISTORY_READ,
    P.MEETING_READ,
    P.MEETING_WRITE,
    P.PAPER_PRINT,
    P.TRANSFER_READ,
}

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.REGISTRY: OFFICE
    | {
        P.ACCOUNT_CONFIRM, P.AUDIT_READ, P.CALENDAR_WRITE, P.CASE_EXCEPT, P.CASE_OPEN, P.CASE_REASSIGN, P.CODE_WRITE, P.COHORT_PLACE,
        P.DOCUMENT_ISSUE, P.DOCUMENT_READ, P.ORGANISATION_WRITE, P.PAPER_WORD, P.PUBLICITY_READ, P.PUBLICITY_WRITE,
        P.SETTING_READ, P.SETTING_WRITE, P.STUDENT_CONTACT_READ, P.STUDENT_CONTACT_WRITE, P.STUDENT_ID_NUMBER_READ,
        P.TRANSFER_RANK, P.TRANSFER_WRITE,
    },
    Role.AFFAIRS_DIRECTOR: OFFICE | {P.ACCOUNT_CONFIRM, P.DOCUMENT_READ, P.PUBLICITY_READ},
    Role.VICE_PRESIDENT: OFFICE | {P.DOCUMENT_READ, P.PUBLICITY_READ},
    Role.EXAM_CENTER: PERSON | OWNER | {P.ROSTER_READ, P.CLASS_READ, P.ORGANISATION_READ},
    Role.OPERATIONS: PERSON | OWNER | {P.ROSTER_READ, P.CLASS_READ, P.ORGANISATION_READ},
    Role.ADMISSIONS: PERSON
    | OWNER
    | {
        P.ADMISSION_IMPORT, P.CASE_DECIDE, P.CASE_READ, P.DELEGATION_WRITE, P.ROSTER_READ, P.ROSTER_EXPORT,
        P.CLASS_READ, P.ORGANISATION_READ, P.STUDENT_ID_NUMBER_READ, P.STUDENT_CONTACT_READ,
    },
    Role.IT_OFFICE: PERSON | {P.ROSTER_READ, P.ROSTER_EXPORT, P.CLASS_READ, P.ORGANISATION_READ},
    Role.COLLEGE_CLERK: OFFICE
    | {P.CASE_OPEN, P.REGISTRATION_WRITE, P.STUDENT_CONTACT_READ, P.STUDENT_CONTACT_WRITE, P.TRANSFER_EXAMINE},
    Role.COLLEGE_LEADER: OFFICE | {P.CASE_REASSIGN, P.TRANSFER_EXAMINE},
    Role.DEPARTMENT: PERSON | {P.CASE_READ, P.CASE_DECIDE},
    Role.STUDENT: PERSON  # sensitive values of one row alone, her own: row scope sees to it
    | {P.CALENDAR_READ, P.CASE_OPEN, P.CASE_READ, P.REGISTRATION_CONFIRM, P.ROSTER_READ, P.PAPER_PRINT,
       P.STUDENT_CONTACT_READ, P.STUDENT_ID_NUMBER_READ},
    Role.ADMIN: PERSON | {P.ACCOUNT_CONFIRM, P.ACCOUNT_READ, P.ACCOUNT_WRITE, P.SETTING_READ, P.ORGANISATION_READ},
    Role.AUDITOR: PERSON
    | {P.ACCOUNT_READ, P.AUDIT_READ, P.CALENDAR_READ, P.CASE_OVERVIEW, P.CASE_READ, P.DOCUMENT_READ, P.HISTORY_READ,
       P.MEETING_READ, P.CLASS_READ, P.ORGANISATION_READ, P.PUBLICITY_READ, P.ROSTER_READ, P.ROSTER_EXPORT,
       P.SETTING_READ, P.TRANSFER_READ},
    Role.TEACHER: PERSON | {P.CALENDAR_READ},
    Role.TRANSFER_PANEL: PERSON
    | {P.CASE_DECIDE, P.CASE_READ, P.CLASS_READ, P.DELEGATION_WRITE, P.MEETING_READ, P.MEETING_WRITE,
       P.ORGANISATION_READ, P.TRANSFER_DECIDE, P.TRANSFER_RANK, P.TRANSFER_READ},
    # The rest of the roles sign flows that later issues bring; until then they may log in and see their jobs.
    **{role: PERSON for role in (
        Role.PRESIDENT_OFFICE, Role.DEGREE_COMMITTEE, Role.SECTION_HEAD,
    )},
}  # fmt: skip


BUILT_IN = frozenset(role.value for role in Role)
# They open nothing but one's own pages: one person alone may give them.
HARMLESS = frozenset(role.value for role in Role if role.scope == "none" and GRANTS[role] <= PERSON)


def granted(roles: frozenset[str]) -> frozenset[Permission]:
    """The permissions of a set of role names; a name that is no built-in role grants none."""
    known = [GRANTS[Role(name)] for name in roles if name in BUILT_IN]
    return frozenset().union(*known)
