"""The page's own elements: a mark made anew for each answer, which no stored text can know. Scripts send, fetch and follow
for marked elements alone, should other people's markup ever get onto a page."""

import secrets

from flask import g
from markupsafe import Markup


def mark() -> str:
    """The mark of this answer."""
    if "own_mark" not in g:
        g.own_mark = secrets.token_urlsafe(12)
    return g.own_mark


def own() -> Markup:
    """The mark as an attribute."""
    return Markup('data-own="{}"').format(mark())
