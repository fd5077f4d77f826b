"""The main job as it is lived: admissions file → roster → leave → notice → return → Excel, each in her own session."""

import re
from datetime import date
from pathlib import Path

import openpyxl
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from app.demo import write_admissions_file
from tests.browser.conftest import WEB, University
from tests.conftest import TODAY

FRESHMEN = 6000
SPRING = date(2027, 3, 2)  # the leave is over, and the window of returns is open
DEPARTMENTS = ("finance", "library", "logistics", "student_affairs", "security")
BLAMED = {"sex": "证件号码", "birth_date": "证件号码", "college": "学院", "major": "专业"}  # where a fault is told
SLOW = 60_000  # milliseconds that a job of 6,000 rows may take on a busy machine


def test_the_main_job(university: University, tmp_path: Path) -> None:
    with university.on(TODAY) as visit:
        admit_the_freshmen(visit("admissions").page, tmp_path)
        place_the_freshmen(visit("registry").page)
        (student,) = university.rows("""
            select s.id, s.student_no, s.name, s.college_id, s.grade, c.code as college from student s
            join college c on c.id = s.college_id join ab_user u on u.username = s.student_no
            where s.status = 'enrolled' and c.code = '08' order by s.student_no limit 1""")
        case = apply_for_leave(visit(student.student_no).page, student.id)
        decide(visit("clerk08").page, case)
        decide(visit("leader08").page, case, opinion="同意休学")
        decide(visit("director").page, case)
        decide(visit("registry").page, case, originals=True)
        the_notice_fills_one_page(visit("registry").page, case, student.name)
        the_student_sees(visit(student.student_no).page, case, student.id, "休学")
        the_roster_shows(visit("registry").page, student.student_no, "休学")
        for department in DEPARTMENTS:
            decide(visit(department).page, case)
        expect(visit("registry").open(f"/casescreen/show/{case}").locator(".badge").first).to_have_text("已完成")

    with university.on(SPRING, WEB) as visit:
        case = apply_for_return(visit(student.student_no).page, student.id)
        accept_into_a_class(visit("clerk08").page, case, student.grade + 1)
        decide(visit("leader08").page, case)
        decide(visit("director").page, case)
        decide(visit("registry").page, case, originals=True)
        the_roster_shows(visit("registry").page, student.student_no, "在读")
        for department in DEPARTMENTS:
            decide(visit(department).page, case)
        decide(visit("clerk08").page, case)
        the_student_sees(visit(student.student_no).page, case, student.id, "在读")
        export_the_roster(visit("registry").page, university, student)


def admit_the_freshmen(page: Page, folder: Path) -> None:
    """Upload the office's file, see what is wrong, correct the workbook that comes back, import it."""
    delivered, clean = folder / "录取名单.xlsx", folder / "clean.xlsx"
    faults = [fault for fault in write_admissions_file(delivered, FRESHMEN, 0.01, TODAY) if not fault.harmless]
    write_admissions_file(clean, FRESHMEN, 0, TODAY)
    send(page, delivered)
    told = {(re.findall(r"\d+", row.locator("td").nth(0).inner_text())[0], row.locator("td").nth(1).inner_text())
            for row in page.locator(".two-thirds tbody tr").all()}  # fmt: skip
    wrong = {(fault.row, BLAMED.get(fault.kind, fault.column)) for fault in faults}
    wrong |= {(fault.other_row, fault.column) for fault in faults if fault.other_row}
    assert told == {(str(row), column) for row, column in wrong}
    expect(page.locator("form[action$=commit]")).to_have_count(0)
    with page.expect_download() as download:
        page.click("a[href$='/file']")
    download.value.save_as(folder / "returned.xlsx")
    book = openpyxl.load_workbook(folder / "returned.xlsx")
    sheet, truth = book.worksheets[0], CalamineWorkbook.from_path(clean).get_sheet_by_index(0).to_python(False)
    columns, true_columns = {cell.value: cell.column for cell in sheet[2]}, truth[1]
    assert {row for row in range(3, sheet.max_row + 1) if sheet.cell(row, 1).value} == {row for row, _column in wrong}
    for fault in faults:
        sheet.cell(fault.row, columns[fault.column]).value = truth[fault.row - 1][true_columns.index(fault.column)]
    book.save(folder / "corrected.xlsx")
    send(page, folder / "corrected.xlsx")
    expect(page.locator(".two-thirds tbody tr")).to_have_count(0)
    page.click("button[form=import]")
    page.click("#confirm-ok")
    expect(page.get_by_text("文件已导入")).to_be_visible(timeout=SLOW)
    expect(page.locator(".stats")).to_contain_text("6000")


def send(page: Page, workbook: Path) -> None:
    page.goto("/imports/admissions/")
    page.set_input_files("#file", workbook)
    page.click("form[enctype] .btn-primary")
    expect(page.locator(".stats")).to_be_visible(timeout=SLOW)


def place_the_freshmen(page: Page) -> None:
    page.goto(f"/cohort/?year={TODAY.year}")
    for task, told in (("classes", "已编班"), ("numbers", "已编学号")):
        page.click(f"form[action$={task}] button")
        page.click("#confirm-ok")
        expect(page.locator(".alert-success", has_text=told)).to_be_visible(timeout=SLOW)
    expect(page.locator(".stats .warn, .stats .stat-warn")).to_have_count(0)


def apply_for_leave(page: Page, student_id: int) -> int:
    page.goto("/apply/")
    page.click(f"a[href$='/apply/leave/{student_id}']")
    page.select_option("#reason", "illness")
    page.fill("#leave_from", TODAY.isoformat())
    page.fill("#leave_terms", "1")
    page.fill("#evidence_date", TODAY.isoformat())
    page.fill("#statement", "因病需住院治疗，申请休学一学期。")
    return hand_in(page, "application", "id_copies", "diagnosis")


def apply_for_return(page: Page, student_id: int) -> int:
    page.goto("/apply/")
    page.click(f"a[href$='/apply/return/{student_id}']")
    page.fill("#return_on", SPRING.isoformat())
    page.fill("#statement", "已康复，申请复学。")
    return hand_in(page, "application", "recovery")


def hand_in(page: Page, *materials: str) -> int:
    """Save the form, attach a scan of each material, hand the case in; its id."""
    scan = {"name": "扫描件.png", "mimeType": "image/png", "buffer": page.screenshot()}
    page.click(".save-bar .btn-primary")
    for material in materials:
        form = page.locator(f"form[action$='/{material}']")
        form.locator(".drop input").set_input_files(scan)
        expect(page.locator(".material:has(.files a)")).to_have_count(materials.index(material) + 1)
    page.click("button[value=submit]")
    expect(page.locator(".alert-success")).to_be_visible(timeout=SLOW)
    return int(page.url.rsplit("/", 1)[1])


def decide(page: Page, case: int, *, opinion: str = "", originals: bool = False) -> None:
    """Approve the case from the inbox."""
    page.goto("/inbox/")
    page.click(f"a[href$='/casescreen/show/{case}']")
    page.fill("#opinion", opinion)
    if originals:
        page.check("#originals")
    page.click("button[value=approve]")
    expect(page.locator(".alert-success")).to_be_visible(timeout=SLOW)


def accept_into_a_class(page: Page, case: int, grade: int) -> None:
    page.goto(f"/casescreen/show/{case}")
    page.fill("#grade", str(grade))
    group = page.locator("#class_group_id option", has_text=f"{grade}级").first
    page.select_option("#class_group_id", group.get_attribute("value"))
    page.click("button[value=approve]")
    expect(page.locator(".alert-success")).to_be_visible(timeout=SLOW)


def the_notice_fills_one_page(page: Page, case: int, name: str) -> None:
    page.goto(f"/casescreen/show/{case}")
    with page.expect_popup() as popup:
        page.click("a[href*='/print?id=']")
    notice = popup.value
    expect(notice.locator(".sheet")).to_contain_text(name)
    printed = notice.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    (box,) = set(re.findall(rb"/MediaBox\s*\[([^]]+)\]", printed))
    assert [round(float(side)) for side in box.split()] == [0, 0, 595, 842]
    notice.close()


def the_student_sees(page: Page, case: int, student_id: int, status: str) -> None:
    page.goto(f"/casescreen/show/{case}")
    expect(page.locator(".timeline")).to_contain_text("学籍")
    page.goto(f"/studentscreen/show/{student_id}")
    expect(page.locator(".student-head .badge")).to_have_text(status)


def the_roster_shows(page: Page, student_no: str, status: str) -> None:
    page.goto(f"/studentscreen/list/?q={student_no}")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text(status)


def export_the_roster(page: Page, university: University, student) -> None:
    """The college's roster as a workbook: every cell as the database has it, text as text, dates as dates."""
    page.goto(f"/studentscreen/list/?_flt_0_college={student.college_id}")
    page.goto(page.locator("a[href*='/export/roster']").get_attribute("href"))
    with page.expect_download(timeout=SLOW) as download:
        page.click(".acts .btn-primary")
    exported = university.folder / "roster.xlsx"
    download.value.save_as(exported)
    sheet = openpyxl.load_workbook(exported).worksheets[0]
    head, *rows = sheet.iter_rows(values_only=True)
    places = [head.index(name) for name in ("学号", "姓名", "证件号码", "出生日期", "班级", "年级", "学籍状态")]
    truth = university.rows(
        "select s.student_no, s.name, s.id_number, s.birth_date, g.name, s.grade, s.status from student s"
        " left join class_group g on g.id = s.class_group_id where s.college_id = :college", college=student.college_id,
    )  # fmt: skip
    shown = [tuple(row[place] for place in places) for row in rows]
    assert any(row[0] == student.student_no and row[-1] == "在读" for row in shown)
    assert sorted(row[:3] for row in shown) == sorted(tuple(row)[:3] for row in truth)
    assert {(row[0], row[3].date(), *row[4:6]) for row in shown} == {(row[0], *tuple(row)[3:6]) for row in truth}
