"""版式 wording: the text of a paper as edited on a screen: a little HTML with `{{ placeholders }}`, and no more."""

import html
import re
from collections.abc import Collection, Mapping
from html.parser import HTMLParser

from flask_babel import lazy_gettext as _
from markupsafe import Markup, escape

from app.kit.operation import Refused

PLACEHOLDER = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\s*\}\}")
BRACES = re.compile(r"\{\{.*?\}\}|\{[{%#]|[%#}]\}", re.DOTALL)
TAGS = frozenset((
    "b", "br", "caption", "col", "colgroup", "div", "em", "h1", "h2", "h3", "h4", "hr", "i", "li", "ol", "p", "small",
    "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
))  # fmt: skip
EMPTY_TAGS = frozenset({"br", "col", "hr"})
ATTRIBUTES = {"class": re.compile(r"[a-z][a-z0-9 -]*"), "colspan": re.compile(r"\d+"), "rowspan": re.compile(r"\d+")}
LONGEST = 20_000  # characters
DENSE = 200  # characters of a value from which on it is set smaller
DOTTED = re.compile(r"(?:[^\W\d_]{1,20}·)+[^\W\d_]{1,20}")  # 买买提·吐尔逊


class Wording:
    """A checked wording. `body` is the text rebuilt from its parts, so that a browser reads what was checked."""

    def __init__(self, body: str, placeholders: Collection[str]) -> None:
        """Raises Refused with a sentence that names the first thing that may not be in a wording."""
        if len(body) > LONGEST:
            raise Refused(_("The wording is longer than %(most)s characters. Shorten it.", most=LONGEST))
        if not body.strip():
            raise Refused(_("The wording is empty."))
        reader = _Reader()
        try:
            reader.feed(body)
            reader.close()
        except AssertionError:  # Python's parser raises it at declarations that it cannot read, such as `<![`
            reader.refuse_rest()
        self.body = reader.rebuilt()
        check_placeholders(self.body, placeholders)
        # text, name, text, name, …, text
        self._parts = PLACEHOLDER.split(self.body)

    def fill(self, values: Mapping[str, object]) -> Markup:
        """The wording with a value for every placeholder, as text: no value can bring tags of its own."""
        parts = list(self._parts)
        parts[1::2] = as_html([values[name] for name in parts[1::2]])
        return Markup("".join(parts))  # noqa: S704 - rebuilt from allowed tags, and every value escaped


def as_html(values: list[object]) -> list[str]:
    """Values as text of the page; their line breaks stay. Escaped together: a batch fills in hundreds of thousands."""
    if not values:
        return []  # "" split is one text, not none
    written = ["" if value is None else str(value).replace("\0", "") for value in values]
    text = str(escape("\0".join(written))).replace("\n", "<br>")
    if "·" in text:
        text = DOTTED.sub(_part, text)
    return [f'<span class="dense">{one}</span>' if len(one) > DENSE else one for one in text.split("\0")]


def _part(name: re.Match[str]) -> str:
    """A line breaks after the dot of a name, never before it."""
    return "".join(f'<span class="part">{part}</span>' for part in re.findall("[^·]+·?", name[0]))


def check_placeholders(body: str, placeholders: Collection[str]) -> None:
    """Refuse any `{{ … }}` that is not one of these names alone."""
    for found in BRACES.findall(body):
        match = PLACEHOLDER.fullmatch(found)
        if match is None or match[1] not in placeholders:
            known = ", ".join(f"{{{{ {name} }}}}" for name in placeholders)
            raise Refused(
                _(
                    "The wording has %(found)s, which this paper cannot fill in. It knows: %(known)s.",
                    found=found,
                    known=known,
                )
            )


class _Reader(HTMLParser):
    """Reads a wording, refuses what is not allowed, and writes the rest anew."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._written: list[str] = []
        self._open: list[str] = []

    def rebuilt(self) -> str:
        if self._open:
            raise Refused(_("The tag <%(tag)s> is not closed. Write </%(tag)s> after its text.", tag=self._open[-1]))
        return "".join(self._written)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            raise Refused(_("The wording may not have the tag <%(tag)s>. Use paragraphs and tables.", tag=tag))
        written = "".join(f' {name}="{self._attribute(tag, name, value)}"' for name, value in attrs)
        self._written.append(f"<{tag}{written}>")
        if tag not in EMPTY_TAGS:
            self._open.append(tag)

    def _attribute(self, tag: str, name: str, value: str | None) -> str:
        if name not in ATTRIBUTES or not ATTRIBUTES[name].fullmatch(value or ""):
            raise Refused(_("The tag <%(tag)s> may not have %(name)s there. Remove it.", tag=tag, name=name))
        return str(value)

    def handle_endtag(self, tag: str) -> None:
        if tag in EMPTY_TAGS:
            return
        if not self._open or self._open.pop() != tag:
            raise Refused(_("The tag </%(tag)s> closes nothing that is open there.", tag=tag))
        self._written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._written.append(html.escape(data, quote=False))

    def handle_comment(self, data: str) -> None:
        self.refuse_rest()

    def handle_decl(self, decl: str) -> None:
        self.refuse_rest()

    def handle_pi(self, data: str) -> None:
        self.refuse_rest()

    def unknown_decl(self, data: str) -> None:
        self.refuse_rest()

    def refuse_rest(self) -> None:
        raise Refused(_("The wording may have text, simple tags and placeholders, but no comments or declarations."))
