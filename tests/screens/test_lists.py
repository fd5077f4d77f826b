"""Every list there is, asked for nonsense: what it does not understand it ignores or refuses, and never breaks.

A list that is added is asked at once, whether a model's screen, a page of its own or an API.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import cycle, islice

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.models import Identity, db
from tests.rules.walk import DAY

NONSENSE = ("x", "-1", "0", "1e400", "nan", "2026-13-45", "9" * 30, "'", "%", "\x00", "学籍", "@1", "@" + "9" * 30)
NOBODYS = ("UserGroupModelView",)  # groups of users are not used
ODD_JSON = ("x", "'-1'", "'2026-13-45'", "''", str(DAY), "!(x,y)", "(a:b)", "!n", "9" * 30)
WORST = ("x", "9" * 30, "\x00")  # every screen meets these, and its share of the others
UNKNOWN = ("nothing", "password", "__class__", "id")  # columns that no list offers
PAGES = ("-1", str(10**9), "9" * 40, "x", "", "--5", "1.5", "٣", "²")


@pytest.fixture
def everything(app: Flask, cast, behind) -> FlaskClient:
    """Somebody in every role at once, who reaches every list."""
    registry = cast.registry
    behind.run(
        "insert into identity_role (identity_id, role_id) select :i, id from ab_role where name = any(:names)"
        " on conflict do nothing",
        i=registry.identity_id, names=["admin", "admissions", "auditor", "registry"],
    )  # fmt: skip
    assert db.session.get(Identity, registry.identity_id)
    db.session.remove()  # else the login would be undone with what was read here
    return cast.login("registry")


def lists(app: Flask) -> list[tuple[str, object]]:
    """(address, view) of every list that takes no argument and is open to anybody at all."""
    views = {type(view).__name__: view for view in app.appbuilder.baseviews}
    found = []
    for rule in app.url_map.iter_rules():
        name, _dot, method = rule.endpoint.partition(".")
        if method in ("list", "get_list") and not rule.arguments and name in views and name not in NOBODYS:
            found.append((rule.rule, views[name]))
    return found


def answers(client: FlaskClient, path: str, queries) -> list[str]:
    """The queries of a list that broke it."""
    broken = []
    for query in queries:
        answer = client.get(path, query_string=query)
        if answer.status_code >= 500 or answer.status_code in (401, 403, 404):
            broken.append(f"{answer.status_code} {path} {query}")
    return broken


def rison(query: str) -> dict[str, str]:
    return {"q": query}


def test_a_list_ignores_or_refuses_nonsense(app, everything):
    broken: list[str] = []
    asked, pages = lists(app), cycle(zip(PAGES, reversed(PAGES), strict=True))
    assert len(asked) > 30
    for path, view in asked:
        name = type(view).__name__
        if hasattr(view, "resource_name"):
            queries = [rison(f"(page:{page})") for page in ("-1", str(10**9), "x", "1.5")]
            queries += [rison(f"(page_size:{size})") for size in ("-1", "0", str(10**9), "x")]
            queries += [
                rison("(order_column:nothing,order_direction:asc)"),
                rison("((("),
                rison("!"),
                rison("!(1)"),
                rison("(page:2026-09)"),
            ]
            queries += [rison("(filters:!((col:nothing,opr:eq,value:x)))"), rison("(filters:x)")]
        else:
            queries = [
                {f"page_{name}": page, "page": page, f"psize_{name}": size, f"_oc_{name}": order, f"_od_{name}": "asc"}
                for (page, size), order in zip(islice(pages, 4), ("nothing", "college", "__class__", "'"), strict=True)
            ]
            queries += [
                {f"_oc_{name}": column, f"_od_{name}": "sideways"} for column in getattr(view, "order_columns", ())
            ]
            queries += [{f"_flt_{n}_{column}": "x" for column in UNKNOWN} for n in (0, 9)]
            queries += [{"_flt_0_": "x", "_flt_x_name": "x", "tab": "x", "flow": "x", "q": "\x00"}, {"q": "%" * 500}]
        broken += answers(everything, path, queries)
    assert not broken, "\n".join(broken)


def of_each_kind(apis: list[tuple[str, object]]) -> Iterator[tuple[str, dict[str, str]]]:
    """(address, query): each condition of an API with some odd value, and each odd value in some condition of its kind."""
    kinds = defaultdict(list)
    for path, view in apis:
        for column, filters in view._filters.get_search_filters().items():
            said = f"(col:{column},opr:{filters[0].arg_name},value:%s)"
            kind = type(filters[0]), type(getattr(view.datamodel.list_columns.get(column), "type", None))
            kinds[kind].append((path, said))
    for alike in kinds.values():
        for (path, said), value in islice(zip(cycle(alike), cycle(ODD_JSON)), max(len(alike), len(ODD_JSON))):
            yield path, rison(f"(filters:!({said % value}))")


def test_a_condition_of_an_api_takes_any_value(app, everything):
    apis = [(path, view) for path, view in lists(app) if hasattr(view, "resource_name")]
    broken = [told for path, query in of_each_kind(apis) for told in answers(everything, path, [query])]
    assert not broken, "\n".join(broken)


def test_a_condition_of_a_screen_takes_any_value(app, everything):
    """All conditions of all columns at once, with values that are none of their types; and each kind alone."""
    broken: list[str] = []
    others = cycle(value for value in NONSENSE if value not in WORST)
    for path, view in lists(app):
        if not hasattr(view, "datamodel") or hasattr(view, "resource_name"):
            continue
        offered = view._filters.get_search_filters()
        together = [f"_flt_{n}_{column}" for column, kinds in offered.items() for n in range(len(kinds))]
        queries = [dict.fromkeys(together, value) for value in (*WORST, *islice(others, 4), ["x", "1"])]
        queries += [
            {name: value for name in together if name.startswith(f"_flt_{n}_")}
            for n, value in enumerate((*WORST, "-1"))
        ]
        broken += answers(everything, path, queries)
    assert not broken, "\n".join(broken)


def test_an_export_of_nonsense_is_refused_or_as_its_list(app, everything):
    broken: list[str] = []
    exported = 0
    for _path, view in lists(app):
        for book in getattr(view, "workbooks", []):
            exported += 1
            path = f"{view.route_base}/export/{book.key}"
            names = [column.name for column in book.columns]
            queries = [{"_flt_0_nothing": "x"}, {f"page_{type(view).__name__}": "-1"}, {"q": "\x00"}]
            offered = view._filters.get_search_filters()
            queries += [
                {f"_flt_{n}_{column}": value for column, kinds in offered.items() if n < len(kinds)}
                for n in range(4) for value in ("x", "9" * 30, "\x00")
            ]  # fmt: skip
            for query in queries:
                for answer in (
                    everything.get(path, query_string=query),
                    everything.post(path, query_string=query, data={"columns": [*names[:2], "nothing"]}),
                ):
                    if answer.status_code >= 500:
                        broken.append(f"{answer.status_code} {path} {query}")
            for data in (
                {},
                {"columns": "nothing"},
                {"columns": names, "grouped": "x"},
                {"columns": ["__class__", "'"]},
            ):
                answer = everything.post(path, data=data)
                if answer.status_code >= 500:
                    broken.append(f"{answer.status_code} {path} {data}")
            assert everything.get(f"{view.route_base}/export/nothing").status_code == 404
    assert exported and not broken, "\n".join(broken)
