"""The flows of the manual, one a file. Importing this package registers each; the order is the manual's."""

from app.flows.voluntary_withdrawal import voluntary_withdrawal  # isort: skip
from app.flows.voluntary_downgrade import voluntary_downgrade  # isort: skip
from app.flows.leave import leave  # isort: skip
from app.flows.return_ import return_  # isort: skip
from app.flows.cancellation import cancellation  # isort: skip
from app.kit.flow import check_flows

check_flows()

__all__ = ["cancellation", "leave", "return_", "voluntary_downgrade", "voluntary_withdrawal"]
