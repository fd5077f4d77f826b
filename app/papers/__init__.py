"""文书 papers: every printed paper, one kind a file."""

from sqlalchemy import Connection

from app.kit.paper import PaperKind, load_wordings
from app.papers.application_form import LEAVE_FORM, RETURN_FORM, print_application
from app.papers.change_notice import CHANGE_NOTICE

PAPERS: dict[str, PaperKind] = {kind.key: kind for kind in (CHANGE_NOTICE, LEAVE_FORM, RETURN_FORM)}

__all__ = ["CHANGE_NOTICE", "LEAVE_FORM", "PAPERS", "RETURN_FORM", "load_templates", "print_application"]


def load_templates(connection: Connection) -> None:
    """Load the default wording of every paper as its version 1, where it has none yet."""
    load_wordings(connection, PAPERS.values())
