"""Text of people is text: no template lets it through raw, no message does, no page does, in either language.

If a page fails here: something on it interpolates with `|safe`, builds a `Markup` out of a value, or calls a text by `_()`
that is no constant. Pass the value as it is, and let the template escape it, once.
"""

import contextlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from flask import Flask, flash, get_flashed_messages, jsonify, render_template_string
from flask_babel import force_locale, gettext, lazy_gettext
from flask_babel.speaklater import LazyString
from jinja2 import nodes
from markupsafe import Markup
from sqlalchemy import types
from sqlalchemy.exc import IntegrityError

from app.flows.info_change import info_change
from app.flows.leave import leave
from app.models import Model
from tests.flows.conftest import cases  # noqa: F401 - the fixture: cases to be shown on the pages
from tests.rules import foreign, walk
from tests.rules.pages import walk as pages_from
from tests.rules.test_languages import ROOT, chinese, used

HURT = "hurt"
LONG = f"\"'></script><b id={HURT}>"
SHORT = f"<b id={HURT}>"
TEMPLATES = sorted((ROOT / "app" / "templates").glob("**/*.html"))
RENDERED = re.compile(r"widgets\.get\('\w+'\)(\(.*\))?(\[.*?\]\(\))?")  # what other templates have rendered already
MESSAGES = {"_": 1, "gettext": 1, "ngettext": 2}


def test_a_lazy_text_is_no_markup(app: Flask):
    assert not hasattr(LazyString, "__html__")
    assert not hasattr(lazy_gettext("Home"), "__html__")


# templates


def name_of(node: nodes.Node) -> str:
    return node.name if isinstance(node, nodes.Name) else ""


def raw(template: nodes.Template, source: str) -> Iterator[str]:
    """What a template takes for markup though it may hold people's text, a line each."""
    lines = source.splitlines()
    for found in template.find_all(nodes.Filter):
        constant = isinstance(found.node, nodes.Const)
        if found.name == "safe" and not constant and not RENDERED.search(lines[found.lineno - 1]):
            yield f"{found.lineno}: |safe"
    for found in template.find_all(nodes.Call):
        messages = found.args[: MESSAGES.get(name_of(found.node), 0)]
        if not all(isinstance(message, nodes.Const) for message in messages):
            yield f"{found.lineno}: a message that is no constant"
        if name_of(found.node) == "Markup":
            yield f"{found.lineno}: Markup"
    for found in template.find_all((nodes.ScopedEvalContextModifier, nodes.EvalContextModifier)):
        yield f"{found.lineno}: autoescape"


def raw_in_scripts(source: str) -> Iterator[str]:
    """Values that scripts and styles get otherwise than as JSON; escaping for HTML does not hold there."""
    for block in re.findall(r"<(?:script|style)\b[^>]*>(.*?)</(?:script|style)>", source, re.DOTALL):
        for value in re.findall(r"\{\{.*?\}\}", block, re.DOTALL):
            if not re.search(r"\|\s*tojson\s*\}\}", value):
                yield value


def unquoted(source: str) -> Iterator[str]:
    """Values of attributes that stand without quotes; a space in one would begin another attribute."""
    yield from re.findall(r"\s[a-z-]+=\{\{.*?\}\}", source)


def test_templates_interpolate_nothing_raw(app: Flask):
    faults = []
    for path in TEMPLATES:
        source = path.read_text()
        found = [*raw(app.jinja_env.parse(source), source), *raw_in_scripts(source), *unquoted(source)]
        faults += [f"{path.relative_to(ROOT)}:{fault}" for fault in found]
    assert not faults, "\n".join(faults)


def test_what_scripts_act_for_carries_the_mark():
    """Without `{{ own() }}` the script leaves the element alone."""
    acting = re.compile(r'data-(?:reveal|endpoint|poll-url)="[^"]*"(?! \{\{ own\(\) \}\})')
    assert [f"{path.name}: {found}" for path in TEMPLATES for found in acting.findall(path.read_text())] == []


@pytest.mark.parametrize(
    "source",
    [
        "{{ case.subject|safe }}",
        "{{ (a ~ b)|safe }}",
        "{{ _(text) }}",
        "{{ ngettext('%(n)s row', rows, n) }}",
        "{% autoescape false %}{{ text }}{% endautoescape %}",
        "<script>let x = {{ text }}</script>",
        "<p class={{ tone }}>",
    ],
)
def test_a_template_that_does_is_found(app: Flask, source):
    assert [*raw(app.jinja_env.parse(source), source), *raw_in_scripts(source), *unquoted(source)]


# messages


class Hurt(HTMLParser):
    """Whether the element that people wrote has become one of the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found = self.found or ("id", HURT) in attrs


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_message_lets_a_value_through(app: Flask, language):
    """Lazy, at once, by the template; in text and in an attribute; alone and within another message."""
    template = app.jinja_env.from_string(
        "{% import 'xueji/ui.html' as ui %}{{ ui.alert(m) }}<p title=\"{{ m }}\">{{ m ~ '' }}{{ [m, m]|join(' ') }}</p>"
        "{{ _('Reference') ~ m }}{{ _('by %(day)s', day=m) }}"
    )
    kept = chinese()
    with app.test_request_context(), force_locale(language):
        for text in used():
            names = re.findall(r"%\((\w+)\)s", text)
            if not names:
                continue
            values = dict.fromkeys(names, LONG)
            for message in (lazy_gettext(text, **values), gettext(text, **values)):
                html = template.render(m=message)
                assert not Hurt(html).found, text
                assert "&lt;b id=hurt&gt;" in html and "&amp;lt;" not in html, text
            assert not {"<", "&"} & set(text + kept[text]) or text in MARKED, f"write no markup into a message: {text}"


# Messages of errors that name a tag; they are interpolated and escaped as all others.
MARKED = {text for text in used() if "tag <%(tag)s>" in text or "</%(tag)s>" in text}


def test_what_is_markup_says_so(app: Flask):
    with app.test_request_context(), force_locale("en"):
        html = render_template_string("{{ _('by %(day)s', day=day) }}", day=Markup("<b>today</b>"))
        assert html == "by <b>today</b>"


def test_a_flash_is_text(app: Flask):
    """By the cookie and back: a lazy text must not come back as markup."""
    with app.test_request_context(), force_locale("en"):
        flash(lazy_gettext("by %(day)s", day=SHORT))
        session = (
            app.session_interface.get_signing_serializer(app)
            if hasattr(app.session_interface, "get_signing_serializer")
            else None
        )  # type: ignore[attr-defined]
        (message,) = get_flashed_messages()
        if session is not None:
            message = session.loads(session.dumps({"m": message}))["m"]
        assert not hasattr(message, "__html__")
        assert str(message) == f"by {SHORT}"


def test_json_has_the_text_as_it_is(app: Flask):
    with app.test_request_context(), force_locale("en"):
        assert jsonify(message=lazy_gettext("by %(day)s", day=SHORT)).json == {"message": f"by {SHORT}"}


# pages

# What no person writes: keys, states, numbers and hashes by which rows are found, and markup that the school's own
# wording was made into (kit/wording.py). A column that is not named here is free text.
NOT_FREE = re.compile(
    r"(key|kind|state|status|old_status|new_status|case_state|act|action|role|opened_by_role|flow|screen|season|scope|opens"
    r"|duration|moved|code|set_key|step_key|reason_code|sex|id_type|new_sex|delivered_how|password|password_hash|uuid"
    r"|.*_hash|digest|sha256|path|.*_path|.*_type|content_type|columns|listed|query|body|id|subject_table|roles|field"
    r"|since|ground|request_id|registration_hash|scopes|education_level)"
)
SHORT_ONES = {
    ("ab_user", "username"),  # letters and digits alone, and fixed once it is used: a trigger
    ("ab_user", "email"),  # an address, or nothing
    ("audit_entry", "subject"),
    ("flow_case", "reason"),
    ("roster_change", "reason"),
    ("roster_change", "code"),
}
KEPT = {"ab_permission", "ab_view_menu", "ab_role", "ab_register_user", "ab_api_key"}  # no person writes these


def free_columns() -> Iterator[tuple[str, str, int | None]]:
    for table in Model.metadata.sorted_tables:
        if table.info.get("view") or table.name in KEPT:
            continue
        for column in table.columns:
            coded = NOT_FREE.fullmatch(column.name) or (table.name, column.name) in SHORT_ONES or column.foreign_keys
            length = getattr(column.type, "length", None)
            if (
                isinstance(column.type, types.String)
                and column.computed is None
                and not coded
                and (length is None or length > len(SHORT) + 4)
            ):
                yield table.name, column.name, length


def marked(column: str, length: int | None) -> str:
    """SQL of a text with markup in it, another for each row where there is room."""
    text = LONG if length is None or length >= len(LONG) + 8 else SHORT
    return f"'{text.replace(chr(39), chr(39) * 2)}' || substr(md5(t.ctid::text), 1, {4 if text is SHORT else 8})"


def mark(connection, table: str, column: str, value: str) -> None:
    """In every row, or, where a CHECK ties the column to others, wherever there is a value."""
    where = " where t.kind = 'text'" if table == "setting" else " where true"
    for only in ("", f" and t.{column} is not null"):
        with contextlib.suppress(IntegrityError), connection.begin_nested():
            connection.exec_driver_sql(f"update {table} t set {column} = {value}{where}{only}")
            return
    raise AssertionError(f"no row of {table} takes markup as its {column}: is it free text?")


JSON_MARK = f"""'{{"name": "<b id={HURT}>", "status": "<b id={HURT}>", "reason": "<b id={HURT}>"}}'"""
OTHERS = (
    f"update audit_entry t set old = {JSON_MARK}, new = {JSON_MARK}, detail = {JSON_MARK}",
    f"update roster_change t set old_text = {JSON_MARK}, new_text = {JSON_MARK}",
    f"update department t set leaving_items = '{{<b id={HURT}>}}'",
    f'update case_step t set cleared = \'{{<b id={HURT}>}}\', records = \'{{"meeting": "<b id={HURT}>", "document": "<b id={HURT}>"}}\'',
)


@pytest.fixture
def written(app: Flask, cast, cases, behind) -> None:  # noqa: F811 - the fixture
    """Markup in every free text of every row: the cast's, those of cases in every state, and one row of every table."""
    for who in PEOPLE:
        cast.login(who)  # their names are marked afterwards
    cases.at("college")
    cases.at("registry", leave, student=102)
    refused, sent = cases.at("accept", leave, student=103), cases.at("accept", leave, student=104)
    cases.decide("clerk", refused, "accept", act="refuse", opinion="x")
    cases.decide("clerk", sent, "accept", act="send_back", opinion="x", to="applicant")
    cases.draft(info_change, {"new_name": "张山", "statement": "x"}, student=105, by="clerk")
    behind.connection.exec_driver_sql("set local role xueji_owner")
    foreign.write(behind.connection)
    for table, column, length in free_columns():
        mark(behind.connection, table, column, marked(column, length))
    for statement in OTHERS:
        behind.connection.exec_driver_sql(statement)
    behind.connection.exec_driver_sql("set local role none")


NOT_WALKED = ("/logout", "/lang/", "/static", "/back", "/casescreen/material/", "/meetingscreen/minutes/")  # no pages
PEOPLE = (
    "student",
    "clerk",
    "leader",
    "director",
    "registry",
    "vp",
    "admissions",
    "panel",
    "library",
    "admin",
    "auditor",
)


def fault_of(answer) -> str | None:
    if answer.mimetype == "text/html":
        if Hurt(answer.text).found:
            return "people's markup is markup"
        return "escaped twice" if "&amp;lt;" in answer.text or "&amp;#" in answer.text else None
    return "JSON is escaped" if answer.mimetype == "application/json" and "&lt;" in answer.text else None


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("who", PEOPLE)
def test_no_page_lets_it_through(app: Flask, cast, written, who, language):
    """Every page that links lead to, as each of them."""
    browser = cast.login(who)
    browser.get(f"/lang/{language}")
    faults, seen = {}, []

    def get(path: str):
        answer = browser.get(path, follow_redirects=True)
        if fault := fault_of(answer):
            faults[path] = fault
        if answer.mimetype == "text/html" and "b id=hurt" in answer.text:
            seen.append(path)
        return answer

    assert len([*pages_from(get, leave=NOT_WALKED)]) > 4
    assert not faults, "\n".join(f"{path}: {fault}" for path, fault in faults.items())
    assert seen, "no page of hers shows any of it"


@pytest.mark.parametrize(("who", "language"), [("registry", "zh"), ("registry", "en"), ("clerk", "zh")])
def test_no_route_lets_it_through(app: Flask, cast, written, who, language):
    """Every route, asked for a row that is marked, and sent a form that is: what it refuses, it says with the value."""
    browser, form = cast.login(who), marked_form()
    browser.get(f"/lang/{language}")
    faults = []
    for visit in [*walk.visits(app), *walk.list_visits(app)]:
        query = {name: SHORT if name == "q" else value for name, value in visit.query.items()}
        if visit.path.startswith("/api/"):
            query = visit.query
        asked = {"query_string": query, "follow_redirects": True}
        if visit.method != "GET":
            asked |= {"json": form} if visit.path.startswith("/api/") else {"data": form}
        answer = browser.open(visit.path, method=visit.method, **asked)
        if fault := fault_of(answer):
            faults.append(f"{visit}: {fault}")
    assert not faults, "\n".join(faults)


def marked_form() -> dict[str, str]:
    form = walk.form()
    form |= {column: SHORT for _table, column, _length in free_columns() if column in form}
    return form | {"act": SHORT, "opinion": SHORT, "reason": SHORT, "text": SHORT, "numbers": SHORT, "label": SHORT}
