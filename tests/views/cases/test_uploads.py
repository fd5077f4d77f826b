"""Scans on the page of a case: several at once, one answer a file for a script, and the page's own form without one."""

import io

import pytest

from app.kit.flow.material import ACCEPT
from tests.flows.conftest import cases as cases
from tests.flows.test_material import PDF, PNG


@pytest.fixture
def page(cast, cases):
    case_id = cases.draft()
    client = cast.login("student")

    def upload(*files: tuple[bytes, str], **headers: str):
        data = {"file": [(io.BytesIO(content), name) for content, name in files]}
        return client.post(f"/casescreen/upload/{case_id}/application", data=data, headers=headers)

    upload.client, upload.show = client, f"/casescreen/show/{case_id}"
    return upload


def test_several_are_attached_and_the_page_comes_back_to_their_place(page, behind):
    answer = page((PDF, "甲.pdf"), (PNG, "乙.png"))
    assert answer.location == f"{page.show}#material-application"
    assert [row["file_name"] for row in behind.rows("select file_name from case_material order by id")] == [
        "甲.pdf",
        "乙.png",
    ]
    shown = page.client.get(page.show).text
    assert (
        'id="material-application"' in shown
        and "甲.pdf" in shown
        and "multiple" in shown
        and 'capture="environment"' in shown
    )


def test_of_several_only_what_is_no_scan_is_refused(page, behind):
    page((PDF, "甲.pdf"), (b"<script>", "乙.png"))
    assert behind.one("select count(*) from case_material") == 1
    assert "乙.png 不是图片" in page.client.get(page.show).text


def test_a_script_is_answered_file_by_file(page, behind):
    answer = page((PNG, "甲.png"), Accept="application/json")
    assert answer.status_code == 201
    (file,) = answer.json["files"]
    assert file["name"] == "甲.png" and file["picture"] and page.client.get(file["url"]).data == PNG
    assert page.client.post(file["remove_url"]).location == f"{page.show}#material-application"
    wrong = page((b"<script>", "乙.png"), Accept="application/json")
    assert wrong.status_code == 409 and "乙.png" in wrong.json["message"]
    assert page(Accept="application/json").status_code == 409


def test_the_page_offers_the_names_that_phones_give(page):
    """F15: what the server takes the page lets one choose."""
    assert {".jpeg", ".jfif", ".heic"} < set(ACCEPT.split(",")) and ACCEPT in page.client.get(page.show).text
