"""学籍 the roster: students, and what is recorded about them."""

from app.views.roster.admissions import AdmissionsImportView
from app.views.roster.changes import RosterChangeScreen
from app.views.roster.cohort import CohortView
from app.views.roster.dated_effects import DatedEffectView
from app.views.roster.discharge import DischargeView
from app.views.roster.legal_clocks import LegalClockScreen
from app.views.roster.registration import RegistrationScreen
from app.views.roster.reorganisation import ReorganisationView
from app.views.roster.students import RosterChangeApi, StudentApi, StudentScreen

PAGES: list = [
    StudentScreen,
    RegistrationScreen,
    RosterChangeScreen,
    DatedEffectView,
    AdmissionsImportView,
    CohortView,
    LegalClockScreen,
    ReorganisationView,
    DischargeView,
]
APIS: list = [
    StudentApi,
    RosterChangeApi,
]
