"""Flows as declarations: they round-trip to JSON, and a broken one does not start."""

import dataclasses
import json
import re
from datetime import date
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from app.access import Role
from app.flows.leave import leave
from app.flows.return_ import return_
from app.kit.calendar import months_after, working_days_after
from app.kit.flow import FLOWS, BrokenFlow, Field, Flow, Step, Window, check_flows
from app.kit.flow.labels import LABELS, add_labels
from app.kit.flow.registry import check_words, problems
from app.reference import task_keys


@pytest.mark.parametrize("flow", FLOWS.values(), ids=lambda flow: flow.key)
def test_a_flow_round_trips_and_has_no_problem(flow):
    stored = json.loads(json.dumps(flow.to_json()))
    assert Flow.from_json(stored, flow.title) == flow
    assert Flow.from_json(stored, flow.title).to_json() == stored == flow.to_json()
    assert problems(flow) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"key": "nothing"}, "model"), ({"window": Window(("summer_leave",))}, "window"),
        ({"fields": (Field("shoe_size"),)}, "shoe_size"), ({"reasons": ("boredom",)}, "label"),
        ({"steps": (Step("accept", Role.COLLEGE_CLERK, days=1),)}, "effect"),
        ({"steps": (Step("accept", Role.COLLEGE_CLERK, days=0, takes_effect=True),)}, "days"),
        ({"steps": (Step("accept", Role.COLLEGE_CLERK, days=1, takes_effect=True, hands_differ_from=("x",)),)}, "x"),
        ({"effect": print}, "hook"), ({"applicants": frozenset({Role.AUDITOR})}, "grant it CASE_OPEN"),
        ({"steps": (Step("accept", Role.AUDITOR, days=1, takes_effect=True),)}, "grant it CASE_DECIDE"),
    ],
)  # fmt: skip
def test_a_broken_flow_is_told_what_is_wrong(change, word):
    assert word in " ".join(problems(dataclasses.replace(leave, **change)))


def test_a_window_that_the_time_table_lacks_stops_the_start(monkeypatch):
    monkeypatch.setitem(LABELS, "window.summer_leave", LABELS["window.cancellation"])
    monkeypatch.setitem(FLOWS, "leave", dataclasses.replace(leave, window=Window(("summer_leave",))))
    with pytest.raises(BrokenFlow, match=r"leave: no row of the time-table has the key summer_leave; add it"):
        check_flows(task_keys())


def test_a_word_without_chinese_stops_the_start(app, monkeypatch):
    check_words()
    monkeypatch.setitem(LABELS, "step.accept", "Taken in")
    with pytest.raises(BrokenFlow, match=r"step\.accept \(Taken in\).*translations/zh/parts"):
        check_words()


def test_a_word_that_is_named_already_stops_the_start():
    with pytest.raises(ValueError, match=r"step\.accept: named already"):
        add_labels({"step.accept": "Something else"})


DECLARATIONS = [path for path in Path("app/flows").glob("*.py") if path.name != "__init__.py"]
LONGEST = 60
# What only a declaration may say: which flow it is. Elsewhere it would be a word that the kit lacks.
BY_KEY = re.compile(r"""\bflow(_key)?(\.key)? *(==|!=|in|not in) *[('"{]|\b[Cc]ase\.flow *(==|!=) *['"]|FLOWS\[['"]""")


@pytest.mark.parametrize("path", DECLARATIONS, ids=lambda path: path.stem)
def test_a_declaration_reads_like_its_row(path):
    assert len(path.read_text().splitlines()) <= LONGEST


def test_nothing_asks_which_flow_it_is():
    guilty = [
        f"{path}:{number}: {line.strip()}"
        for path in sorted([*Path("app").rglob("*.py"), *Path("app/templates").rglob("*.html")])
        if path.parts[:2] != ("app", "flows")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if BY_KEY.search(line)
    ]
    assert guilty == []
    assert BY_KEY.search('if flow.key == "leave":') and BY_KEY.search("if case.flow == 'leave'")


def test_every_word_has_its_chinese():
    catalog = {}
    for path in Path("translations").rglob("*.po"):
        with path.open("rb") as file:
            catalog |= {message.id: message.string for message in read_po(file, locale="zh") if message.id}
    for text in [*LABELS.values(), leave.title, return_.title]:
        assert catalog.get(str(text)), text


def test_working_days_skip_the_national_holiday_and_keep_exchanged_days():
    assert working_days_after(date(2026, 9, 30), 1, {}) == [date(2026, 10, 8)]
    assert working_days_after(date(2026, 9, 18), 1, {}) == [date(2026, 9, 20)]  # a Sunday worked for the festival
    assert working_days_after(date(2099, 1, 2), 1, {}) == [date(2099, 1, 5)]
    assert months_after(date(2026, 8, 31), 6) == date(2027, 2, 28)
