"""Every address of the application with the arguments, queries and forms of a stranger, built from the url map itself."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import Flask
from flask_appbuilder import Model
from sqlalchemy import inspect, types
from sqlalchemy.orm import configure_mappers
from werkzeug.routing import IntegerConverter, Rule

from app.kit.screen.comparing import key_of
from tests.rules.foreign import DAY, ID, MARK, PREFIX, row_of

OPEN_TO_ALL = ("static", "appbuilder.static", "health.alive", "health.ready", "LocaleView.index", "AuthDBView.login", "PublicPublicityView.list",
               "AuthDBView.logout", "SecurityApi.login", "SecurityApi.refresh", "UtilView.back")  # fmt: skip

ENDS_THE_WALK = ("AuthDBView.logout", "SecurityApi.logout")  # the stranger would go on as nobody


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
        if rule.endpoint.endswith("static") or rule.endpoint in ENDS_THE_WALK:
            continue
        view = views.get(rule.endpoint.partition(".")[0])
        for arguments in fillings(rule, view):
            with app.test_request_context():
                path = app.url_map.bind("localhost").build(rule.endpoint, arguments)
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield Visit(method, path, rule.endpoint, {} if path.startswith("/api/") else hunting)


def list_visits(app: Flask) -> Iterator[Visit]:
    """Each list without a query, then with conditions on every column that it offers, set to what the stranger hunts."""
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
    """A query for each kind of condition that the list offers: all columns that have it, each set to what the foreign
    row holds, which so fulfils them all. Columns that are empty there make a query of their own."""
    alike: dict[tuple[type, bool], dict[str, Any]] = defaultdict(dict)
    for column, kinds in view._filters.get_search_filters().items():
        value = held(view.datamodel.obj, column)
        if value is None and kinds[0].arg_name == "ge":
            continue  # no bound finds what is empty
        alike[type(kinds[0]), value is None][column] = ID if value is None else value
    for (kind, _empty), values in alike.items():
        if hasattr(view, "resource_name"):
            said = ",".join(f"(col:{column},opr:{kind.arg_name},value:{value!r})" for column, value in values.items())
            yield {"q": f"(filters:!({said}))"}
        else:
            yield {f"_flt_0_{column}": value for column, value in values.items()}


def held(model: Any, column: str) -> Any:
    """What the foreign row holds in a column, or in the key of a relation, as a query says it."""
    if column in inspect(model).relationships:
        direction = inspect(model).relationships[column].direction.name
        name = key_of(model, column).key if direction == "MANYTOONE" else None
    else:
        name = column
    row = row_of(model.__table__)
    if name is not None and name not in row and name in inspect(model).columns:  # reckoned, and stored nowhere
        kind = inspect(model).columns[name].type.python_type
        return {bool: "y", date: "1990-01-01"}.get(kind, ID)
    value = row.get(name, ID)
    if value == MARK:
        return PREFIX  # what is asked for comes back on the page, and must not pass for a leak
    return str(value).lower() if isinstance(value, bool | date) else value
