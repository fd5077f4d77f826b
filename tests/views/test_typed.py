"""What people type, in forms and over the API: one spelling is stored, the same twice refused, the unreadable told."""

import pytest

from tests.api.test_case_operations import by as by
from tests.flows.conftest import cases as cases  # the fixtures of other tests


def add_major(client, name: str, code: str = "77"):
    return client.post("/majorscreen/add", data={
        "name": name, "name_en": "", "college": "1", "code": code, "national_code": "080999", "education_level": "05",
        "study_length": "4", "active": "y",
    })  # fmt: skip


@pytest.mark.parametrize("name", [" 软件工程　", "软件 工程", "软件\u200b工程", "软⼯".replace("⼯", "件") + "工程"])
def test_a_name_that_is_there_is_refused_however_it_is_typed(cast, behind, name):
    """F19."""
    answer = add_major(cast.login("registry"), name)
    assert answer.status_code == 200 and behind.one("select count(*) from major") == 3


def test_a_new_name_is_stored_clean(cast, behind):
    answer = add_major(cast.login("registry"), " 软件　工程\u202c (国际) ")
    assert answer.status_code == 302
    assert behind.one("select name from major where code = '77'") == "软件工程 (国际)"


def test_a_character_of_one_program_is_told_beside_its_field(cast, behind):
    """F06."""
    answer = add_major(cast.login("registry"), "软件\ue863")
    assert "U+E863" in answer.text and behind.one("select count(*) from major") == 3


def test_a_password_stays_as_it_is(app):
    with app.test_request_context("/", method="POST", data={"password": " a　b ", "name": " a　b "}):
        from flask import request

        assert (request.form["password"], request.form["name"]) == (" a　b ", "a b")
    with app.test_request_context(
        "/?q=张%E2%80%8B三", json={"values": {"new_name": "李 四", "n": 1, "all": ["\u200bx"]}}
    ):
        assert request.args["q"] == "张三"
        assert request.get_json() == {"values": {"new_name": "李四", "n": 1, "all": ["x"]}}


def test_a_change_of_name_is_stored_clean_and_the_unreadable_told(by, behind):
    """F04, F06: 学籍信息修改 over the API."""
    student = by("student")
    new = {"new_name": "欧阳\u200b 娜\u3000", "statement": "更名"}
    answer = student("POST", "", json={"flow": "info_change", "student_id": 101, "values": new})
    assert answer.status_code == 201, answer.text
    assert behind.one("select new_name from flow_case where flow = 'info_change'") == "欧阳娜"
    number = behind.one("select id from flow_case where flow = 'info_change'")
    answer = student("PUT", f"{number}", json={"values": {"new_name": "马\ue863"}})
    assert answer.status_code in (409, 422) and "U+E863" in answer.text
    assert behind.one("select new_name from flow_case where flow = 'info_change'") == "欧阳娜"


def test_a_list_by_numbers_names_what_is_not_found(cast, behind):
    """F23."""
    found = [row["student_no"] for row in behind.rows("select student_no from student order by student_no limit 5")]
    odd = [f"{found[0]}\u200b", f"\u202c{found[1]}\ufeff", f"{found[2]}.0", f"'{found[3]}", found[4], "2099\u200b1"]
    client = cast.login("registry")
    for answer in (
        client.post("/studentscreen/paste", data={"numbers": "\n".join(odd)}, follow_redirects=True),
        client.get("/studentscreen/list/", query_string={"_flt_3_student_no": " ".join(odd)}),
    ):
        body = answer.text.partition("<tbody")[2]
        assert all(number in body for number in found)
        assert answer.text.count("20991") >= 1 and "6 个中有 1 个" in answer.text.replace(
            "6 项中有 1 项", "6 个中有 1 个"
        )
    for typed in odd[:5]:
        page = client.get("/studentscreen/list/", query_string={"q": typed}).text
        assert page.partition("<tbody")[2].count("/studentscreen/show/") >= 1, ascii(typed)
