"""打印 printing: papers as pages of A4, and a word above them about characters that may not print."""

from collections.abc import Sequence
from typing import Any

from flask_appbuilder import BaseView

from app.kit.paper.glyphs import without_glyph
from app.kit.paper.kinds import Page


def print_run(view: BaseView, title: Any, papers: Sequence[Page]) -> str:
    """The page from which the browser prints these papers."""
    texts = [text for paper in papers for text in (paper.title, paper.number or "", paper.body)]
    odd = [f"{one} (U+{ord(one):04X})" for one in without_glyph(texts)]
    return view.render_template("xueji/print.html", title=title, papers=papers, odd=odd)
