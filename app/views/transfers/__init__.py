"""转专业 transfers of major."""

from app.views.transfers.applications import RankingImportView, TransferApplicationScreen
from app.views.transfers.rounds import TransferRoundScreen

PAGES: list = [
    TransferRoundScreen,
    TransferApplicationScreen,
    RankingImportView,
]
APIS: list = []
