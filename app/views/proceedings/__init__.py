"""程序 proceedings: what a decision needs beside signatures."""

from app.views.proceedings.dismissals import DismissalView
from app.views.proceedings.documents import DocumentView
from app.views.proceedings.meetings import MeetingScreen
from app.views.proceedings.publicity import PublicityView, PublicPublicityView

PAGES: list = [
    DismissalView,
    MeetingScreen,
    PublicityView,
    DocumentView,
    PublicPublicityView,
]
APIS: list = []
