"""Every paper as it comes out of a printer: its pages, its borders, its characters, with long names and full fields."""

import pytest
from flask.testing import FlaskClient

from app.kit.flow import submit
from app.kit.paper.glyphs import without_glyph
from app.papers.student_list import student_list
from tests.conftest import Behind, Cast
from tests.flows.conftest import walks as walks
from tests.flows.walk import STUDENT, all_flows
from tests.papers.printing import Printed, Printer

NAME = "阿卜杜热合曼·买买提江·吐尔逊江·玉山江·𠮷䶮㛃"  # 24 characters, the last of them rare
NUMBER = "202401010010001"
COLLEGE, MAJOR = "计算机科学与工程学院（人工智能产业学院）", "数据科学与大数据技术（中外合作办学）"
ADDRESS = "重庆市江北区观音桥街道北城天街" * 5
STATEMENT = "因家中有事需要照顾，本人经慎重考虑提出申请，望予批准。" * 10
QUICK = ("leave", "dismissal")  # `make test` prints these, `make walks` all
FLOWS = [pytest.param(flow, id=flow.key, marks=() if flow.key in QUICK else pytest.mark.walks) for flow in all_flows()]


@pytest.fixture(scope="module")
def printer(chromium) -> Printer:
    return Printer(chromium)


@pytest.fixture
def registry(cast: Cast) -> FlaskClient:
    return cast.login("registry")


@pytest.fixture
def full(behind: Behind) -> None:
    """A student whose data fill their fields."""
    behind.run("update college set name = :name where id = 1", name=COLLEGE)
    behind.run("update major set name = :name where id = 1", name=MAJOR)
    behind.run("update class_group set name = :name where id in (1, 2)", name=f"{MAJOR}2024级1班")
    behind.run("update student set name = :name, student_no = :no, address = :address, phone = '+86 138 0000 0000'"
               " where id = :id", name=NAME, no=NUMBER, address=ADDRESS, id=STUDENT)  # fmt: skip


def look(printed: Printed, pages: int = 1, table: bool = True) -> None:
    """What holds for every paper; a letter has no table."""
    assert len(printed.texts) == pages, printed.texts
    assert (printed.rules() > 2) == table and printed.bad_edges() == []
    assert (printed.strangers, printed.told) == ([], "")
    lines = [line for text in printed.texts for line in text.split("\n")]
    assert not [line for line in lines if line.startswith("·")]


def papers_of(behind: Behind, case_id: int) -> dict[str, str]:
    """kind → address of everything that was printed for a case."""
    found = {"form": f"/paperscreen/application/{case_id}"}
    for row in behind.rows("select id, kind from paper where case_id = :id", id=case_id):
        found[row["kind"]] = f"/paperscreen/print?id={row['id']}"
    for row in behind.rows(
        "select distinct document_id from case_step where case_id = :id and document_id > 0", id=case_id
    ):
        found["document"] = f"/documents/{row['document_id']}/print"
    for row in behind.rows("select publicity_id from publicity_entry where case_id = :id", id=case_id):
        found["publicity"] = f"/publicities/{row['publicity_id']}/print"
    return found


@pytest.mark.parametrize("flow", FLOWS)
def test_every_paper_of_a_flow_fits_its_page(walks, behind, full, printer, registry, flow):
    behind.run("update department set receives = receives || :key where key in ('library', 'finance')", key=[flow.key])
    walk = walks(flow.key)
    filled = {"statement": STATEMENT} if any(field.key == "statement" for field in flow.fields) else {}
    case_id = walk.draft(**filled)
    walk.attach(case_id, *(material.key for material in flow.materials))
    walk.act(walk.applicant, submit, case_id)
    for step in flow.steps:
        assert all(outcome.done for outcome in walk.sign(case_id, step.key))
    printed = {kind: printer.print(registry, path) for kind, path in papers_of(behind, case_id).items()}
    words = {word for step in flow.steps for word in ("document", "publicity") if getattr(step, word)}
    issued = set(printed) - {"form", "document", "publicity"}
    assert set(printed) - issued == {"form"} | words and bool(issued) == bool(flow.paper)
    for kind, paper in printed.items():
        look(paper, table=kind not in ("decision_letter", "review_decision"))
        if kind != "publicity":  # which masks it
            assert NUMBER in paper.texts[0]


@pytest.mark.walks
def test_the_longest_statement_takes_a_second_page_and_no_third(walks, full, printer, registry):
    case_id = walks("leave").draft(statement="长" * 2000)
    look(printer.print(registry, f"/paperscreen/application/{case_id}"), pages=2)


def test_a_long_list_has_its_head_on_every_page(behind, printer, registry):
    body = student_list((COLLEGE, NAME, NUMBER, "退学处理：在读 → 退学") for _student in range(60))
    behind.run("insert into document (id, year, serial, number, dated, title, body, cases, issued_by, issued_at) select 1,"
               " 2026, 1, '渝大教〔2026〕1号', '2026-09-02', '关于退学处理的决定', :body, 60, id, now() from ab_user"
               " where username = 'registry'", body=str(body))  # fmt: skip
    printed = printer.print(registry, "/documents/1/print")
    look(printed, pages=len(printed.texts))
    assert len(printed.texts) > 3 and all(text.count("序号") == 1 for text in printed.texts)
    assert sum(text.count(NUMBER) for text in printed.texts) == 60


def test_characters_of_names_and_their_like_have_a_glyph(app):
    assert (
        without_glyph(
            ["<p class='x'>买买提·𠮷䶮㛃㙍𬭎𫖯䲠 Nguyễn Seán Łukasz Čapek 〔2026〕→—☐</p>", "é\u0301\ufe00\u200b\n"]
        )
        == []
    )
    assert without_glyph(["\ue600\ue863\U00031350\u0627ཀ"]) == ["\u0627", "ཀ", "\ue600", "\ue863", "\U00031350"]


def test_what_no_font_has_is_told_before_it_is_printed(walks, behind, printer, registry):
    behind.run("update student set name = '王\U00031350' where id = :id", id=STUDENT)
    case_id = walks("leave").draft()
    behind.run(
        "update flow_case set statement = :text where id = :id", text="\ue863", id=case_id
    )  # from before it was refused
    printed = printer.print(registry, f"/paperscreen/application/{case_id}")
    assert "U+31350" in printed.told and "U+E863" in printed.told and "U+738B" not in printed.told
    assert printed.strangers, "another font drew them, or its box"
    assert printed.told not in "".join(printed.texts)


@pytest.mark.parametrize("style", [
    ".sheet td:last-child, .sheet th:last-child { border-right: 0 !important; }",
    # half of it beyond the area of the page, where a printer cuts it off
    "@page { margin: 20mm 22mm 16mm 25mm; } .sheet table { width: 100% !important; margin: 0 !important; }",
])  # fmt: skip
def test_a_lost_border_is_seen(walks, full, printer, registry, style):
    """The tests above can fail."""
    case_id = walks("leave").draft()
    assert printer.print(registry, f"/paperscreen/application/{case_id}", style).bad_edges()
