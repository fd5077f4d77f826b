"""A case keeps the version of its flow in which it began; a published version is never declared otherwise."""

import dataclasses

import pytest
from sqlalchemy import text

from app.flows.leave import leave
from app.kit.flow import FLOWS, BrokenFlow, Material, hook, submit
from app.kit.flow.declare import HOOKS, hook_name
from app.kit.flow.publishing import differing, publish, refuse_changed
from app.kit.flow.registry import _earlier
from app.kit.operation import Refused
from app.models import db
from tests.flows.conftest import LEAVE, Cases, acting

LATER = dataclasses.replace(
    leave,
    version=2,
    materials=(*leave.materials, Material("id_card")),
    steps=(dataclasses.replace(leave.steps[0], days=9), *leave.steps[1:]),
)


def owning(behind, verb):
    """Do something as the deploy does, which owns the tables."""
    db.session.remove()
    change = text("select set_config('role', :role, true)")
    behind.connection.execute(change, {"role": "xueji_owner"})
    result = verb(behind.connection)
    behind.connection.execute(change, {"role": "none"})
    return result


@pytest.fixture
def declare(monkeypatch, behind):
    """`declare(flow)`: from now on this is how the flow is declared; published as a deploy does."""

    def change(flow):
        monkeypatch.setitem(FLOWS, flow.key, flow)
        return owning(behind, publish)

    yield change
    _earlier.cache_clear()


def test_every_flow_is_published_and_publishing_again_does_nothing(app, behind):
    assert owning(behind, publish) == []
    assert behind.one("select count(*) from flow_version") == len(FLOWS)


@pytest.mark.parametrize("scope", ["xueji_web", "xueji_school", "xueji_college"])
def test_nobody_but_the_deploy_writes_what_is_published(app, behind, scope):
    for act in ("insert", "update", "delete", "truncate"):
        assert behind.one(f"select has_table_privilege('{scope}', 'flow_version', '{act}')") is False
    assert behind.one(f"select has_table_privilege('{scope}', 'flow_version', 'select')") is True


def test_a_published_version_declared_otherwise_stops_the_start(app, behind, monkeypatch):
    monkeypatch.setitem(FLOWS, "leave", dataclasses.replace(LATER, version=1))
    with pytest.raises(BrokenFlow, match=r"leave: version 1 .*steps\.0\.days.*version 2"):
        refuse_changed(behind.connection)
    monkeypatch.delitem(FLOWS, "leave")
    with pytest.raises(BrokenFlow, match="leave: published"):
        refuse_changed(behind.connection)


def test_a_running_case_keeps_what_it_began_with_and_a_new_one_follows_the_new(cases: Cases, declare, behind):
    begun = cases.submitted()
    assert declare(LATER) == ["leave 2"]
    later = cases.draft(LATER, LEAVE, student=102, by="clerk")
    cases.attach(later, *(material.key for material in leave.materials))
    with pytest.raises(Refused, match="身份证"):
        acting(cases.cast.clerk, submit, later)
    cases.attach(later, "id_card")
    acting(cases.cast.clerk, submit, later)
    first = behind.rows("select case_id, days from case_step where key = 'accept' order by case_id")
    assert [(row["case_id"], row["days"]) for row in first] == [(begun, 1), (later, 9)]
    for step in ("accept", "college", "affairs", "registry", "delivery"):
        cases.sign(begun, step)
    assert cases.state(begun) == ("done", None)


def test_two_hooks_of_one_name_are_refused():
    def effect(actor, ids):
        pass

    effect.__module__ = "app.operations.example"
    hook(effect)
    try:
        assert hook(effect) is effect  # the same one again is the same
        other = lambda actor, ids: None  # noqa: E731
        other.__name__, other.__module__ = "effect", "app.operations.example"
        with pytest.raises(BrokenFlow, match=r"operations\.example\.effect: two hooks"):
            hook(other)
    finally:
        del HOOKS[hook_name(effect)]


def test_what_differs_is_named():
    assert differing({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}], "c": 1}) == ["a.1.b", "c"]
    assert differing(leave.to_json(), leave.to_json()) == []


def test_a_version_that_cannot_be_read_any_more_is_told(app, behind, declare, monkeypatch):
    declare(LATER)
    monkeypatch.delitem(HOOKS, hook_name(leave.effect))
    with pytest.raises(BrokenFlow, match=r"leave: its published version 1 cannot be read any more: .*suspend"):
        refuse_changed(behind.connection)
    db.session.rollback()
