"""Prints pages of the application to PDF as Chromium would for a reader, and looks at what came out."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import pypdfium2
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, Route

ADDRESS = "http://papers.test"
SCALE = 4  # pixels a point
MM = 72 / 25.4 * SCALE  # pixels a millimetre
REACH = 8  # pixels around a corner
THIN = 0.2  # millimetres
DARK = bytes(1 if grey < 140 else 0 for grey in range(256))


@dataclass(frozen=True)
class Printed:
    """A print run. `strangers`: what was drawn with fonts that the papers do not bring, such as the box of a missing glyph."""

    pdf: bytes
    strangers: list[str]
    told: str  # what stands above the papers on the screen

    @property
    def texts(self) -> list[str]:
        """The lines of each page."""
        with self._document() as document:
            return [page.get_textpage().get_text_range().replace("\r\n", "\n") for page in document]

    def bad_edges(self) -> list[str]:
        """Where a table's left or right border is missing or thin: page and millimetres from the top."""
        found = []
        with self._document() as document:
            for number, page in enumerate(document, 1):
                found += [f"page {number}, {place / MM:.0f} mm" for place in _bad_edges(*_picture(page))]
        return found

    def rules(self) -> int:
        """How many horizontal lines of tables the pictures show."""
        with self._document() as document:
            return sum(len(_rules(_picture(page)[0])) for page in document)

    @contextmanager
    def _document(self) -> Iterator[pypdfium2.PdfDocument]:
        document = pypdfium2.PdfDocument(self.pdf)
        try:
            yield document
        finally:
            document.close()


def _picture(page: pypdfium2.PdfPage) -> tuple[list[bytes], int]:
    """The rows of a page, a byte a pixel: 1 where it is dark."""
    bitmap = page.render(scale=SCALE, grayscale=True)
    pixels, stride, width = bytes(bitmap.buffer).translate(DARK), bitmap.stride, bitmap.width
    return [pixels[row * stride : row * stride + width] for row in range(bitmap.height)], width


def _rules(rows: list[bytes]) -> list[tuple[int, int, int]]:
    """(row, first column, last column) of each horizontal line of 60 mm or more; a thick one counts once."""
    long = re.compile(rb"\x01{%d,}" % int(60 * MM))
    found = [(place, *run.span()) for place, row in enumerate(rows) if (run := long.search(row))]
    return [rule for last, rule in zip([(-9, 0, 0), *found], found, strict=False) if rule[0] > last[0] + 1]


def _bad_edges(rows: list[bytes], width: int) -> Iterator[int]:
    """Between two lines of a table both edges have a border as thick as a pen's stroke."""
    rules = _rules(rows)
    for (place, start, end), (below, *_columns) in pairwise(rules):
        middle = rows[(place + below) // 2]
        left = sum(middle[max(0, start - REACH) : start + REACH])
        right = sum(middle[end - REACH : min(width, end + REACH)])
        if min(left, right) < THIN * MM:
            yield place


class Printer:
    """`printer.print(client, path)`: the page at this path, printed by whoever the client is logged in as."""

    def __init__(self, chromium: Browser) -> None:
        self.page: Page = chromium.new_page()
        self.client: FlaskClient | None = None
        self.style = ""
        self.page.route(f"{ADDRESS}/**", self._answer)

    def _answer(self, route: Route) -> None:
        assert self.client is not None
        answer = self.client.get(route.request.url.removeprefix(ADDRESS))
        more = self.style if "/paper.css" in route.request.url else ""
        route.fulfill(status=answer.status_code, headers=dict(answer.headers), body=answer.data + more.encode())

    def print(self, client: FlaskClient, path: str, style: str = "") -> Printed:
        """`style` is added to that of the papers."""
        self.client, self.style = client, style
        answer = self.page.goto(ADDRESS + path)
        assert answer is not None and answer.status == 200, self.page.content()
        self.page.evaluate("document.fonts.ready")
        told = self.page.locator(".paper-told")
        pdf = self.page.pdf(prefer_css_page_size=True)
        return Printed(pdf, self._strangers(), told.inner_text() if told.count() else "")

    def _strangers(self) -> list[str]:
        session = self.page.context.new_cdp_session(self.page)
        session.send("DOM.enable")
        session.send("CSS.enable")
        root = session.send("DOM.getDocument")["root"]["nodeId"]
        sheets = session.send("DOM.querySelectorAll", {"nodeId": root, "selector": ".sheet, .sheet *"})["nodeIds"]
        used = [session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"] for node in sheets]
        session.detach()
        return sorted({font["familyName"] for fonts in used for font in fonts if not font["isCustomFont"]})
