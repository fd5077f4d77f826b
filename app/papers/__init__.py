"""文书 papers: every printed paper, one kind a file; each flow has its application form."""

from sqlalchemy import Connection

from app.kit.flow import FLOWS
from app.kit.paper.kinds import PaperKind, load_wordings
from app.papers.application_form import form_of, print_application
from app.papers.change_notice import CHANGE_NOTICE
from app.papers.decision_letter import DECISION_LETTER
from app.papers.document import DOCUMENT, issue_document
from app.papers.info_notice import INFO_NOTICE
from app.papers.review_decision import REVIEW_DECISION

ISSUED = (CHANGE_NOTICE, INFO_NOTICE, DECISION_LETTER, REVIEW_DECISION, DOCUMENT)

__all__ = [
    "CHANGE_NOTICE",
    "DOCUMENT",
    "all_papers",
    "form_of",
    "issue_document",
    "load_templates",
    "print_application",
]


def all_papers() -> dict[str, PaperKind]:
    """Every kind of paper by its key: what is issued, and the form of each flow."""
    kinds = [*ISSUED, *map(form_of, FLOWS.values())]
    return {kind.key: kind for kind in kinds}


def load_templates(connection: Connection) -> None:
    """Load the default wording of every paper as its version 1, where it has none yet."""
    load_wordings(connection, all_papers().values())
