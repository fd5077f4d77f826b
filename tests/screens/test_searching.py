"""Searching a list: what people really type, and conditions that fit their column."""

import re

import pytest
from openpyxl import load_workbook
from wtforms.fields import FormField

from app.kit.screen import Screen
from app.models import ClassGroup, Student
from app.operations.roster.spelling import spelling
from tests.flows.conftest import cases as cases  # the fixture of the flows' tests

LARGE = {"student", "class_group", "flow_case", "case_step", "ab_user", "roster_change", "audit_entry", "paper"}


@pytest.fixture
def zhang(behind) -> None:
    """The first student of college 1 is called 张三."""
    behind.run("update student set name = '张三', pinyin = 'zhangsan', initials = 'zs' where id = 101")


def found(client, **query: str) -> list[str]:
    answer = client.get("/studentscreen/list/", query_string=query)
    assert answer.status_code == 200
    return sorted(set(re.findall(r"/studentscreen/show/(\d+)", answer.text)))


@pytest.mark.parametrize("typed", ["张三", "zhangsan", "Zhang San", "ZHANGSAN", " zhang's ", "zs", "ZS", "ｚｓ"])
def test_a_student_is_found_however_she_is_typed(cast, zhang, typed):
    assert found(cast.login("registry"), q=typed) == ["101"]


def call(behind, name: str) -> None:
    """The first student of college 1 is called so."""
    behind.run("update student set name = :n, pinyin = :pinyin, initials = :initials where id = 101",
               n=name, **spelling(name))  # fmt: skip


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("张三", ["张　三", "张\u200b三", " 张 三\xa0", "张三"]),
        ("马小红", ["⻢⼩红", "马", "mxh", "MaXiaohong"]),
        (
            "买买提·吐尔逊",
            [f"买买提{dot}吐" for dot in "·•‧・．."] + ["买买提", "买买提.", "买买提 吐尔逊", "买买提吐尔逊"],
        ),
        ("Nguyễn Văn An", ["nguyen", "Nguyễn", "NGUYEN VAN", "nva"]),
        ("Seán Ó Briain", ["sean", "Seán", "sean o b"]),
        ("卜文斌", ["buwenbin", "bowenbin", "bu", "bwb"]),
        ("阚清", ["kanqing", "hanqing", "kq", "hq"]),
        ("薄云", ["boyun", "baoyun"]),
        ("单于婷", ["chanyuting", "shanyuting", "danyut", "cyt", "syt", "dyt"]),
        ("单婷", ["shanting", "danting", "chanting", "dt"]),
        ("乜川", ["niechuan", "miechuan"]),
        ("折小妹", ["shexiaomei", "zhexiao"]),
        ("佴一", ["naiyi", "eryi", "ey"]),
        ("𠮷小红", ["jixiaohong", "𠮷", "jxh"]),
        ("吕布", ["lvbu", "Lü Bu", "lubu", "lǚ"]),
    ],
)
def test_every_spelling_of_a_name_finds_it(cast, behind, name, typed):
    """F04, F05, F06, F22, F30."""
    call(behind, name)
    for client in (cast.login("registry"), cast.login("clerk")):
        for text in typed:
            assert "101" in found(client, q=text), text


@pytest.mark.parametrize("condition", [0, 1, 2, 3])
def test_a_condition_on_a_name_compares_as_the_search_does(cast, behind, condition):
    call(behind, "买买提·吐尔")
    client = cast.login("registry")
    assert found(client, **{f"_flt_{condition}_name": "买买提．吐尔"}) == ["101"]
    assert found(client, **{f"_flt_{condition}_name": "买买提．吐一"}) == []


def test_the_inbox_is_searched_as_the_roster_is(cast, cases, behind):
    case_id = cases.at("college")
    behind.run("update flow_case set subject = '买买提·Ngũ (2024)' where id = :id", id=case_id)
    client = cast.login("leader")
    for typed, there in (("买买提•ngu", True), ("ngu", True), ("买买提。", True), ("nga", False)):
        assert (f"/casescreen/show/{case_id}" in client.get("/inbox/", query_string={"q": typed}).text) is there, typed


def test_another_reading_finds_no_other_surname(cast, behind):
    call(behind, "山婷")
    assert found(cast.login("registry"), q="danting") == []


def test_names_of_things_are_found_in_any_width(cast, behind):
    behind.run("update college set name = '外国语（国际）学院' where id = 2")
    client = cast.login("registry")
    for typed in ("外国语(国际)", "外国语（国际", "外国语 （"):
        page = client.get("/collegescreen/list/", query_string={"q": typed}).text
        assert "外国语（国际）学院" in page.partition("<tbody")[2], typed
        assert "计算机学院" not in page.partition("<tbody")[2]


NAMES = ["卜一", "赵一", "阿一", "单一", "Nguyễn", "曾一"]


def test_names_are_sorted_by_pinyin(cast, behind, tmp_path):
    """F21: in the list, backwards, over the API and in the export."""
    for number, name in enumerate(NAMES, 101):
        behind.run("update student set name = :n, pinyin = :pinyin, initials = :initials where id = :i",
                   n=name, i=number, **spelling(name))  # fmt: skip
    client, order = cast.login("clerk"), ["阿一", "卜一", "Nguyễn", "单一", "曾一", "赵一"]
    for direction, wanted in (("asc", order), ("desc", order[::-1])):
        address = f"_oc_StudentScreen=name&_od_StudentScreen={direction}"
        page = client.get(f"/studentscreen/list/?{address}").text.partition("<tbody")[2]
        assert sorted(NAMES, key=page.index) == wanted
        exported = client.post(f"/studentscreen/export/roster?{address}", data={"columns": ["name"]})
        (tmp_path / "a.xlsx").write_bytes(exported.data)
        assert [row[0] for row in load_workbook(tmp_path / "a.xlsx").active.values][1:] == wanted
    query = "(order_column:name,order_direction:asc,columns:!(name))"
    answer = client.get("/api/v1/student/", query_string={"q": query}).json
    assert [row["name"] for row in answer["result"]] == order


@pytest.mark.parametrize("typed", ["'", " - ", "%", "_"])
def test_signs_alone_find_nobody(cast, zhang, typed):
    assert typed.strip() == "" or found(cast.login("registry"), q=typed) == []


def test_a_number_of_full_width_is_a_number(cast, behind):
    number = behind.one("select student_no from student where id = 101")
    wide = number.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
    client = cast.login("registry")
    assert found(client, q=wide) == ["101"]
    answer = client.post("/studentscreen/paste", data={"numbers": f"“{wide}”\u3000'9'"}, follow_redirects=True)
    assert set(re.findall(r"/studentscreen/show/(\d+)", answer.text)) == {"101"}


def test_students_of_a_class_are_found_and_the_class_is_called_by_its_name(cast):
    client = cast.login("registry")
    page = client.get("/studentscreen/list/", query_string={"_flt_0_class_group": "3"}).text
    assert set(re.findall(r"/studentscreen/show/(\d+)", page)) == {f"20{n}" for n in range(1, 7)}
    assert 'data-endpoint="/classgroupscreen/lookup"' in page
    assert '<option value="3" selected>中文2024-1班</option>' in page
    assert "班级: 中文2024-1班" in page
    assert "中文2024-1班" not in cast.login("clerk").get("/studentscreen/list/?_flt_0_class_group=3").text


def test_old_codes_are_searched_by_as_well(cast, behind):
    behind.run("update code set valid_until = '2020-01-01' where set_key = 'ethnic_group' and code = '02'")
    assert re.search(r'<option value="02">', cast.login("registry").get("/studentscreen/list/").text)


def test_a_pick_list_is_in_its_own_order_and_complete(cast, behind):
    behind.run(
        "insert into major (code, national_code, name, college_id)"
        " select to_char(n, 'FM000'), to_char(900000 + n, 'FM000000'), '专业' || n, 1 from generate_series(1, 300) n"
    )
    page = cast.login("registry").get("/classgroupscreen/add").text
    options = re.findall(r"<option value=\"\d+\">([^<]+)", page.partition('name="major"')[2].partition("</select>")[0])
    assert len(options) == 303
    assert [name for name in options if "专业" in name] == [f"专业{n}" for n in range(1, 301)]


def test_no_form_picks_from_a_large_table(app):
    """If this fails: declare the relation in the screen's `lookups`, or its form's field as a LookupField."""
    wrong = []
    for view in [view for view in app.appbuilder.baseviews if isinstance(view, Screen)]:
        used = [form for form in ("add", "edit") if f"can_{form}" in view.base_permissions]
        for form in (getattr(view, f"{name}_form") for name in ("search", *used)):
            for name, field in vars(form).items():
                if getattr(field, "field_class", FormField).__name__.startswith("QuerySelect"):
                    table = view.datamodel.get_related_model(name).__tablename__
                    wrong += [f"{type(view).__name__}.{name}"] if table in LARGE else []
    assert not wrong
    assert {Student.__tablename__, ClassGroup.__tablename__} <= LARGE


def test_acts_of_the_audit_are_picked_from_a_list(cast):
    client = cast.login("registry")
    client.post("/studentscreen/reveal/101/phone")
    page = client.get("/auditscreen/list/").text
    assert re.search(r'<select[^>]*name="_flt_2_action"[^>]*>\s*<option value="">', page)
    assert '<option value="student.reveal">学生: 查看隐去的信息</option>' in page
    only = client.get("/auditscreen/list/?_flt_2_action=student.reveal").text
    assert "查看隐去的信息" in only.partition("<tbody")[2] and only.count("<tr>") == 2


def test_every_screen_looks_rows_up_by_their_key(app, cast):
    browser, asked = cast.login("registry"), 0
    for rule in app.url_map.iter_rules():
        if rule.rule.endswith("/lookup"):
            answer = browser.get(rule.rule)
            assert answer.status_code in (200, 302, 403, 404), rule.rule
            asked += answer.status_code == 200
    assert asked > 10
    first = browser.get("/settingscreen/lookup").json["results"][0]
    assert first["id"] and first["text"]


SPELLED = [("买买提·吐尔逊", "买买提•吐"), ("买买提·吐尔逊", "买买提吐尔逊"), ("马小红", "⻢⼩红"), ("Nguyễn Văn An", "nguyen van"),
           ("张三", "张　三"), ("ＡＢ张", "ab张")]  # fmt: skip


@pytest.mark.parametrize(("name", "typed"), SPELLED)
@pytest.mark.parametrize("page", ["casescreen", "paperscreen"])
def test_cases_and_papers_are_found_however_their_student_is_typed(cast, cases, behind, page, name, typed):
    """F19, F30: as in the list of students."""
    behind.run("update flow_case set subject = :n where id = :id", n=f"{name} (2024080101)", id=cases.draft())
    behind.run(
        "insert into paper (kind, year, serial, number, title, body, template_version, student_id, college_id,"
        " student_college_id, subject, issued_by) select 'change_notice', 2026, 1, 'T1', 'x', 'x', 1, id, college_id,"
        " college_id, :n, (select min(id) from ab_user) from student where id = 101", n=f"{name} (2024080101)")  # fmt: skip
    client = cast.login("registry")
    for asked in ({"q": typed}, {"_flt_0_subject": typed}, {"_flt_1_subject": typed}):
        assert 'data-count="1"' in client.get(f"/{page}/list/", query_string=asked).text, asked
        elsewhere = {key: f"{value}某" for key, value in asked.items()}
        assert 'data-count="0"' in client.get(f"/{page}/list/", query_string=elsewhere).text


def test_applications_for_a_transfer_are_sorted_by_pinyin_as_students_are(cast, behind):
    behind.run("insert into transfer_round (id, title, state, choices) values (1, '2027年转专业', 'draft', 2)")
    for number, name in ((101, "张三"), (102, "阿依"), (103, "李四"), (104, "卜文斌")):
        behind.run(
            "update student set name = :n, pinyin = :p where id = :id", n=name, p=spelling(name)["pinyin"], id=number
        )
        behind.run(
            "insert into flow_case (flow, flow_version, number, student_id, college_id, student_college_id, state, subject,"
            " subject_pinyin, opened_by, opened_by_role, round_id) select 'major_transfer', 1, 'Z' || id, id, college_id,"
            " college_id, 'draft', name, pinyin, (select min(id) from ab_user), 'student', 1 from student where id = :id",
            id=number)  # fmt: skip
    client = cast.login("registry")
    for screen, column in (("TransferApplicationScreen", "subject"), ("StudentScreen", "name")):
        asked = {f"_oc_{screen}": column, f"_od_{screen}": "asc"}
        shown = client.get(f"/{screen.lower()}/list/", query_string=asked).text
        places = [shown.index(one) for one in ("阿依", "卜文斌", "李四", "张三")]
        assert places == sorted(places), screen


def test_a_case_keeps_its_students_pinyin(cases, behind):
    behind.run("update student set pinyin = 'zhangsan' where id = 101")
    assert behind.one("select subject_pinyin from flow_case where id = :id", id=cases.draft()) == "zhangsan"
