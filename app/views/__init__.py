"""The menu: the pages and APIs of every domain, in the order of the sidebar."""

from flask import Flask, current_app
from flask_appbuilder import AppBuilder
from flask_babel import lazy_gettext as _

from app.views import accounts, calendar, cases, held, labels, menu, organisation, proceedings, roster, transfers
from app.views.accounts import identities, password_again, switch
from app.views.accounts.users import AccountManager
from app.views.health import health
from app.views.held import HeldView
from app.views.home import HomeView
from app.views.jobs import JobsView
from app.views.roster import student_words

# In the order of the sidebar.
GROUPS = {
    "cases": (_("Cases"), "fa-stamp"),
    "roster": (_("Roster"), "fa-graduation-cap"),
    "proceedings": (_("Proceedings"), "fa-gavel"),
    "calendar": (_("Academic calendar"), "fa-calendar-days"),
    "own": (_("My own"), "fa-user"),
    "organisation": (_("Organisation"), "fa-sitemap"),
    "settings": (_("Settings"), "fa-sliders"),
}
DOMAINS = (cases, roster, transfers, proceedings, calendar, accounts, organisation)


def register(appbuilder: AppBuilder) -> None:
    """Add every screen with its permissions. A view that declares no needs is open to nobody."""
    pages = [page for domain in DOMAINS for page in domain.PAGES] + [JobsView, HeldView]
    for page in sorted(pages, key=_group):
        appbuilder.sm.declare(page.__name__, page.needs())
        if page.menu is None:
            appbuilder.add_view_no_menu(page)
            continue
        label, icon = GROUPS[page.menu.group]
        appbuilder.add_view(
            page, page.__name__, icon=page.menu.icon, label=page.menu.label, category=page.menu.group,
            category_icon=icon, category_label=label,
        )  # fmt: skip
    for api in [api for domain in DOMAINS for api in domain.APIS]:
        appbuilder.sm.declare(api.__name__, api.needs())
        appbuilder.add_api(api)
    for name, words in (("List Users", _("Users")), ("List Roles", _("Roles"))):  # FAB says what the page does
        item = appbuilder.menu.find(name)
        assert item is not None  # it stands in FAB's own group
        item.label = words
    current_app.register_blueprint(health)


def _group(page: type) -> int:
    """Where in the sidebar the page's group stands; pages without an entry come last."""
    entry = page.menu  # type: ignore[attr-defined]
    return list(GROUPS).index(entry.group) if entry else len(GROUPS)


def install(app: Flask) -> None:
    """What the pages do before and around each request, in this order."""
    for part in (held, identities, switch, password_again, student_words, labels, menu):
        part.install(app)


__all__ = ["AccountManager", "HomeView", "install", "register"]
