"""The page of one student: what the ledger says of a day, and of nobody else's students."""

import pytest

PAGE = "/studentscreen/show/101?tab=changes&as_of={}"


@pytest.fixture
def left(behind) -> None:
    """Student 101, admitted on 1 September 2024, went on leave on 1 March 2025."""
    behind.run(
        "insert into roster_change (student_id, college_id, student_college_id, code, effective_on, old_status,"
        " new_status, new_college_id, new_major_id, new_class_group_id, new_grade, new_study_length, new_text)"
        " select id, college_id, college_id, '11', '2025-03-01', 'enrolled', 'on_leave', college_id, major_id,"
        " class_group_id, grade, 4.5, '{}' from student where id = 101"
    )


def facts(page: str) -> str:
    return page.partition('<dl class="facts">')[2].partition("</dl>")[0]


def test_the_ledger_says_how_it_was_on_any_day(cast, left):
    client = cast.login("clerk")
    before, after = (client.get(PAGE.format(day)).text for day in ("2025-02-28", "2025-03-01"))
    assert "在读" in facts(before) and "2024年9月1日" in facts(before) and "计科2024-1班" in facts(before)
    assert "休学" in facts(after) and "2025年3月1日" in facts(after) and ">4.5<" in facts(after)
    assert before.count('<li class="tl-') == 1 and after.count('<li class="tl-') == 2


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
