"""The flows of the manual. Importing this package registers each; the order is the manual's."""

from app.flows.leave import leave
from app.flows.return_ import return_
from app.kit.flow import check_flows

check_flows()

__all__ = ["leave", "return_"]
