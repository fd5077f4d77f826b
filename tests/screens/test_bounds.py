"""Ranges and choices of lists: what people write is understood, and what cannot be understood is told where it stands."""

import re
from datetime import date, datetime

import pytest

from app.kit import clock
from app.kit.screen.bounds import days_of, moment_of, number_of
from app.kit.screen.filters import FromFilter, ToFilter, _Bound
from tests.flows.conftest import cases as cases
from tests.screens.test_lists import everything as everything
from tests.screens.test_lists import lists


@pytest.mark.parametrize(
    ("text", "number"), [("2025", 2025), ("2025级", 2025), (" 2025 届 ", 2025), ("２０２５年", 2025), ("1,000", 1000),
                         ("-1.5", -1.5), ("86.5分", 86.5)],
)  # fmt: skip
def test_a_number_is_read_with_its_unit(text, number):
    assert number_of(text) == number


@pytest.mark.parametrize("text", ["", "级", "x", "2025x", "1e400", "nan", "inf", "1,00", "٣", "9" * 30, "2025 2026"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError):
        number_of(text)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-11-26", (2026, 11, 26), (2026, 11, 26)), ("2026/9/1", (2026, 9, 1), (2026, 9, 1)),
        ("2026年9月1日", (2026, 9, 1), (2026, 9, 1)), ("20260901", (2026, 9, 1), (2026, 9, 1)),
        ("2026.9", (2026, 9, 1), (2026, 9, 30)), ("2026年2月", (2026, 2, 1), (2026, 2, 28)),
        ("2026", (2026, 1, 1), (2026, 12, 31)), ("2026年", (2026, 1, 1), (2026, 12, 31)),
    ],
)  # fmt: skip
def test_a_day_a_month_and_a_year_have_their_first_and_last_day(text, first, last):
    assert days_of(text) == (date(*first), date(*last))


@pytest.mark.parametrize("text", ["2026-13-45", "2026-02-30", "x", "", "0000-01-01", "99999-01-01", "26-11-26"])
def test_what_is_no_day_is_refused(text):
    with pytest.raises(ValueError):
        days_of(text)


def test_a_moment_is_the_moment_itself():
    assert moment_of("2026-09-01 08:00") == datetime(2026, 9, 1, 8, tzinfo=clock.ZONE)
    assert moment_of("2026-09-01T00:00:00+00:00") == moment_of("2026-09-01 08:00")
    assert moment_of("2026-09-01") is None and moment_of("2026-09-01 25:00") is None


def rows(page) -> int:
    return int(re.search(r'data-count="(\d+)"', page.text)[1])


@pytest.fixture
def registry(cast):
    return cast.login("registry")


def test_a_grade_is_found_as_people_say_it(registry):
    """F36: 2025级 is 2025; what is no grade finds nothing and says so where it stands."""
    every = rows(registry.get("/studentscreen/list/"))
    assert rows(registry.get("/studentscreen/list/?_flt_0_grade=2024级&_flt_1_grade=2024级")) == every > 0
    assert rows(registry.get("/studentscreen/list/?_flt_0_grade=2025级")) == 0
    page = registry.get("/studentscreen/list/?_flt_0_grade=abc")
    assert (
        rows(page) == 0
        and "未能识别" in page.text
        and re.search(r'name="_flt_0_grade"[^>]* aria-invalid="true"', page.text)
    )
    assert re.search(r'id="_flt_0_grade-error">[^<]*数字', page.text)


@pytest.mark.parametrize("hour", ["00:00", "08:00", "23:59:59"])
def test_the_whole_last_day_is_within(registry, cases, behind, hour):
    """F35: what was opened at any hour of a day is found from that day to that day, and not from the next."""
    case_id = cases.draft()
    behind.run(
        f"update flow_case set opened_at = timestamptz '2026-11-26 {hour} Asia/Shanghai' where id = :id", id=case_id
    )
    path = "/casescreen/list/"
    assert rows(registry.get(f"{path}?_flt_0_opened_at=2026-11-26&_flt_1_opened_at=2026-11-26")) == 1
    assert rows(registry.get(f"{path}?_flt_0_opened_at=2026-11-27")) == 0
    assert rows(registry.get(f"{path}?_flt_1_opened_at=2026-11-25")) == 0


def test_every_column_of_moments_offers_these_bounds(app):
    """So that the whole last day is within on each of them, in every list."""
    found = 0
    for _path, view in lists(app):
        for column, kinds in view._filters.get_search_filters().items() if hasattr(view, "datamodel") else ():
            if view.datamodel.is_datetime(column):
                assert [type(kind) for kind in kinds] == [FromFilter, ToFilter], (view, column)
                found += 1
    assert found > 5


def test_no_condition_that_is_not_understood_lists_every_row(app, everything):
    """Every range and choice of every list, asked for what it cannot be: no row, and a word."""
    asked = 0
    for path, view in lists(app):
        if not hasattr(view, "datamodel") or hasattr(view, "resource_name"):
            continue
        for column, kinds in view._filters.get_search_filters().items():
            for n, kind in enumerate(kinds):
                if not hasattr(kind, "wrong") or kind.wrong("甲乙") is None:  # a key may be a text
                    continue
                page = everything.get(f"{path}?_flt_{n}_{column}=甲乙")
                assert "没有结果" in page.text and 'data-count="0"' in page.text, (path, column, type(kind))
                asked += 1
                if isinstance(kind, _Bound):
                    assert kind.wrong("2025级") is None or kind.of_days()
    assert asked > 50


def test_an_api_refuses_what_it_does_not_understand(everything):
    answer = everything.get("/api/v1/student/?q=(filters:!((col:grade,opr:ge,value:abc)))")
    assert answer.status_code == 400 and "grade" in answer.json["message"]
    answer = everything.get("/api/v1/student/?q=(filters:!((col:grade,opr:ge,value:2024)))")
    assert answer.status_code == 200 and answer.json["count"] > 0
