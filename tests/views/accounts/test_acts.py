"""The audit speaks in words: every act and every table that the code writes has its own."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_babel import force_locale

from app.kit.flow.batch import ACTS as DECISIONS
from app.views.accounts.acts import ACTS, ROW_ACTS, act_label, table_label
from tests.cast import PASSWORD

APP = Path(__file__).parents[3] / "app"
BY_VARIABLE = {f"case:{act}" for act in (*DECISIONS, "submit", "resubmit")} | {  # audit(actor, f"case:{act}")
    f"reorganisation:{act}" for act in ("decide", "annul", "lapse", "apply")
}
BY_DATABASE = {"case:release", "case:follow"}  # triggers write them
WRITERS = {"audit", "audit_many", "audit_columns", "_audit"}


def calls() -> Iterator[ast.Call]:
    for path in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in WRITERS:
                yield node


def constants(node: ast.AST) -> set[str]:
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def test_every_act_of_the_code_is_called_by_words():
    written = {text for call in calls() for text in constants(call.args[1]) if ":" in text or text == "export"}
    written = {text for text in written if not text.endswith(":")} | BY_VARIABLE | BY_DATABASE
    assert len(written) > 30
    assert written - set(ACTS) == set()
    assert set(ACTS) - written - {"password:change", "password:reset"} == set(), "called by words, but never written"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_table_of_the_code_is_called_by_words(app, language):
    subjects = {text for call in calls() for key in call.keywords if key.arg == "subject" for text in constants(key)}
    views = app.appbuilder.baseviews
    saved = {view.model.__tablename__ for view in views if getattr(view, "writes", None) and view.model is not None}
    assert len(subjects | saved) > 15
    with app.test_request_context(), force_locale(language):
        assert {table for table in subjects | saved if table_label(table) == table} == set()


def test_the_list_shows_words_and_keeps_unknown_keys(app, cast):
    cast.login("clerk").post(
        "/resetmypassword/form",
        data={"old_password": PASSWORD, "password": "New-password-2", "conf_password": "New-password-2"},
    )
    browser = cast.login("auditor")
    page = browser.get("/auditscreen/list/").text
    assert "修改本人密码" in page
    assert "password:change" not in page.split("<tbody")[1].split("</tbody>")[0]
    browser.get("/lang/en")
    assert "Changed the own password" in browser.get("/auditscreen/list/?_flt_0_action=password:change").text
    assert act_label("old:act") == "old:act"
    with app.test_request_context(), force_locale("en"):
        assert {act_label(f"college.{act}") for act in ROW_ACTS} == {str(label) for label in ROW_ACTS.values()}
