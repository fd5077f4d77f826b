"""The audit is read by people: what an operation notes has a name, in both languages, and values are said in words."""

import ast
from collections.abc import Iterator
from pathlib import Path

from flask import Flask
from flask_babel import force_locale

from app.views.accounts.audit_words import content, key_word, role_words

ROOT = Path(__file__).parents[2]
WRITERS = {"audit", "audit_many"}
HELD = {"old", "new", "detail"}


def noted() -> Iterator[tuple[str, str]]:
    """(key, where) of every literal dict that is given to the audit as old, new or detail."""
    for path in sorted((ROOT / "app").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or getattr(call.func, "id", None) not in WRITERS:
                continue
            given = [word.value for word in call.keywords if word.arg in HELD]
            for part in (part for value in given for part in ast.walk(value) if isinstance(part, ast.Dict)):
                for key in part.keys:
                    if isinstance(key, ast.Constant):
                        yield key.value, f"{path.relative_to(ROOT)}:{call.lineno}"


def test_what_operations_note_is_called_by_words(app: Flask):
    keys = dict(noted())
    assert len(keys) > 30, "the walk finds what is noted"
    with app.test_request_context(), force_locale("zh"):
        plain = [f"{where}: {key}" for key, where in keys.items() if key_word(key) == key]
    assert not plain, "app/views/accounts/audit_words.py has no words for:\n" + "\n".join(plain)


def test_values_are_said_in_words(app: Flask):
    held = {"step": "accept", "records": {"originals": True}, "refused": 7, "opinion": None}
    with app.test_request_context(), force_locale("zh"):
        assert role_words("transfer_panel,registry") == "转专业工作小组、教务处学籍中心"
        assert content(held).splitlines() == ["环节：学院受理", "登记内容：", "  原件已核：是", "不同意：7", "意见：—"]
        assert content({"state": "ranked"}) == "状态：ranked"  # nothing knows it: it stands as it is
        assert content(None) == "—"
    with app.test_request_context(), force_locale("en"):
        assert content({"status": "on_leave"}) == "Roster status: On leave"
