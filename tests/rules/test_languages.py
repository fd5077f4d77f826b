"""The interface speaks Chinese and English: every text has its Chinese, and no page mixes the two.

If this fails after you wrote a text: give it its Chinese in translations/zh/parts. If a page shows the other language:
pass the text through gettext, or show the title of a row by its language, as the models do.
"""

import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po
from flask import Flask
from flask_babel import force_locale, gettext, lazy_gettext

from app.access import Role
from app.flows.leave import leave
from app.views import labels
from tests.flows.conftest import cases  # noqa: F401 - the fixture: cases to be shown on the pages
from tests.rules.pages import walk

ROOT = Path(__file__).parents[2]
CHINESE = re.compile(r"[\u3400-\u9fff]")
WORD = re.compile(r"[A-Za-z]{2,}")
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w*\}")
MASKED = re.compile(r"\S*\*{2,}\S*")
KEYWORDS = {name: None for name in ("_", "gettext", "lazy_gettext", "translated")} | {"ngettext": (1, 2)}
# An import is told the two words that a Chinese workbook has for yes and no.
CHINESE_WITHIN = frozenset({"%(label)s: write 是 or 否 (yes or no)."})


# Other names of things that the glossary of the README names: one thing has one name.
OTHER_NAMES = {
    "学籍科": "学籍中心",
    "办理时间": "办理时段",
    "录取数据导入": "录取导入",
    "驳回": "退回、不同意",
    "窗口期": "办理时段",
}


@cache
def used() -> dict[str, str]:
    """Every text of the application → where it stands first."""
    found: dict[str, str] = {}
    python = [*ROOT.glob("app/**/*.py"), ROOT / "config.py"]
    for method, paths in (("python", python), ("jinja2.ext:babel_extract", ROOT.glob("app/templates/**/*.html"))):
        for path in sorted(paths):
            for line, text, _comments, _context in extract_from_file(method, path, keywords=KEYWORDS):
                found.setdefault(text if isinstance(text, str) else text[0], f"{path.relative_to(ROOT)}:{line}")
    return found


def parts() -> Iterator[tuple[str, Catalog]]:
    for path in sorted((ROOT / "translations" / "zh" / "parts").glob("*.po")):
        with path.open("rb") as file:
            yield path.name, read_po(file, "zh", abort_invalid=True)


def chinese() -> dict[str, str]:
    """text → its Chinese, of all parts."""
    return {
        id_of(message): string
        for _name, part in parts()
        for message in part
        if message.id and (string := message.string if isinstance(message.string, str) else message.string[0])
    }


def id_of(message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def test_every_text_has_its_chinese():
    known = chinese()
    missing = [f"{where}: {text}" for text, where in used().items() if text not in known]
    assert not missing, "no Chinese in translations/zh/parts for:\n" + "\n".join(missing)


def test_one_text_has_one_chinese():
    spec = importlib.util.spec_from_file_location("build", ROOT / "translations" / "build.py")
    assert spec is not None and spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    build.merged()  # exits with the clashes


def test_the_chinese_keeps_the_placeholders():
    wrong = [
        text
        for text, string in chinese().items()
        if sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(string))
    ]
    assert not wrong


def test_texts_in_the_code_are_english():
    assert [
        f"{where}: {text}" for text, where in used().items() if CHINESE.search(text) and text not in CHINESE_WITHIN
    ] == []


def test_a_text_is_in_the_language_of_the_moment(app: Flask):
    with app.test_request_context("/?_l_=zh"):
        assert gettext("Home") == "首页"
        with force_locale("en"):
            assert gettext("Home") == "Home"
            with force_locale("zh"):
                assert gettext("Home") == str(lazy_gettext("Home")) == "首页"
            assert gettext("Home") == app.jinja_env.from_string("{{ _('Home') }}").render() == "Home"
        assert gettext("Home") == "首页"
    with app.app_context(), app.test_request_context("/?_l_=en"):
        assert gettext("Home") == "Home"


def test_our_chinese_wins_over_the_frameworks(app: Flask):
    with app.test_request_context(), force_locale("zh"):
        assert gettext("Created by") == "创建人"  # FAB's own says 创建者


@pytest.mark.parametrize(("language", "other"), [("zh", WORD), ("en", CHINESE)])
def test_roles_screens_and_permissions_are_called_by_words(app: Flask, language, other):
    shown = {}
    with app.test_request_context(), force_locale(language):
        manager = app.appbuilder.sm  # type: ignore[attr-defined]
        for view in app.appbuilder.baseviews:  # type: ignore[attr-defined]
            name = view.class_permission_name
            for act in view.base_permissions:
                shown[f"{act} on {name}"] = labels.view_label(name) + labels.permission_label(act, name)
                assert act in labels.ACTS, f"app/views/labels.py has no words for {act} of {name}"
                assert labels.view_label(name) != name, f"app/views/labels.py has no words for {name}"
        shown |= {name: labels.view_label(name) for name in manager.menu_names()}
        shown |= {role.value: labels.role_label(role.value) for role in Role}
    allowed = ("API",)
    assert {key: text for key, text in shown.items() if other.search(strip(text, allowed))} == {}


# pages

NAMES = ("学籍通", "Xueji", "籍", "中文", "English")
TECHNICAL = ("API", "JPG", "PNG", "WebP", "HEIC", "PDF", "MB", "KB", "Excel", "WPS", "xlsx", "zip")
# The rows of these screens are both languages side by side, keys and patterns.
BILINGUAL = ("/mailscreen/", "/codescreen/", "/codesetscreen/", "/settingscreen/", "/departmentscreen/", "/collegescreen/", "/majorscreen/",
             "/taskrulescreen/", "/wording/")  # fmt: skip
NOT_PAGES = (
    "/logout",
    "/lang/",
    "/api/",
    "/swagger",
    "/static",
    "/health",
    "/ready",
    "/back",
)
# Papers are official documents: in Chinese, whoever prints them.
PAPERS = ("/paperscreen/print", "/paperscreen/application")
# Data that is Chinese, or Latin, whatever the language of the reader: names of people, places and accounts.
DATA = """
    select name from student union select coalesce(name_en, name) from college
    union select coalesce(name_en, name) from major
    union select name from class_group union select username from ab_user union select email from ab_user
    union select value from setting union select title from paper union select address from student
    union select pinyin from student union select initials from student union select left(name, 1) from student
    union select statement from flow_case union select number from flow_case union select file_name from case_material
    union select title from paper_template union select unnest(leaving_items) from department
"""
BOTH = """
    select name_zh from code union select name_en from code union select title_zh from code_set
    union select title_en from code_set union select source from code_set union select key from code_set
    union select version from code_set
    union select key from setting union select title_zh from setting union select title_en from setting
    union select note from setting union select kind from setting
    union select key from department union select name_zh from department union select name_en from department
    union select name from college union select name from major union select name_en from major union select body from paper_template
    union select key from task_rule union select flow from task_rule union select opens from task_rule
    union select duration from task_rule
    union select key from task_rule union select title_zh from task_rule union select title_en from task_rule
    union select requirement_zh from task_rule union select requirement_en from task_rule
    union select note_zh from task_rule union select note_en from task_rule union select subject from mail
"""
# The notation of the rules by which tasks are dated: autumn:w1-2, month:4(1-10), any, plan, 5d, w2 …
NOTATION = re.compile(
    r"[a-z-]+:[a-z0-9()-]+|(?<![A-Za-z])(any|plan|external)(?![A-Za-z])|(?<![A-Za-z])(\d+[dwm]|w\d+)(?![A-Za-z])"
)


RULE_FORMS = ("/taskrulescreen/add", "/taskrulescreen/edit")  # where the notation is written, it is explained


def strip(text: str, allowed: tuple[str, ...], notation: bool = False) -> str:
    """`text` without the data in it, the longest first, so that no name is cut by a shorter one."""
    text = "" if text in allowed else NOTATION.sub("", text) if notation else text
    for known in allowed:
        text = text.replace(known, "")
    return MASKED.sub("", text)


@pytest.mark.parametrize(("language", "other"), [("zh", WORD), ("en", CHINESE)])
@pytest.mark.parametrize("who", ["student", "clerk", "registry", "admissions", "library", "admin", "auditor"])
def test_pages_speak_one_language(app: Flask, cast, cases, behind, who, language, other):  # noqa: F811 - the fixture
    cases.at("college")
    cases.at("registry", leave, student=102)
    cases.draft(student=103, by="clerk")
    browser = cast.login(who)
    browser.get(f"/lang/{language}")
    data = {row["name"] for row in behind.rows(f"select name from ({DATA}) d where name <> ''")}
    both = {
        " ".join(row["name_zh"].split()) for row in behind.rows(f"select name_zh from ({BOTH}) d where name_zh <> ''")
    }
    mixed, seen = {}, []
    left_out = NOT_PAGES if language == "zh" else (*NOT_PAGES, *PAPERS)
    for path, page in walk(lambda path: browser.get(path, follow_redirects=True), leave=left_out):
        known = data | (both if path.startswith(BILINGUAL) else set())
        allowed = tuple(sorted((*known, *NAMES, *TECHNICAL), key=len, reverse=True))
        seen.append(path)
        suspects = [text for text in dict.fromkeys(page.texts) if other.search(text)]
        if found := [text for text in suspects if other.search(strip(text, allowed, path.startswith(RULE_FORMS)))]:
            mixed[path] = found
    assert len(seen) > 4, seen
    assert not mixed, "\n".join(f"{path}: {' | '.join(texts)}" for path, texts in mixed.items())


def test_one_thing_has_one_name():
    told = {text: said for text, said in chinese().items() if any(other in said for other in OTHER_NAMES)}
    assert not told, f"call it as the glossary does: {OTHER_NAMES}"
    readme = (ROOT / "README.md").read_text()
    assert [other for other in OTHER_NAMES if other in readme] == []
    assert "学籍中心" in readme and "录取导入" in chinese().values()
