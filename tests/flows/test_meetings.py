"""Meetings: whose they are, what they must say, several cases agreed to in one, and the minutes that must be there."""

import io
from datetime import date, timedelta

import pytest
from flask_babel import force_locale

from app.kit.filing import Lost
from app.kit.flow import decide
from app.kit.operation import NotAllowed, NotFound, Refused
from app.operations.proceedings.meetings import attach_minutes, cancel_meeting, minutes_file, record_meeting
from tests.conftest import TODAY
from tests.flows.test_material import PDF

SAID = {"number": "第1次", "held_on": TODAY, "participants": "全体", "resolution": "同意"}


def record(walk, who: str = "clerk", **said) -> int:
    return walk.act(who, lambda actor: record_meeting(actor, **SAID | said).id)


def attach(walk, meeting_id: int, files, who: str = "clerk", content: bytes = PDF) -> None:
    walk.act(who, attach_minutes, meeting_id, io.BytesIO(content), "纪要.pdf", files_root=files)


def accept(walk, case_ids: list[int], meeting_id: object, who: str = "clerk"):
    return walk.act(who, decide, case_ids, expected_step="accept", records={"meeting_id": meeting_id})


@pytest.fixture
def walk(walks):
    return walks("voluntary_withdrawal")


@pytest.mark.parametrize("who", ["student", "library", "admin", "auditor", "admissions"])
def test_who_was_not_there_records_none(walk, who):
    with pytest.raises(NotAllowed):
        record(walk, who)


@pytest.mark.parametrize(
    "said",
    [{"number": " "}, {"participants": ""}, {"resolution": "\n"}, {"number": "x" * 41},
     {"held_on": TODAY + timedelta(days=1)}, {"held_on": TODAY - timedelta(days=366)}, {"held_on": date(1999, 9, 1)},
     {"kind": "college"}],
)  # fmt: skip
def test_what_is_no_meeting_is_refused(walk, behind, said):
    with pytest.raises(Refused):
        record(walk, "registry" if "kind" in said else "clerk", **said)
    assert behind.one("select count(*) from meeting") == 0


def test_a_number_is_given_once_in_a_college(walk):
    record(walk)
    with pytest.raises(Refused, match="第1次"):
        record(walk)
    record(walk, "clerk2")
    record(walk, "registry")


def test_minutes_are_required(walk, tmp_path):
    case_id, meeting_id = walk.submitted(), record(walk)
    (outcome,) = accept(walk, [case_id], meeting_id)
    assert not outcome.done and "第1次" in str(outcome.reason)
    with pytest.raises(Refused):
        attach(walk, meeting_id, tmp_path, content=b"<html>")
    with pytest.raises(NotFound):
        attach(walk, meeting_id, tmp_path, "clerk2")
    attach(walk, meeting_id, tmp_path)
    (outcome,) = accept(walk, [case_id], meeting_id)
    assert outcome.done


def test_several_cases_in_one_meeting(walk, walks, behind, tmp_path):
    other = walks("voluntary_withdrawal", student=102)
    ids, meeting_id = [walk.submitted(), other.submitted()], record(walk)
    attach(walk, meeting_id, tmp_path)
    assert [outcome.done for outcome in accept(walk, ids, str(meeting_id))] == [True, True]
    assert behind.one("select count(*) from case_step where meeting_id = :id and state = 'done'", id=meeting_id) == 2
    with pytest.raises(Refused):  # cases name it
        walk.act("clerk", cancel_meeting, meeting_id)
    page = walk.cast.login("student").get(f"/casescreen/show/{ids[0]}").text
    assert "第1次" in page and "全体" not in page  # that it was held, not who said what


def test_a_meeting_before_the_application_cannot_have_agreed_to_it(walk, behind, tmp_path):
    """Nor can one of the day before; one of the same day can."""
    case_id = walk.submitted()
    handed_in = behind.one(
        "select (submitted_at at time zone 'Asia/Shanghai')::date from flow_case where id = :id", id=case_id
    )
    for days, done in ((9, False), (1, False), (0, True)):
        meeting_id = record(walk, number=f"第{days + 5}次", held_on=handed_in - timedelta(days=days))
        attach(walk, meeting_id, tmp_path)
        (outcome,) = accept(walk, [case_id], meeting_id)
        assert outcome.done is done and (done or str(handed_in) in str(outcome.reason))


def test_each_case_has_its_own_resolution(walk, walks, behind, tmp_path):
    other = walks("voluntary_withdrawal", student=102)
    first, second, meeting_id = walk.submitted(), other.submitted(), record(walk, resolution="另有他人事项")
    attach(walk, meeting_id, tmp_path)
    for case_id, resolution in ((first, "同意退学，九月底前办清手续"), (second, None)):
        records = {"meeting_id": meeting_id, "resolution": resolution}
        assert walk.act("clerk", decide, [case_id], expected_step="accept", records=records)[0].done
    kept = {row["case_id"]: row["words"] for row in behind.rows(
        "select case_id, records ->> 'resolution' as words from case_step where meeting_id = :id", id=meeting_id)}  # fmt: skip
    assert kept == {first: "同意退学，九月底前办清手续", second: "同意"}
    page = walk.cast.login("student").get(f"/casescreen/show/{first}").text
    assert "九月底前办清手续" in page and "另有他人事项" not in page
    listed = walk.cast.login("clerk").get(f"/meetingscreen/show/{meeting_id}").text
    assert "九月底前办清手续" in listed and "学生12" in listed


@pytest.mark.parametrize("number", [None, "", "x", "-1", 99999, "9" * 30])
def test_a_meeting_that_is_none_is_not_named(walk, number):
    (outcome,) = accept(walk, [walk.submitted()], number)
    assert not outcome.done and str(outcome.reason)


@pytest.mark.parametrize("who", ["clerk2", "registry"])
def test_another_bodys_meeting_is_not_named(walk, tmp_path, who):
    meeting_id = record(walk, who)
    attach(walk, meeting_id, tmp_path, who)
    (outcome,) = accept(walk, [walk.submitted()], meeting_id)
    assert not outcome.done and str(outcome.reason)


def test_a_meeting_of_another_kind_decides_nothing_and_is_not_offered(walks):
    """A committee's meeting is not the president's, nor the other way round: neither in the act nor on the page."""
    appeal = walks("appeal")
    case_id = appeal.at("school")
    committee, president = (appeal.meeting("vp_b", kind) for kind in ("appeals", "school"))
    (outcome,) = appeal.decide("vp_b", case_id, "school", records={"meeting_id": committee})
    with force_locale("zh"):
        assert not outcome.done and "校长办公会" in str(outcome.reason)
    page = appeal.cast.login("vp_b").get(f"/casescreen/show/{case_id}").text
    assert f'<option value="{president}"' in page and f'<option value="{committee}"' not in page
    (outcome,) = appeal.decide("vp_b", case_id, "school", records={"meeting_id": president})
    assert outcome.done


def test_a_cancelled_meeting_agreed_to_nothing(walk, tmp_path):
    meeting_id = record(walk)
    attach(walk, meeting_id, tmp_path)
    with pytest.raises(NotFound):
        walk.act("clerk2", cancel_meeting, meeting_id)
    walk.act("clerk", cancel_meeting, meeting_id)
    (outcome,) = accept(walk, [walk.submitted()], meeting_id)
    assert not outcome.done


def test_minutes_are_read_by_those_whose_meeting_it_was_and_by_the_school(walk, tmp_path):
    meeting_id = record(walk)
    with pytest.raises(NotFound):
        walk.act("clerk", minutes_file, meeting_id, files_root=tmp_path)
    attach(walk, meeting_id, tmp_path)
    for stranger in ("clerk2", "student", "library"):
        with pytest.raises((NotFound, NotAllowed)):
            walk.act(stranger, minutes_file, meeting_id, files_root=tmp_path)
    for reader in ("clerk", "leader", "registry", "auditor"):
        path, _meeting = walk.act(reader, minutes_file, meeting_id, files_root=tmp_path)
        assert path.read_bytes() == PDF
    path.unlink()
    with pytest.raises(Lost):
        walk.act("clerk", minutes_file, meeting_id, files_root=tmp_path)


def test_a_meeting_belongs_to_the_office_that_recorded_it(walks, behind, tmp_path):
    """Nobody else in the school changes its record, reads it though she may; her own kinds alone she records."""
    walk = walks("major_transfer")
    for owner, kind in (("panel", None), ("vp", "school"), ("registry", "appeals")):
        meeting_id = record(walk, owner, kind=kind, number=f"第{owner}次")
        for other in {"panel", "vp", "director", "registry", "clerk"} - {owner}:
            with pytest.raises((NotAllowed, NotFound)):
                attach(walk, meeting_id, tmp_path, other)
            with pytest.raises((NotAllowed, NotFound)):
                walk.act(other, cancel_meeting, meeting_id)
        attach(walk, meeting_id, tmp_path, owner)
        for reader, offered in (("director", False), ("registry", owner == "registry"), ("vp", owner == "vp")):
            page = walk.cast.login(reader).get(f"/meetingscreen/show/{meeting_id}").text
            assert (f"/meetingscreen/attach/{meeting_id}" in page) is offered, (owner, reader)
        walk.act(owner, cancel_meeting, meeting_id)
    for who in ("registry", "director", "vp"):
        with pytest.raises(Refused):
            record(walk, who, kind="committee", number=who)


def test_the_appeals_committee_decides_no_transfer(walks, behind):
    walk = walks("major_transfer")
    walk.ready()
    walk.open_window()
    case_id = walk.at("panel")
    (outcome,) = walk.decide("panel", case_id, "panel", records={"meeting_id": walk.meeting("registry", "appeals")})
    assert not outcome.done and str(outcome.reason)


def test_minutes_stay_once_a_case_rests_on_them(walk, behind, tmp_path):
    case_id, meeting_id = walk.submitted(), record(walk)
    attach(walk, meeting_id, tmp_path)
    attach(walk, meeting_id, tmp_path, content=PDF + b"%2")
    told = behind.rows("select old, new from audit_entry where action = 'meeting:minutes' order by id")
    assert told[0]["old"] is None and told[1]["old"]["path"] == told[0]["new"]["path"] != told[1]["new"]["path"]
    assert all((tmp_path / row["new"]["path"]).is_file() for row in told)
    assert accept(walk, [case_id], meeting_id)[0].done
    behind.run("update case_step set college_id = 2 where case_id = :id", id=case_id)  # hidden from who recorded it
    with pytest.raises(Refused):
        attach(walk, meeting_id, tmp_path, content=PDF + b"%3")
    with pytest.raises(Refused):
        walk.act("clerk", cancel_meeting, meeting_id)
    assert behind.one("select minutes_path from meeting") == told[1]["new"]["path"]
