"""The transfer panel opens the cases that it is shown, and finds on them what it decides upon."""

from tests.conftest import Cast
from tests.flows.conftest import walks  # noqa: F401 - the fixture
from tests.operations.transfers.test_rounds import Round, ranking, round_  # noqa: F401 - fixtures


def test_the_panel_opens_the_page_of_each_case_it_is_shown(cast: Cast, round_: Round):  # noqa: F811
    browser = cast.login("panel")
    for case_id in round_.cases.values():
        answer = browser.get(f"/casescreen/show/{case_id}")
        assert answer.status_code == 200, answer.text[-2000:]
    assert cast.login("library").get(f"/casescreen/show/{case_id}").status_code == 404
