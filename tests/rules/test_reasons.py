"""Every code of a wrong cell has its few words on the page of its import, whoever declares it."""

from app.access import scope_as
from app.kit.workbook.imports import IMPORTS
from app.kit.workbook.reasons import CELL
from app.views.imports import KINDS, TYPES


def test_no_code_stands_raw_among_the_reasons(cast):
    assert CELL.keys() <= KINDS.keys()
    with scope_as(cast.registry.scope):
        for one in IMPORTS.values():
            rules = one.workbook(cast.registry, one.usual() or 1).rules
            own = {rule.code for rule in rules if not rule.skips} - KINDS.keys()
            assert own <= one.kinds.keys(), one.key
            assert {column.kind for column in one.columns} <= TYPES.keys(), one.key
