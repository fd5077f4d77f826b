"""文书 papers: every printed paper, one kind a file, which registers itself; each flow has its application form."""

from importlib import import_module
from pkgutil import iter_modules

from sqlalchemy import Connection

from app.kit.flow import FLOWS
from app.kit.paper.kinds import KINDS, PaperKind, load_wordings
from app.papers.application_form import form_of, print_application
from app.papers.change_notice import CHANGE_NOTICE
from app.papers.document import DOCUMENT, issue_document

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

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
    return KINDS | {kind.key: kind for kind in map(form_of, FLOWS.values())}


def load_templates(connection: Connection) -> None:
    """Load the default wording of every paper as its version 1, where it has none yet."""
    load_wordings(connection, all_papers().values())
