"""The diagram of a flow: what a box says is read whole."""

import pytest

from app.kit.flow.diagram import Node, draw


@pytest.mark.parametrize("tall", [True, False])
@pytest.mark.parametrize(
    "title",
    ["President's meeting: result", "Told of the grounds and heard", "Class agreed by the new college", "合法性审查"],
)
def test_a_long_title_is_broken_between_words_and_not_cut(app, title, tall):
    drawn = draw([Node("one", title, "Roster registry")], title="x", name="x", tall=tall)
    boxes = str(drawn).partition("<g")[2]
    assert "…" not in boxes
    said = [part.partition(">")[2].partition("<")[0] for part in boxes.split('<text class="t"')[1:]]
    assert " ".join(said).replace("&#39;", "'") == f"1 {title}"


def test_what_fits_on_no_two_lines_is_cut_with_its_name_beside_it(app):
    drawn = str(draw([Node("one", "word " * 20, "somebody")], title="x", name="x"))
    assert "…" in drawn and f"<title>{'word ' * 20}" in drawn
