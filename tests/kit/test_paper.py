"""Papers: whose they are, wording that is refused, numbers without a gap, the same text at every printing."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import event, func, select, text

from app.access import Actor, Permission, scope_as
from app.kit.operation import NotAllowed, NotFound, Refused, operation
from app.kit.paper.issuing import issue_papers, pages, print_form, print_papers
from app.kit.paper.kinds import Page, PaperKind, Placeholder, load_wordings, preview, save_template
from app.kit.paper.wording import Wording
from app.models import Case, Paper, PaperTemplate, among, db
from tests.conftest import Behind, Cast


def of_cases(case_ids: list[int]) -> dict[int, dict[str, object]]:
    query = select(Case.id, Case.subject).where(among(Case.id, case_ids))
    return {row.id: {"name": row.subject} for row in db.session.execute(query)}


NAME = Placeholder("name", "Name", "张三")
NOTICE = PaperKind("test_notice", "通知单", "Notice", (NAME,), of_cases, "<p>{{ name }} {{ number }}</p>", "T")
FORM = PaperKind("test_form", "申请表", "Form", (NAME,), of_cases, "<p>{{ name }}，{{ date }}</p>")

CASES = """
    insert into flow_case (number, flow, flow_version, state, subject, opened_by, opened_by_role, student_id,
        college_id, student_college_id)
    select 'C' || s.id, 'leave', 1, 'open', s.name, u.id, 'registry', s.id, s.college_id, s.college_id
    from student s, ab_user u where u.username = 'registry' returning id, college_id
"""


def make_cases(run) -> dict[int, list[int]]:
    """A case of every student: college → case ids."""
    cases: dict[int, list[int]] = {}
    for row in run(CASES):
        cases.setdefault(row["college_id"], []).append(row["id"])
    return cases


@pytest.fixture(autouse=True)
def in_english(request):
    """The sentences are looked at in English, whatever the language of record."""
    request.getfixturevalue("app")  # the language lives in its context
    with force_locale("en"):
        yield


@pytest.fixture
def cases(app: Flask, behind: Behind) -> dict[int, list[int]]:
    behind.run(
        "insert into paper_template (kind, version, title, body) values"
        " ('test_notice', 1, '通知单', '<p>{{ name }} {{ number }}</p>'),"
        " ('test_form', 1, '申请表', '<p>{{ name }}</p>')"
    )
    return make_cases(lambda statement: behind.rows(statement))


def issue(actor: Actor, ids: list[int], kind: PaperKind = NOTICE) -> dict[int, int]:
    with scope_as(actor.scope):
        return issue_papers(actor, kind, ids)


def reprint(actor: Actor, ids: list[int]) -> list[Page]:
    with scope_as(actor.scope):
        return pages(print_papers(actor, ids))


# strangers


def test_who_may_not_decide_cannot_issue(cast: Cast, cases):
    for name in ("student", "auditor", "admin"):
        with pytest.raises(NotAllowed):
            issue(getattr(cast, name), cases[1][:1])


def test_another_colleges_case_is_not_found(cast: Cast, cases, behind: Behind):
    with pytest.raises(NotFound):
        issue(cast.leader2, cases[1][:1])
    assert behind.one("select count(*) from paper") == 0


def test_another_colleges_paper_is_not_found(cast: Cast, cases, behind: Behind):
    (paper,) = issue(cast.registry, cases[1][:1]).values()
    for name in ("clerk2", "leader2", "student2"):
        with pytest.raises(NotFound):
            reprint(getattr(cast, name), [paper])
    for name in ("admin", "library"):
        with pytest.raises(NotAllowed):
            reprint(getattr(cast, name), [paper])
    assert behind.one("select count(*) from print_run") == 0
    for name in ("clerk", "director", "student"):
        assert reprint(getattr(cast, name), [paper])[0].number == "T-2026-0001"


def test_one_hidden_paper_prints_none(cast: Cast, cases, behind: Behind):
    papers = issue(cast.registry, [cases[1][0], cases[2][0]])
    with pytest.raises(NotFound):
        reprint(cast.clerk, list(papers.values()))
    assert behind.one("select count(*) from print_run") == 0


def test_a_form_of_another_colleges_case_is_not_found(cast: Cast, cases):
    with scope_as(cast.clerk2.scope), pytest.raises(NotFound):
        print_form(cast.clerk2, FORM, cases[1][0])
    with scope_as(cast.clerk.scope):
        assert print_form(cast.clerk, FORM, cases[1][0]).body == "<p>学生11</p>"


# wording


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("<p>{{ salary }}</p>", "{{ salary }}"),
        ("<p>{{ name.__class__ }}</p>", "{{ name.__class__ }}"),
        ("<p>{{ name|safe }}</p>", "{{ name|safe }}"),
        ("<p>{% for x in y %}</p>", "{%"),
        ("<p>{{ name</p>", "{{"),
        ("<p>name }}</p>", "}}"),
        ("<script>alert(1)</script>", "<script>"),
        ("<p onclick='x()'>{{ name }}</p>", "onclick"),
        ("<p style='x'>{{ name }}</p>", "style"),
        ("<p class='{{ name }}'>x</p>", "class"),
        ("<img src=x>", "<img>"),
        ("<p><b>{{ name }}</p>", "</p>"),
        ("<p>{{ name }}", "<p>"),
        ("<!-- {{ name }} -->x", "comments"),
        ("<?php x ?>", "declarations"),
        ("  ", "empty"),
        ("x" * 20_001, "20000"),
    ],
)
def test_wording_that_is_refused_is_named(cast: Cast, behind: Behind, body: str, named: str):
    with scope_as(cast.registry.scope):
        for attempt in (
            lambda: save_template(cast.registry, NOTICE, "通知单", body),
            lambda: preview(NOTICE, "通知单", body),
        ):
            with pytest.raises(Refused) as refusal:
                attempt()
            assert named in str(refusal.value)
    assert behind.one("select count(*) from paper_template where kind = 'test_notice'") == 0


def test_only_the_registry_words_papers(cast: Cast):
    for name in ("clerk", "director", "admin", "student"):
        actor = getattr(cast, name)
        with scope_as(actor.scope), pytest.raises(NotAllowed):
            save_template(actor, NOTICE, "通知单", "<p>{{ name }}</p>")


def test_values_are_text_and_the_text_is_rebuilt():
    wording = Wording("<P class=right>{{name}} &lt;b&gt; 1 < 2 {{ name }}</P>", ["name"])
    assert wording.body == '<p class="right">{{name}} &lt;b&gt; 1 &lt; 2 {{ name }}</p>'
    assert Wording(wording.body, ["name"]).body == wording.body
    assert wording.fill({"name": "<script>\n{{ name }}"}).startswith(
        '<p class="right">&lt;script&gt;<br>{{ name }} &lt;b&gt;'
    )


def test_a_new_version_is_used_and_old_papers_stay(cast: Cast, cases):
    first, second = cases[1][:2]
    (old,) = issue(cast.registry, [first]).values()
    before = reprint(cast.registry, [old])[0]
    with scope_as(cast.registry.scope):
        assert save_template(cast.registry, NOTICE, "新通知单", "<p>新 {{ name }}</p>").version == 2
    (new,) = issue(cast.registry, [second]).values()
    assert reprint(cast.registry, [old])[0] == before
    assert (reprint(cast.registry, [new])[0].title, reprint(cast.registry, [new])[0].body) == (
        "新通知单",
        "<p>新 学生12</p>",
    )


# numbers


def test_the_number_comes_back_with_a_rollback(cast: Cast, cases, behind: Behind):
    @operation(needs=Permission.CASE_DECIDE)
    def decide_and_fail(actor: Actor) -> None:
        issue_papers(actor, NOTICE, cases[1][:3])
        raise Refused("no")

    with scope_as(cast.registry.scope), pytest.raises(Refused):
        decide_and_fail(cast.registry)
    issue(cast.registry, cases[1][:1])
    assert behind.one("select string_agg(number, ',') from paper") == "T-2026-0001"


def test_a_case_keeps_its_paper(cast: Cast, cases, behind: Behind):
    first = issue(cast.registry, cases[1][:2])
    again = issue(cast.registry, [*reversed(cases[1][:3]), cases[1][0]])
    assert {case: again[case] for case in first} == first
    assert behind.one("select string_agg(number, ',' order by number) from paper") == (
        "T-2026-0001,T-2026-0002,T-2026-0003"
    )


def test_statements_do_not_grow_with_the_cases(cast: Cast, cases, app: Flask):
    registry, bind = cast.registry, db._app_engines[app][None]
    statements: list[str] = []

    def record(connection, cursor, statement: str, *rest) -> None:
        statements.append(statement)

    @operation(needs=Permission.CASE_DECIDE)
    def count(actor: Actor, ids: list[int]) -> int:
        statements.clear()
        issue_papers(actor, NOTICE, ids)
        return len(statements)

    event.listen(bind, "before_cursor_execute", record)
    try:
        with scope_as(registry.scope):
            assert count(registry, cases[1][:1]) == count(registry, cases[2] + cases[1][1:])
    finally:
        event.remove(bind, "before_cursor_execute", record)


def test_twenty_threads_leave_no_gap_and_no_double(own_app: Flask):
    with own_app.app_context():
        cast = Cast(own_app)
        registry = cast.registry
        with db.engine.begin() as connection:
            connection.execute(text("set local role xueji_school"))
            load_wordings(connection, [NOTICE])
            connection.execute(text("select set_config('app.user', '1', true)"))
            cases = make_cases(lambda statement: list(connection.execute(text(statement)).mappings()))
    ids = cases[1] + cases[2]

    def one(turn: int) -> None:
        """Issue for two cases that other threads ask for as well; every third thread gives its numbers back."""
        with own_app.app_context(), scope_as(registry.scope):

            @operation(needs=Permission.CASE_DECIDE)
            def decide(actor: Actor) -> None:
                issue_papers(actor, NOTICE, [ids[turn % 12], ids[(turn + 5) % 12]])
                if turn % 3 == 0:
                    raise Refused("no")

            try:
                decide(registry)
            except Refused:
                assert turn % 3 == 0

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(one, range(60)))
    with own_app.app_context(), scope_as(registry.scope):
        papers = list(db.session.scalars(select(Paper).order_by(Paper.serial)))
        assert [paper.serial for paper in papers] == list(range(1, 13))
        assert sorted(paper.case_id for paper in papers) == sorted(ids)
        assert db.session.scalar(text("select last from paper_counter where kind = 'test_notice'")) == 12


# printing


def test_each_printing_is_logged_and_the_same(cast: Cast, cases, behind: Behind):
    papers = list(issue(cast.registry, cases[1][:3]).values())
    chosen = [papers[2], papers[0]]
    first, again = reprint(cast.clerk, chosen), reprint(cast.clerk, chosen)
    assert first == again
    assert [page.number for page in first] == ["T-2026-0003", "T-2026-0001"]
    assert first[0].date == "2026年9月2日"
    assert "学生13 T-2026-0003" in first[0].body
    assert behind.one("select count(*) from print_run") == 4
    assert behind.one("select count(*) from audit_entry where action = 'paper:print'") == 2


def test_a_new_default_is_the_next_version_where_nobody_has_worded(own_app: Flask):
    newer = replace(FORM, wording="<p>{{ name }}，新版，{{ date }}</p>")
    with own_app.app_context():
        for kinds in ([NOTICE, FORM], [NOTICE, newer], [NOTICE, newer]):
            with db.engine.begin() as connection:
                connection.execute(text("set local role xueji_school"))
                load_wordings(connection, kinds)
        with db.engine.begin() as connection:
            connection.execute(text("set local role xueji_school"))
            connection.execute(text("update paper_template set edited_by = (select min(id) from ab_user)"))
            load_wordings(connection, [NOTICE, FORM])
        versions = db.session.execute(
            select(PaperTemplate.kind, func.max(PaperTemplate.version)).where(PaperTemplate.kind.like("test%"))
            .group_by(PaperTemplate.kind)
        )  # fmt: skip
        assert dict(versions.all()) == {"test_form": 2, "test_notice": 1}, "what somebody has worded stays"


def test_default_wordings_load_once(own_app: Flask):
    with own_app.app_context():
        for _ in range(2):
            with db.engine.begin() as connection:
                connection.execute(text("set local role xueji_school"))
                load_wordings(connection, [NOTICE, FORM])
        templates = db.session.scalars(select(PaperTemplate).where(PaperTemplate.kind.like("test%"))).all()
        assert sorted((template.kind, template.version) for template in templates) == [
            ("test_form", 1),
            ("test_notice", 1),
        ]
