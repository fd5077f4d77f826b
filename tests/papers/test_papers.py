"""The notice of roster change and the application forms, on cases brought there by their flows."""

from collections.abc import Callable

import pytest
from flask_babel import force_locale

from app.access import Actor, scope_as
from app.flows.return_ import return_
from app.kit.flow import FLOWS, label
from app.kit.operation import NotAllowed, NotFound
from app.kit.paper.issuing import pages, print_papers
from app.kit.paper.kinds import load_wordings, preview
from app.models import RosterStatus, db
from app.papers import CHANGE_NOTICE, all_papers, print_application
from app.papers.change_notice import issue
from app.papers.info_notice import NAMES
from tests.conftest import Behind, Cast
from tests.flows.conftest import ILL, Cases
from tests.flows.conftest import cases as cases  # the fixtures of the flows' tests
from tests.flows.conftest import walks as walks


def acting(actor: Actor, verb: Callable, *args):
    with scope_as(actor.scope):
        return verb(actor, *args)


def in_chinese(status: RosterStatus) -> str:
    with force_locale("zh"):
        return str(status.label)


def notice_of(case_id: int, behind: Behind) -> dict:
    (paper,) = behind.rows("select * from paper where case_id = :id", id=case_id)
    return paper


# strangers


def test_a_form_is_printed_by_those_who_see_the_case(cases: Cases, cast: Cast):
    case_id = cases.submitted()
    for name in ("clerk2", "leader2", "classmate", "student2"):
        with pytest.raises(NotFound):
            acting(getattr(cast, name), print_application, case_id)
    for name in ("admin", "library", "auditor"):
        with pytest.raises(NotAllowed):
            acting(getattr(cast, name), print_application, case_id)
    for name in ("student", "clerk", "leader", "director", "registry"):
        assert acting(getattr(cast, name), print_application, case_id).title == "休学申请表"


def test_a_college_issues_no_notice(cases: Cases, cast: Cast, behind: Behind):
    case_id = cases.at("registry", values=ILL)
    for name in ("leader2", "clerk2"):
        with pytest.raises(NotFound):
            acting(getattr(cast, name), issue, [case_id])
    for name in ("student", "auditor", "admin"):
        with pytest.raises(NotAllowed):
            acting(getattr(cast, name), issue, [case_id])
    assert behind.one("select count(*) from paper") == 0


# what they say


def test_every_default_wording_fills_in_every_placeholder(app):
    for kind in all_papers().values():
        page = preview(kind, kind.title, kind.wording)
        assert "{" not in page.body
        for placeholder in kind.all_placeholders:
            assert placeholder.key == "number" or placeholder.sample in page.body, (kind.key, placeholder.key)


def test_the_leave_notice_says_what_the_ledger_will_say(cases: Cases, cast: Cast, behind: Behind):
    case_id = cases.at("registry", values=ILL)
    acting(cast.registry, issue, [case_id])
    paper = notice_of(case_id, behind)
    assert paper["number"] == "YD-2026-0001"
    words = "计算机学院 学生11 20240101 计算机科学与技术 休学 疾病 计科2024-1班 2024级".split()  # noqa: SIM905
    for word in [*words, in_chinese(RosterStatus.ENROLLED), in_chinese(RosterStatus.ON_LEAVE)]:
        assert word in paper["body"], word
    assert "生效日期</th><td>2026年9月2日" in paper["body"]
    assert "本次异动期限至2027年8月29日（预计，以校历为准）止" in paper["body"]
    cases.sign(case_id, "registry")
    assert behind.one("select document_no from roster_change where case_id = :id", id=case_id) == "YD-2026-0001"
    assert notice_of(case_id, behind)["body"] == paper["body"]


def test_the_notice_is_chinese_for_an_english_reader(cases: Cases, cast: Cast, behind: Behind):
    case_id = cases.at("registry", values=ILL)
    with force_locale("en"):
        acting(cast.registry, issue, [case_id])
        form = acting(cast.registry, print_application, case_id)
    body = notice_of(case_id, behind)["body"]
    assert in_chinese(RosterStatus.ENROLLED) in body
    with force_locale("zh"):
        assert str(label("reason", "illness")) in form.body


def test_the_return_notice_names_the_new_class(cases: Cases, cast: Cast, behind: Behind):
    cases.at("end", values=ILL)
    case_id = cases.at("registry", return_)
    acting(cast.registry, issue, [case_id])
    body = notice_of(case_id, behind)["body"]
    assert "2024级<br>计科2024-1班" in body
    assert "2025级<br>计科2025-1班" in body
    assert "复学" in body
    assert "期满前" not in body
    form = acting(cast.clerk, print_application, case_id)
    assert (form.title, form.number) == ("复学申请表", None)
    assert "计科2025-1班" in form.body


def test_what_a_student_writes_stays_text(cases: Cases, cast: Cast):
    case_id = cases.submitted(values=ILL | {"statement": "<script>alert(1)</script>\n{{ school }}"})
    body = acting(cast.student, print_application, case_id).body
    assert "&lt;script&gt;alert(1)&lt;/script&gt;<br>{{ school }}" in body


def test_the_student_and_her_college_read_the_notice(cases: Cases, cast: Cast, behind: Behind):
    case_id = cases.at("registry", values=ILL)
    acting(cast.registry, issue, [case_id])
    paper = notice_of(case_id, behind)
    for name in ("student", "clerk"):
        (page,) = acting(getattr(cast, name), lambda me: pages(print_papers(me, [paper["id"]])))
        assert page.body == paper["body"]
        assert (page.title, page.number) == ("学籍异动通知单", "YD-2026-0001")
    for name in ("student2", "clerk2", "classmate"):
        with pytest.raises(NotFound):
            acting(getattr(cast, name), print_papers, [paper["id"]])


def test_a_form_without_wording_has_the_built_in_one(cases: Cases, cast: Cast, behind: Behind):
    case_id = cases.submitted()
    behind.run("delete from paper_template")
    assert "申请理由" in acting(cast.clerk, print_application, case_id).body
    with scope_as(cast.registry.scope):
        load_wordings(db.session.connection(), [CHANGE_NOTICE])  # the school's own scope may load them
        db.session.rollback()


@pytest.mark.parametrize(("flow", "to", "leaves"), [
    ("cancellation", "其亲属", True), ("voluntary_withdrawal", "学生本人", True), ("leave", "学生本人", False),
])  # fmt: skip
def test_who_has_left_is_not_expected_to_graduate_and_a_death_is_told_to_the_family(walks, behind, flow, to, leaves):
    walk = walks(flow)
    behind.run("update student set expected_graduation = '2028-06-30' where id = 101")
    body = notice_of(walk.at("end"), behind)["body"]
    assert f"将本通知送达{to}，" in body
    assert body.count("毕业") == (1 if leaves else 2)


def test_a_wording_stored_before_still_fills_in(app):
    older = CHANGE_NOTICE.wording.replace("{{ recipient }}", "学生本人")
    assert "将本通知送达学生本人" in preview(CHANGE_NOTICE, CHANGE_NOTICE.title, older).body


def test_a_notice_of_changed_data_names_what_changes_and_not_the_new_of_it():
    asked = {item.key for flow in FLOWS.values() for item in flow.fields if item.key.startswith("new_")}
    assert asked == set(NAMES) and not any("新" in name for name in NAMES.values())
