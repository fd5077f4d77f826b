"""Every address of the application with the arguments, queries and forms of a stranger, built from the url map itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask_appbuilder import Model
from sqlalchemy import types
from sqlalchemy.orm import configure_mappers
from werkzeug.routing import IntegerConverter, Rule

from tests.rules.foreign import DAY, ID, PREFIX

OPEN_TO_ALL = ("static", "appbuilder.static", "health.alive", "health.ready", "LocaleView.index", "AuthDBView.login", "PublicPublicityView.list",
               "AuthDBView.logout", "SecurityApi.login", "SecurityApi.refresh", "UtilView.back")  # fmt: skip


@dataclass(frozen=True)
class Visit:
    method: str
    path: str
    endpoint: str
    query: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        query = self.query if len(self.query) == 1 else ""
        return f"{self.method} {self.path} {query}".strip()


def form() -> dict[str, Any]:
    """One form that fills every field any page could have: all columns and relationships of all models."""
    configure_mappers()
    filled: dict[str, Any] = {}
    for mapper in Model.registry.mappers:
        filled |= {column.key: sample(column.type) for column in mapper.columns}
        filled |= {relation.key: str(ID) for relation in mapper.relationships}
    asked = dict.fromkeys(("id", "ids", "pk", "rowid", "cases", "case", "numbers", "identity", "deputy", "student"), ID)
    chosen = {
        "action": "delete",
        "act": "approve",
        "expected_step": "accept",
        "label": "x",
        "columns": ["name", "student_no"],
    }
    return {"q": PREFIX, **filled, **{name: str(value) for name, value in asked.items()}, **chosen}


def sample(kind: types.TypeEngine) -> str:
    if isinstance(kind, types.Boolean):
        return "y"
    if isinstance(kind, types.DateTime):
        return f"{DAY} 00:00:00"
    if isinstance(kind, types.Date):
        return str(DAY)
    if isinstance(kind, types.Numeric):
        return "4"
    return str(ID)


def visits(app: Flask) -> Iterator[Visit]:
    """Each route with each of its methods and a query that asks for foreign rows by every name a page could read."""
    views = {type(view).__name__: view for view in app.appbuilder.baseviews}  # type: ignore[attr-defined]
    hunting = {"q": PREFIX, **{name: str(ID) for name in foreign_keys()}}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.endswith("static") or rule.endpoint == "AuthDBView.logout":
            continue
        view = views.get(rule.endpoint.partition(".")[0])
        for arguments in fillings(rule, view):
            with app.test_request_context():
                path = app.url_map.bind("localhost").build(rule.endpoint, arguments)
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield Visit(method, path, rule.endpoint, {} if path.startswith("/api/") else hunting)


def list_visits(app: Flask) -> Iterator[Visit]:
    """Each list without a query, then with a filter on every column that it offers, set to what the stranger hunts."""
    for view in app.appbuilder.baseviews:  # type: ignore[attr-defined]
        if not hasattr(view, "list_columns"):
            continue
        endpoint = f"{type(view).__name__}.{'get_list' if hasattr(view, 'resource_name') else 'list'}"
        for rule in app.url_map.iter_rules(endpoint):
            yield from (Visit("GET", rule.rule, endpoint, query) for query in [{}, *searches(view)])


def foreign_keys() -> set[str]:
    columns = [column for table in Model.metadata.tables.values() for column in table.columns if column.foreign_keys]
    return {"id", "pk", "page", *(c.name for c in columns), *(c.name.removesuffix("_id") for c in columns)}


def fillings(rule: Rule, view: Any) -> Iterator[dict[str, Any]]:
    """The route's arguments: ids are those of foreign rows, names those that the view knows."""
    known = {
        "name": list(getattr(view, "actions", {})),
        "key": [book.key for book in getattr(view, "workbooks", [])],
        "column": list(getattr(view, "masked", {})),
        "locale": ["en"],
    }
    numbers: dict[str, Any] = {}
    choices: list[tuple[str, list[str]]] = []
    for name in sorted(rule.arguments):
        if isinstance(rule._converters[name], IntegerConverter) or not known.get(name):
            numbers[name] = ID
        else:
            choices.append((name, known[name]))
    made = [numbers]
    for name, values in choices:
        made = [filled | {name: value} for filled in made for value in values]
    yield from made


def searches(view: Any) -> Iterator[dict[str, Any]]:
    offered = view._filters.get_search_filters()
    for column, kinds in offered.items():
        value = sample_for(view.datamodel, column)
        if hasattr(view, "resource_name"):
            yield {"q": f"(filters:!((col:{column},opr:{kinds[0].arg_name},value:{value!r})))"}
        else:
            yield {f"_flt_0_{column}": value}


def sample_for(datamodel: Any, column: str) -> str:
    if datamodel.is_relation(column):
        return str(ID)
    if datamodel.is_string(column) or datamodel.is_text(column):
        return PREFIX
    return str(DAY) if datamodel.is_date(column) or datamodel.is_datetime(column) else str(ID)
