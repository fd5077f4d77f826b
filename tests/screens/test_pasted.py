"""A pasted list of numbers: however long, it selects, and its address can be sorted, saved, exported and decided upon."""

import re

import pytest
from openpyxl import load_workbook

from app.kit.screen.arranging import LONGEST_IN_ADDRESS, MOST_LISTED

MANY = [f"20249999{number:04}" for number in range(1, 1501)]


@pytest.fixture
def numbers(behind) -> list[str]:
    return [row["student_no"] for row in behind.rows("select student_no from student order by student_no limit 3")]


def paste(client, values: list[str], between: str = "\n"):
    return client.post("/studentscreen/paste", data={"numbers": between.join(values)}, follow_redirects=True)


def shown(answer) -> list[str]:
    return re.findall(r"<a [^>]*href=\"/studentscreen/show/(\d+)", answer.text)


def test_a_short_list_stays_in_the_address(cast, numbers):
    answer = paste(cast.login("registry"), numbers, "，")
    assert len(shown(answer)) == 3
    assert numbers[0] in answer.request.query_string.decode()


def test_a_list_of_more_than_five_hundred_is_kept(cast, numbers, behind):
    client = cast.login("registry")
    answer = paste(client, [*MANY, *numbers])
    assert len(shown(answer)) == 3
    assert "1500" in answer.text and "1503" in answer.text and MANY[0] in answer.text  # what was not found is said
    assert re.search(r"=kept-\d+$", answer.request.query_string.decode())
    assert len(answer.request.url) < 120
    again = client.get(answer.request.url)
    assert "1503 个值" in again.text and len(shown(again)) == 3
    assert paste(client, [*MANY, *numbers]).request.url == answer.request.url
    assert behind.one("select count(*) from kept_list") == 1


def test_the_export_of_a_kept_list_has_its_rows(cast, numbers, tmp_path):
    client = cast.login("registry")
    query = paste(client, [*MANY, *numbers]).request.query_string.decode()
    answer = client.post(f"/studentscreen/export/roster?{query}", data={"columns": ["student_no", "nationality"]})
    (tmp_path / "roster.xlsx").write_bytes(answer.data)
    rows = list(load_workbook(tmp_path / "roster.xlsx").active.values)
    assert [row[0] for row in rows[1:]] == numbers
    assert {row[1] for row in rows[1:]} == {"中国"}


def test_a_kept_list_is_its_owners_alone(cast, numbers):
    address = paste(cast.login("registry"), [*MANY, *numbers]).request.url
    assert shown(cast.login("registry_b").get(address)) == []


def test_a_clerk_finds_her_own_students_alone(cast, behind):
    everybody = [row["student_no"] for row in behind.rows("select student_no from student")]
    answer = paste(cast.login("clerk"), [*everybody, *MANY])
    own = behind.one("select count(*) from student where college_id = 1")
    assert len(shown(answer)) == own < len(everybody)


def test_nothing_and_too_much_are_refused(cast):
    client = cast.login("registry")
    for values in ([], [" ", "，"], [str(number) for number in range(MOST_LISTED + 1)]):
        answer = paste(client, values)
        assert answer.status_code == 409 and "名单" in answer.text


def test_old_lists_go_unless_a_saved_filter_names_them(app, cast, behind):
    client = cast.login("registry")
    addresses = [paste(client, [*MANY, str(extra)]).request.query_string.decode() for extra in range(2)]
    client.post("/studentscreen/filters", data={"label": "钉住", "query": addresses[0]})
    behind.run("update kept_list set made_at = now() - interval '91 days'")
    paste(client, [*MANY, "9"])
    kept = [f"kept-{row['id']}" for row in behind.rows("select id from kept_list order by id")]
    assert len(kept) == 2 and addresses[0].endswith(kept[0]) and not addresses[1].endswith(kept[1])


def test_a_name_of_no_list_matches_nothing(cast):
    client = cast.login("registry")
    address = paste(client, [*MANY]).request.url
    assert shown(client.get(re.sub(r"kept-\d+", "kept-999999", address))) == []
    assert len(" ".join(MANY)) > LONGEST_IN_ADDRESS


def test_freshmen_are_found_by_the_number_they_have(cast, behind, numbers):
    """A freshman has no student number yet: the search box and a pasted list take her examinee number."""
    behind.run("update student set student_no = null, registered = false, status = 'admitted', class_group_id = null"
               " where id = 101")  # fmt: skip
    client, examinee = cast.login("registry"), behind.one("select examinee_no from student where id = 101")
    answer = paste(client, [examinee, numbers[2], "nobody"])
    assert len(set(shown(answer))) == 2 and "101" in shown(answer)
    assert "nobody" in answer.text and f"：{examinee}" not in answer.text  # of what is not found
    assert set(shown(client.get(f"/studentscreen/list/?q={examinee[:12]}"))) == {"101"}
    assert set(shown(paste(cast.login("clerk2"), [examinee]))) == set()
