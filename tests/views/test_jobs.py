"""My tasks: before the first poll nothing is said that is not so, and one that is to stop says that it is being stopped."""

import pytest


@pytest.fixture
def run(cast, behind) -> int:
    client = cast.login("registry")
    behind.run("update setting set value = '0' where key = 'export_stream_rows'")
    client.post("/studentscreen/export/roster", data={"columns": ["student_no"]})
    return behind.one("select max(id) from job_run")


def test_a_task_that_waits_says_so(cast, run):
    page = cast.login("registry").get("/jobs/").text
    assert "None" not in page and "等待中" in page and f"/jobs/{run}/cancel" in page


@pytest.mark.parametrize(("state", "asked", "label"), [
    ("queued", False, "等待中"), ("running", False, "进行中"), ("running", True, "正在停止"),
])  # fmt: skip
def test_the_poll_tells_how_it_stands(cast, behind, run, state, asked, label):
    behind.run("update job_run set state = :s, stop_asked = :a, message = null, started_at = now() where id = :id",
               s=state, a=asked, id=run)  # fmt: skip
    client = cast.login("registry")
    assert client.get(f"/jobs/{run}/state").json["label"] == label
    page = client.get("/jobs/").text
    assert label in page and (f"/jobs/{run}/cancel" in page) is not asked


def test_stopping_says_that_it_stops(cast, behind, run):
    behind.run("update job_run set state = 'running', started_at = now() where id = :id", id=run)
    client = cast.login("registry")
    assert "正在停止" in client.post(f"/jobs/{run}/cancel", follow_redirects=True).text
    assert cast.login("clerk").get(f"/jobs/{run}/state").status_code == 404
