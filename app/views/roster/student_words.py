"""学生用语 what menus and titles are called for a student: what an office handles is to her what she applied for."""

from typing import Any

from flask import Flask
from flask_babel import lazy_gettext as _

from app.access import current_actor

HERS: list[tuple[Any, Any]] = [
    (_("Cases"), _("My applications")),
    (_("To do"), _("Waits for me")),
    (_("All cases"), _("What I applied for")),
    (_("Papers"), _("My papers")),
    (_("Students"), _("My roster data")),
    (_("Year plan"), _("Dates of the year")),
    (_("My jobs"), _("My downloads")),
    (_("My own"), _("My account and notices")),
]


def hers(words: Any) -> Any:
    """A label of the menu or the title of a page as its reader calls it."""
    if current_actor().scope.kind != "student":
        return words
    return {str(ours): own for ours, own in HERS}.get(str(words), words)


def install(app: Flask) -> None:
    app.jinja_env.filters["hers"] = hers
