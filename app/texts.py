"""Texts in the reader's language, found quickly: Flask-Babel looks for her catalogue anew with each of a page's texts."""

from flask import Flask, g
from flask_babel import Domain


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


def install(app: Flask) -> None:
    babel = app.extensions["babel"].instance
    babel.domain_instance = domain = KeptDomain(domain=babel.domain)
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # of the extension that Flask-Babel added
        gettext=lambda text: domain.get_translations().ugettext(text),
        ngettext=lambda one, many, n: domain.get_translations().ungettext(one, many, n),
        newstyle=True,
    )
