"""办件 cases: what is applied for, decided and issued."""

from app.views.cases.api import CaseOperationApi
from app.views.cases.apply import ApplyView
from app.views.cases.inbox import InboxView
from app.views.cases.overview import OverviewView
from app.views.cases.papers import PaperApi, PaperScreen, WordingView
from app.views.cases.screen import CaseApi, CaseScreen

PAGES: list = [
    InboxView,
    ApplyView,
    CaseScreen,
    OverviewView,
    PaperScreen,
    WordingView,
]
APIS: list = [
    CaseApi,
    CaseOperationApi,
    PaperApi,
]
