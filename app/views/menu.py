"""菜单 the sidebar: the entries that the reader may open, put together before the template so that no page waits for it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flask import Flask, current_app, request
from flask_appbuilder.menu import MenuItem
from flask_babel import gettext

from app.views.roster.student_words import hers


@dataclass(frozen=True)
class Entry:
    label: str
    url: str
    icon: str
    current: bool


@dataclass(frozen=True)
class Sidebar:
    """`alone` stand above the groups; `here` is the entry to which the page belongs."""

    alone: list[Entry]
    groups: list[tuple[str, list[Entry]]]
    here: Entry | None


def sidebar() -> Sidebar:
    """The menu as FAB holds it, as far as it is open to the reader."""
    items = current_app.appbuilder.menu.get_list()  # type: ignore[attr-defined]  # FAB hangs it there
    alone = list(_entries(item for item in items if not item.childs))
    groups = [
        (_label(group), list(_entries(group.childs))) for group in items if group.childs and group.should_render()
    ]
    shown = [(label, entries) for label, entries in groups if entries]
    every = [*alone, *(entry for _group, entries in shown for entry in entries)]
    return Sidebar(alone, shown, next((entry for entry in every if entry.current), None))


def _entries(items: Iterable[MenuItem]) -> Iterator[Entry]:
    allowed = current_app.appbuilder.sm.has_access  # type: ignore[attr-defined]  # as above
    for item in items:
        if item.name == "-" or not item.should_render() or not allowed("menu_access", item.name):
            continue
        url, view = item.get_url(), item.baseview
        current = url == request.path or (view is not None and view.endpoint == request.blueprint)
        yield Entry(_label(item), url, item.icon or "fa-circle-o", current)


def _label(item: MenuItem) -> str:
    return str(hers(gettext(str(item.label))))


def install(app: Flask) -> None:
    app.jinja_env.globals.update(sidebar_of_reader=sidebar)
