"""The menu: every screen and API of the product, in the order of the sidebar."""

from flask import current_app
from flask_appbuilder import AppBuilder
from flask_babel import lazy_gettext as _

from app.views import held, labels, menu
from app.views.accounts import password_again
from app.views.accounts.identities import AuditScreen, DelegationView, IdentityScreen
from app.views.accounts.my_account import AccountView
from app.views.accounts.notices import MailScreen, NoticesView
from app.views.accounts.proposals import ProposalView
from app.views.accounts.switch import IdentityView
from app.views.accounts.users import AccountManager
from app.views.calendar.feed import CalendarFeedView
from app.views.calendar.plan import CalendarView
from app.views.calendar.rules import CalendarDayScreen, TaskRuleScreen
from app.views.calendar.terms import AcademicYearView
from app.views.cases.api import CaseOperationApi
from app.views.cases.apply import ApplyView
from app.views.cases.inbox import InboxView
from app.views.cases.overview import OverviewView
from app.views.cases.papers import PaperApi, PaperScreen, WordingView
from app.views.cases.screen import CaseApi, CaseScreen
from app.views.health import health
from app.views.held import HeldView
from app.views.home import HomeView
from app.views.imports import AdmissionsImportView
from app.views.jobs import JobsView
from app.views.organisation.reference import CodeApi, CodeScreen, CodeSetApi, CodeSetScreen, SettingApi, SettingScreen
from app.views.organisation.reorganisation import ReorganisationView
from app.views.organisation.units import (
    ClassGroupApi,
    ClassGroupScreen,
    CollegeApi,
    CollegeScreen,
    DepartmentApi,
    DepartmentScreen,
    MajorApi,
    MajorScreen,
)
from app.views.proceedings.documents import DocumentView
from app.views.proceedings.meetings import MeetingScreen
from app.views.proceedings.publicity import PublicityView, PublicPublicityView
from app.views.roster import student_words
from app.views.roster.changes import RosterChangeScreen
from app.views.roster.cohort import CohortView
from app.views.roster.dated_effects import DatedEffectView
from app.views.roster.discharge import DischargeView
from app.views.roster.legal_clocks import DismissalView, LegalClockScreen
from app.views.roster.registration import RegistrationScreen
from app.views.roster.students import RosterChangeApi, StudentApi, StudentScreen
from app.views.transfers.applications import RankingImportView, TransferApplicationScreen
from app.views.transfers.rounds import TransferRoundScreen

GROUPS = {
    "roster": (_("Roster"), "fa-graduation-cap"),
    "cases": (_("Cases"), "fa-stamp"),
    "proceedings": (_("Proceedings"), "fa-gavel"),
    "own": (_("My own"), "fa-user"),
    "calendar": (_("Academic calendar"), "fa-calendar-days"),
    "organisation": (_("Organisation"), "fa-sitemap"),
    "settings": (_("Settings"), "fa-sliders"),
}
# In the order of the sidebar: a class with `menu` and `needs()`, a model's screen or a page of its own.
PAGES: list = [
    InboxView,
    ApplyView,
    CaseScreen,
    OverviewView,
    PaperScreen,
    StudentScreen,
    RegistrationScreen,
    RosterChangeScreen,
    DatedEffectView,
    AdmissionsImportView,
    CohortView,
    LegalClockScreen,
    DismissalView,
    TransferRoundScreen,
    MeetingScreen,
    PublicityView,
    DocumentView,
    CalendarView,
    AcademicYearView,
    TaskRuleScreen,
    CalendarDayScreen,
    NoticesView,
    JobsView,
    DelegationView,
    CollegeScreen,
    MajorScreen,
    ClassGroupScreen,
    ReorganisationView,
    DepartmentScreen,
    SettingScreen,
    CodeSetScreen,
    CodeScreen,
    WordingView,
    IdentityScreen,
    ProposalView,
    AuditScreen,
    MailScreen,
    IdentityView,
    HeldView,
    AccountView,
    CalendarFeedView,
    PublicPublicityView,
    DischargeView,
    TransferApplicationScreen,
    RankingImportView,
]
APIS: list = [
    StudentApi, RosterChangeApi, CaseApi, CaseOperationApi, PaperApi, CollegeApi, MajorApi, ClassGroupApi,
    DepartmentApi, CodeSetApi, CodeApi, SettingApi,
]  # fmt: skip


def register(appbuilder: AppBuilder) -> None:
    """Add every screen with its permissions. A view that declares no needs is open to nobody."""
    for page in PAGES:
        needs = page.needs()
        appbuilder.sm.declare(page.__name__, needs)
        if page.menu is None:
            appbuilder.add_view_no_menu(page)
            continue
        label, icon = GROUPS[page.menu.group]
        name = page.__name__
        appbuilder.add_view(
            page, name, icon=page.menu.icon, label=page.menu.label, category=page.menu.group,
            category_icon=icon, category_label=label,
        )  # fmt: skip
    for api in APIS:
        appbuilder.sm.declare(api.__name__, api.needs())
        appbuilder.add_api(api)
    for name, label in (("List Users", _("Users")), ("List Roles", _("Roles"))):  # FAB says what the page does
        item = appbuilder.menu.find(name)
        assert item is not None  # it stands in FAB's own group
        item.label = label
    current_app.register_blueprint(health)


__all__ = ["AccountManager", "HomeView", "held", "labels", "menu", "password_again", "register", "student_words"]
