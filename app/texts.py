"""Texts in the reader's language, found quickly, and never taken for markup.

Flask-Babel looks for the reader's catalogue anew with each of a page's texts, and calls a lazy text markup, with all that
people wrote into it. Here a message is text until a template escapes it; what carries markup is a `Markup`, and says so.
"""

from typing import Any

from flask import Flask, g
from flask.json.provider import DefaultJSONProvider
from flask_babel import Domain
from flask_babel.speaklater import LazyString

# Jinja, the flash and JSON would all trust `__html__`; without it each of them takes a lazy text for what it is.
del LazyString.__html__


class KeptDomain(Domain):
    """The catalogue is kept for the request, in the place that Flask-Babel empties when the language changes."""

    def get_translations(self):
        context = g.get("_flask_babel") if g else None
        kept = getattr(context, "babel_translations", None)
        if kept is None:
            kept = super().get_translations()
            if g:
                g._flask_babel.babel_translations = kept
        return kept


class TextsInJson(DefaultJSONProvider):
    """A lazy text is written as the text that it is."""

    @staticmethod
    def default(value: Any) -> Any:
        return str(value) if isinstance(value, LazyString) else DefaultJSONProvider.default(value)


def install(app: Flask) -> None:
    babel = app.extensions["babel"].instance
    babel.domain_instance = domain = KeptDomain(domain=babel.domain)
    app.json = TextsInJson(app)
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # of the extension that Flask-Babel added
        gettext=lambda text: domain.get_translations().ugettext(text),
        ngettext=lambda one, many, n: domain.get_translations().ungettext(one, many, n),
        newstyle=True,
    )
