"""账号 accounts: who may be what, who is told what, and who did what."""

from app.views.accounts.identities import AuditScreen, DelegationView, IdentityScreen
from app.views.accounts.my_account import AccountView
from app.views.accounts.notices import MailScreen, NoticesView
from app.views.accounts.proposals import ProposalView
from app.views.accounts.switch import IdentityView

PAGES: list = [
    NoticesView,
    DelegationView,
    IdentityScreen,
    ProposalView,
    AuditScreen,
    MailScreen,
    IdentityView,
    AccountView,
]
APIS: list = []
