"""The flows of the manual, one a file. Importing this package registers each; the order is the manual's."""

# isort: off
from app.flows.admission_deferral import admission_deferral
from app.flows.admission_resumption import admission_resumption
from app.flows.admission_cancellation import admission_cancellation
from app.flows.admission_waiver import admission_waiver
from app.flows.card_replacement import card_replacement
from app.flows.voluntary_withdrawal import voluntary_withdrawal
from app.flows.voluntary_downgrade import voluntary_downgrade
from app.flows.major_transfer import major_transfer
from app.flows.leave import leave
from app.flows.return_ import return_
from app.flows.dismissal import dismissal
from app.flows.appeal import appeal
from app.flows.info_change import info_change
from app.flows.cancellation import cancellation
from app.flows.correction import correction
from app.kit.flow import check_flows
# isort: on

check_flows()

__all__ = [
    "admission_cancellation",
    "admission_deferral",
    "admission_resumption",
    "admission_waiver",
    "appeal",
    "cancellation",
    "card_replacement",
    "correction",
    "dismissal",
    "info_change",
    "leave",
    "major_transfer",
    "return_",
    "voluntary_downgrade",
    "voluntary_withdrawal",
]
