"""Sensitive columns are masked at every door, unless the reader has the permission; and then the audit has a row for it.

Every page, paper, form, export and answer of the API is asked for the rows of one student, by everybody. If this fails
after you added a door: pass the value through `app/kit/sensitive.py`, and log what you show.
"""

import io
import zipfile
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import IntegerConverter

from app.flows.info_change import info_change
from app.flows.leave import leave
from app.kit.flow import FLOWS
from app.kit.sensitive import SENSITIVE, mask
from app.kit.workbook.declare import Column
from app.models import Model
from tests.flows.conftest import ILL, cases  # noqa: F401 - the fixture
from tests.flows.walk import FILLED, Walk
from tests.rules.test_markup import PEOPLE

# What nobody may read without the permission: column → a value that is found nowhere else.
VALUES = {
    "id_number": "500101200601015551", "new_id_number": "500101200601016669", "phone": "13955501234",
    "guardian_phone": "13955505678", "email": "zhang.san.5550@example.invalid", "address": "渝北区紫荆路五五五号",
    "recipient": "li.si.5551@example.invalid", "contact": "13955509012",
}  # fmt: skip
OPINION, STATEMENT = "诊断书写明为重度抑郁发作", "因抑郁症住院治疗"
LISTS = {"case_id": "flow_case", "student_id": "student", "paper_id": "paper", "material_id": "case_material",
         "publicity_id": "publicity", "objection_id": "objection"}  # fmt: skip


def test_there_is_a_value_for_each():
    assert VALUES.keys() == SENSITIVE.keys()


@pytest.fixture
def rows(app: Flask, cast, cases, behind, monkeypatch) -> dict[str, list[int]]:  # noqa: F811 - the fixture
    """The student's rows with sensitive values in them, old ones included; table → ids."""
    behind.run(
        "update student set id_number = :id_number, phone = :phone, guardian_phone = :guardian_phone, email = :email,"
        " address = :address, id_type = '9' where id = 101",
        **{name: VALUES[name] for name in ("id_number", "phone", "guardian_phone", "email", "address")},
    )  # fmt: skip
    ended = cases.at("delivery", leave, values=ILL | {"statement": STATEMENT})
    behind.run("update case_event set opinion = :o where case_id = :c", o=OPINION, c=ended)
    monkeypatch.setitem(FILLED, "info_change", {"new_id_number": VALUES["new_id_number"], "statement": "户籍更正"})
    behind.run("update student set status = 'enrolled' where id = 101")
    walked = Walk(cast, behind, info_change)
    walked.ready()
    walked.open_window()
    with walked.days:
        decided = walked.at("end")
    behind.run("update student set id_number = :n where id = 101", n=VALUES["id_number"])
    draft = cases.draft(info_change, FILLED["info_change"])
    # as the audit and the papers of former versions have them
    behind.run("insert into audit_entry (at, user_name, action, subject, subject_id, college_id, old, new) values (now(),"
               " 'x', 'case:save', 'flow_case', :c, 1, '{}', jsonb_build_object('new_id_number', cast(:n as text)))",
               c=draft, n=VALUES["new_id_number"])  # fmt: skip
    behind.run("update paper set body = body || :n where case_id = :c", n=f"<p>{VALUES['id_number']}</p>", c=decided)
    told = behind.one("insert into notice (user_id, key, title_zh, title_en, text_zh, text_en) values (:u, 'x', 'x', 'x', 'x',"
                      " 'x') returning id", u=cast.student.user_id)  # fmt: skip
    behind.run("insert into mail (notice_id, recipient, subject, body) values (:n, :r, 'x', 'x')", n=told,
               r=VALUES["recipient"])  # fmt: skip
    listed = behind.one("insert into publicity (title, notice, opens_on, closes_on, published_by) values ('x', 'x',"
                        " '2026-09-01', '2026-09-08', :u) returning id", u=cast.registry.user_id)  # fmt: skip
    behind.run("insert into objection (publicity_id, objector, contact, text, received_on, recorded_by) values"
               " (:p, 'x', :c, 'x', '2026-09-01', :u)", p=listed, c=VALUES["contact"], u=cast.registry.user_id)  # fmt: skip
    tables = (
        "mail",
        "objection",
        "flow_case",
        "student",
        "paper",
        "audit_entry",
        "case_material",
        "roster_change",
        "publicity",
        "document",
    )
    # the newest of each, and those of the student
    found = {t: [r["id"] for r in behind.rows(f"select id from {t} order by id desc limit 12")] for t in tables}
    return found | {"student": [101], "flow_case": [ended, decided, draft], "case_material": []}


def doors(app: Flask, rows: dict[str, list[int]]) -> Iterator[tuple[str, str, dict]]:
    """(method, path, form): what can be read of these rows."""
    views = {type(view).__name__: view for view in app.appbuilder.baseviews}  # type: ignore[attr-defined]
    for rule in app.url_map.iter_rules():
        name, _dot, act = rule.endpoint.partition(".")
        view = views.get(name)
        if view is None or act in ("logout", "export") or ("GET" not in (rule.methods or set()) and act != "reveal"):
            continue
        table = getattr(getattr(getattr(view, "datamodel", None), "obj", None), "__tablename__", "")
        made: list[dict[str, object]] = [{}]
        for argument in rule.arguments:
            number = isinstance(rule._converters[argument], IntegerConverter) or argument == "pk"
            ids = rows.get(LISTS.get(argument) or table) or [101] if number else None
            words = {"column": [*getattr(view, "masked", {})], "key": [*FLOWS, "roster"], "locale": []}.get(argument)
            made = [one | {argument: value} for one in made for value in (ids or words or [])]
        for arguments in made:
            with app.test_request_context():
                path = app.url_map.bind("localhost").build(rule.endpoint, arguments)
            yield ("POST" if act == "reveal" else "GET"), path, {}
    yield from (("GET", f"/paperscreen/print?id={paper}", {}) for paper in rows["paper"])
    for name, view in views.items():
        for book in view.books() if hasattr(view, "books") and getattr(view, "menu", None) else []:
            columns = [column.name for column in book.columns]
            yield "POST", f"/{name.lower()}/export/{book.key}", {"columns": columns}


def read(answer) -> str:
    """The text of an answer, that of a workbook's sheets too."""
    body = answer.get_data()
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            return "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))
    return body.decode(errors="replace")


def holds(text: str, value: str) -> bool:
    """Whether the answer has this value, as text or as JSON writes it."""
    return value in text or ascii(value)[1:-1] in text


LOGGED = "select count(*) from audit_entry where action like '%reveal' or action = 'export' and detail ->> 'sensitive' <> '[]'"


@pytest.mark.parametrize("who", PEOPLE)
def test_masked_unless_permitted_and_logged_when_shown(app: Flask, cast, behind, rows, who):
    actor, browser, faults, opened = getattr(cast, who), cast.login(who), [], 0
    for method, path, form in doors(app, rows):
        before = behind.one(LOGGED)
        answer = browser.open(path, method=method, data=form)
        text = read(answer)
        opened += answer.status_code == 200
        for column, value in VALUES.items():
            if not holds(text, value):
                continue
            if not actor.may(SENSITIVE[column]):
                faults.append(f"{method} {path}: {column} in clear")
            elif behind.one(LOGGED) == before:
                faults.append(f"{method} {path}: {column} is shown, and nothing logged")
    assert opened > 10, opened
    assert not faults, "\n".join(faults)


def test_who_may_sees_them(app: Flask, cast, behind, rows):
    """The walk would find them: the registry meets each of them somewhere."""
    browser, met = cast.login("registry"), set()
    for method, path, form in doors(app, rows):
        text = read(browser.open(path, method=method, data=form))
        met |= {column for column, value in VALUES.items() if holds(text, value)}
    assert met == VALUES.keys()


def test_a_department_is_told_what_its_notice_says(app: Flask, cast, behind, rows):
    """That, from when and until when; not why, neither on the page nor in the list, its workbook or the API."""
    ended, faults = rows["flow_case"][0], []
    browser = cast.login("library")
    page = browser.get(f"/casescreen/show/{ended}")
    assert page.status_code == 200 and "2026" in page.text
    for method, path, form in doors(app, rows):
        text = read(browser.open(path, method=method, data=form))
        faults += [f"{path}: {word}" for word in (OPINION, STATEMENT, "因病", '"illness"') if holds(text, word)]
    faults += [word for word in (OPINION, STATEMENT, "因病") if word in page.text]
    assert not [fault for fault in faults if "/apply" not in fault], "\n".join(faults)
    for who in ("clerk", "registry"):
        text = cast.login(who).get(f"/casescreen/show/{ended}").text
        assert OPINION in text and STATEMENT in text and "因病" in text
    assert cast.login("clerk").get(f"/api/v1/case/{ended}").json["result"]["reason"] == "illness"
    assert browser.get(f"/api/v1/case/{ended}").json["result"]["reason"] is None


def test_a_clerk_keeps_a_number_that_she_does_not_see(cast, behind, rows):
    """She fills in what the college began: the number stays unless she enters another."""
    draft = rows["flow_case"][2]
    behind.run("update flow_case set opened_by_role = 'college_clerk' where id = :id", id=draft)
    browser = cast.login("clerk")
    page = browser.get(f"/casescreen/edit/{draft}").text
    assert mask(VALUES["new_id_number"]) in page and VALUES["new_id_number"] not in page
    stored = "select new_id_number from flow_case where id = :id"
    browser.post(f"/casescreen/edit/{draft}", data={"new_id_number": "", "new_name": "张山", "statement": "更正"})
    assert behind.one(stored, id=draft) == VALUES["new_id_number"]
    browser.post(f"/casescreen/edit/{draft}", data={"new_id_number": "500101200601017778", "statement": "更正"})
    assert behind.one(stored, id=draft) == "500101200601017778"
    assert "500101200601017778" not in str(behind.rows("select old, new from audit_entry"))


# declarations


def test_whatever_is_called_so_is_declared_so(app: Flask):
    """Each screen masks them, each workbook that goes out asks for the permission, and no API offers them."""
    faults = []
    for view in app.appbuilder.baseviews:  # type: ignore[attr-defined]
        name, table = type(view).__name__, getattr(getattr(view, "datamodel", None), "obj", Model).__name__
        if table in ("User", "RegisterUser", "Model"):
            continue  # those who work here
        offered = {
            *getattr(view, "list_columns", ()),
            *getattr(view, "show_columns", ()),
            *getattr(view, "more_columns", ()),
        }
        for column in offered & SENSITIVE.keys():
            if hasattr(view, "resource_name") or getattr(view, "masked", {}).get(column) != SENSITIVE[column]:
                faults.append(f"{name}.{column}")
        for column in {*getattr(view, "search_columns", ()), *getattr(view, "quick", ())} & SENSITIVE.keys():
            faults.append(f"{name} searches {column}")
        books = view.books() if hasattr(view, "books") and getattr(view, "menu", None) else []
        faults += [f"{book.key}.{one.name}" for book in books for one in book.columns if not guarded(one)]
    assert not faults


def guarded(column: Column) -> bool:
    needed = SENSITIVE.get(column.name)
    return needed is None or (column.needs == needed and column.mask is not None)
