"""Kinds of papers make themselves known, and two of one key stop the start."""

import dataclasses

import pytest

from app.flows.leave import leave
from app.kit.flow import hook
from app.kit.flow.declare import HOOKS, hook_name
from app.kit.flow.registry import problems
from app.kit.paper.kinds import KINDS, BrokenPaper, register_kind
from app.papers import CHANGE_NOTICE, all_papers


def test_a_key_that_is_taken_stops_the_start():
    assert register_kind(CHANGE_NOTICE) is CHANGE_NOTICE  # the same again is the same
    with pytest.raises(BrokenPaper, match="change_notice: two papers"):
        register_kind(dataclasses.replace(CHANGE_NOTICE, title="另一种"))
    assert KINDS["change_notice"] is CHANGE_NOTICE


def test_every_paper_that_a_flow_issues_has_a_wording_to_edit():
    assert {"change_notice", "info_notice", "decision_letter", "review_decision", "document"} <= all_papers().keys()


def test_a_paper_of_a_flow_that_issues_no_known_kind_stops_the_start():
    def issue(actor, ids):
        pass

    hook(issue)
    try:
        (problem,) = problems(dataclasses.replace(leave, paper=issue))
        assert "issue issues no kind of paper" in problem and "@issues(KIND)" in problem
    finally:
        del HOOKS[hook_name(issue)]
