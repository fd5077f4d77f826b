"""The page of one student: what the ledger says of a day, contact data kept up to date, and nobody else's students."""

import pytest
from flask.testing import FlaskClient

PAGE = "/studentscreen/show/101?tab=changes&as_of={}"


@pytest.fixture
def left(behind) -> None:
    """Student 101, admitted on 1 September 2024, went on leave on 1 March 2025."""
    behind.run(
        "insert into roster_change (student_id, college_id, student_college_id, code, reason, effective_on, until, old_status,"
        " new_status, new_college_id, new_major_id, new_class_group_id, new_grade, new_study_length, new_text)"
        " select id, college_id, college_id, '11', '10', '2025-03-01', '2026-02-28', 'enrolled', 'on_leave', college_id, major_id,"
        ' class_group_id, grade, 4.5, \'{"status": "休学", "college": "计算机学院"}\' from student where id = 101'
    )


def facts(page: str) -> str:
    return page.partition('<dl class="facts">')[2].partition("</dl>")[0]


def test_the_ledger_says_how_it_was_on_any_day(cast, left):
    client = cast.login("clerk")
    before, after = (client.get(PAGE.format(day)).text for day in ("2025-02-28", "2025-03-01"))
    assert "在读" in facts(before) and "2024-09-01" in facts(before) and "计科2024-1班" in facts(before)
    assert "休学" in facts(after) and "2025-03-01" in facts(after) and ">4.5<" in facts(after)
    assert before.count('<li class="tl-') == 1 and after.count('<li class="tl-') == 2
    entry = after.split('<li class="tl-')[1]
    assert "原因：疾病" in entry.replace(": ", "：") and "2026-02-28" in entry and "疾病" in facts(after)
    assert "2026-02-28" not in before


def test_an_english_reader_reads_the_ledger_in_english(cast, left):
    client = cast.login("clerk")
    chinese = client.get(PAGE.format("")).text.partition('<li class="tl-')[2]
    client.get("/lang/en")
    english = client.get(PAGE.format("")).text.partition('<li class="tl-')[2]
    assert "计算机学院" in chinese and "在读" in chinese and "Computing" not in chinese
    assert "Computing" in english and "On leave" in english
    assert "计算机学院" not in english and "在读" not in english


def test_before_admission_there_is_nothing(cast, left):
    page = cast.login("clerk").get(PAGE.format("2024-08-31")).text
    assert "这一天尚未进入名册" in page and not facts(page)


@pytest.mark.parametrize("nonsense", ["x", "", "2025-13-45", "9" * 40, "2025-02-30"])
def test_what_is_no_day_shows_everything(cast, left, nonsense):
    page = cast.login("clerk").get(PAGE.format(nonsense))
    assert page.status_code == 200 and page.text.count('<li class="tl-') == 2


def test_a_stranger_learns_nothing_of_the_day(cast, left):
    assert cast.login("clerk2").get(PAGE.format("2025-03-01")).status_code == 404


def test_whole_years_of_study_have_no_point(cast):
    page = cast.login("clerk").get("/studentscreen/show/101?tab=study").text
    assert "<span data-masked>4</span>" in page and "4.0" not in page


# contact data

FORM = "/studentscreen/contact/101"


def filled(client: FlaskClient, **changed: str) -> dict[str, str]:
    """The form as it came, with some fields changed."""
    page = client.get(FORM).text
    version = page.partition('name="version"')[2].partition('value="')[2].partition('"')[0]
    return {"version": version, "phone": "13800000000", "address": "某路 1 号"} | changed


@pytest.mark.parametrize("username", ["leader", "director", "student", "auditor", "library", "admin"])
def test_who_does_not_keep_them_gets_no_form(cast, behind, username):
    client = cast.login(username)
    assert client.get(FORM).status_code in (302, 403)
    assert client.post(FORM, data={"version": "1", "phone": "1"}).status_code in (302, 403)
    assert behind.one("select phone from student where id = 101") == "13800000000"


def test_a_stranger_clerk_gets_no_form(cast, behind):
    client = cast.login("clerk2")
    assert client.get(FORM).status_code == 404
    assert client.post(FORM, data={"version": "1", "phone": "1"}).status_code == 404
    assert behind.one("select phone from student where id = 101") == "13800000000"


@pytest.mark.parametrize("username", ["clerk", "registry"])
def test_contact_data_are_changed_with_history_and_audit(cast, behind, username):
    client = cast.login(username)
    assert FORM in client.get("/studentscreen/show/101").text
    answer = client.post(FORM, data=filled(client, phone=" 13911112222 ", dormitory="梅园 1 栋"))
    assert answer.status_code == 302
    (row,) = behind.rows("select phone, address, dormitory, email from student where id = 101")
    assert row == {"phone": "13911112222", "address": "某路 1 号", "dormitory": "梅园 1 栋", "email": None}
    fields = behind.rows("select field, old, new, why from field_change where student_id = 101 order by field")
    assert [(one["field"], one["old"], one["new"]) for one in fields] == [
        ("dormitory", None, "梅园 1 栋"), ("phone", "13800000000", "13911112222"),
    ]  # fmt: skip
    assert {one["why"] for one in fields} == {"联系方式"}
    trail = behind.rows("select action, detail from audit_entry where subject = 'student' order by id")
    assert [one["action"] for one in trail] == ["student.reveal", "student:contact"]
    assert trail[1]["detail"]["fields"] == ["phone", "dormitory"]


def test_a_page_that_grew_old_changes_nothing(cast, behind):
    client = cast.login("clerk")
    old = filled(client, phone="1")
    client.post(FORM, data=filled(client, phone="13911112222"))
    answer = client.post(FORM, data=old)
    assert answer.status_code == 422 and "他人刚刚修改了此记录" in answer.text
    assert behind.one("select phone from student where id = 101") == "13911112222"


@pytest.mark.parametrize("wrong", [{"phone": "1" * 21}, {"version": "x"}, {"version": ""}, {"version": "9" * 30}])
def test_what_does_not_fit_is_refused_and_kept_on_the_page(cast, behind, wrong):
    client = cast.login("clerk")
    answer = client.post(FORM, data=filled(client, email="a@b.cn") | wrong)
    assert answer.status_code == 422 and "a@b.cn" in answer.text
    assert behind.one("select email from student where id = 101") is None


WRONG = {"phone": "abc", "guardian_phone": "12", "email": "a at b", "postcode": "重庆"}


def test_what_is_no_phone_and_no_address_is_refused_all_at_once_beside_its_field(cast, behind):
    client = cast.login("clerk")
    answer = client.post(FORM, data=filled(client, dormitory="梅园") | WRONG)
    assert answer.status_code == 422 and "梅园" in answer.text
    for name, typed in WRONG.items():
        assert f'id="{name}-error"' in answer.text and f'value="{typed}"' in answer.text
    assert behind.one("select phone from student where id = 101") == "13800000000"


@pytest.mark.parametrize(
    "right", [{"phone": "023-6246 1234"}, {"phone": "+44 20 7946 0958"}, {"phone": "(023)62461234转8012"}, {"phone": ""},
              {"email": "wang.wu+1@cqupt.edu.cn"}, {"postcode": "400065"}],
)  # fmt: skip
def test_what_is_written_as_one_writes_it_is_taken(cast, right):
    client = cast.login("clerk")
    assert client.post(FORM, data=filled(client) | right).status_code == 302


def test_what_was_stored_before_there_was_a_check_hinders_nobody(cast, behind):
    behind.run("update student set guardian_phone = '不详' where id = 101")
    client = cast.login("clerk")
    form = filled(client, dormitory="梅园") | {"guardian_phone": "不详"}
    assert client.post(FORM, data=form).status_code == 302


def test_nothing_changed_is_nothing_written(cast, behind):
    client = cast.login("clerk")
    assert client.post(FORM, data=filled(client)).status_code == 302
    assert behind.one("select count(*) from field_change where student_id = 101") == 0
    assert behind.one("select count(*) from audit_entry where action = 'student:contact'") == 0
