"""What a person reads on a page: its text and the attributes that are shown or read aloud."""

from collections.abc import Iterator
from html.parser import HTMLParser

SHOWN = ("title", "aria-label", "alt", "placeholder", "data-confirm")
SILENT = ("script", "style", "code", "template")
ALONE = ("input", "img", "br", "hr", "meta", "link", "source", "wbr", "col")


class Page(HTMLParser):
    """`texts` are the pieces of text, `links` the addresses inside the application."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.links: list[str] = []
        self._open: list[tuple[str, bool]] = []  # each open element, and whether its text is somebody's data
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        foreign = "lang" in given and tag != "html"  # says itself which language it is in
        if tag not in ALONE:
            self._open.append((tag, foreign))
        if foreign or self._skipped():
            return
        self.texts += [text for name in SHOWN if (text := given.get(name))]
        if tag == "input" and given.get("type") in ("submit", "button"):
            self.texts.append(given.get("value") or "")
        if tag == "a" and (given.get("href") or "").startswith("/"):
            self.links.append(given["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        while self._open and tag in [name for name, _foreign in self._open]:
            if self._open.pop()[0] == tag:
                return

    def handle_data(self, text: str) -> None:
        if text.strip() and not self._skipped():
            self.texts.append(" ".join(text.split()))

    def _skipped(self) -> bool:
        return any(tag in SILENT or foreign for tag, foreign in self._open)


def walk(get, start: str = "/", most: int = 80, leave: tuple[str, ...] = ()) -> Iterator[tuple[str, Page]]:
    """Pages reached by links from `start`: each address without its query once, and one row of every list."""
    waiting, seen = [start], set()
    while waiting and len(seen) < most:
        path = waiting.pop(0)
        kind = "/".join("#" if part.isdigit() else part for part in path.partition("?")[0].split("/"))
        if kind in seen or path.startswith(leave):
            continue
        seen.add(kind)
        answer = get(path)
        if answer.mimetype != "text/html":
            continue
        page = Page(answer.text)
        yield path, page
        waiting += page.links
