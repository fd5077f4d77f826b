"""线程 what FAB shares between threads, kept to each request."""

import copy

from flask import g, has_request_context


class RequestLocalFilters:
    """FAB keeps the last request's search on the view object, which all threads share: users saw each other's terms."""

    @property
    def _filters(self):
        prototype = self.__dict__.get("_filters_prototype")
        if prototype is None or not has_request_context():
            return prototype
        mine = g.setdefault("xueji_filters", {})
        if self not in mine:
            mine[self] = copy.copy(prototype)
            mine[self].clear_filters()
        return mine[self]

    @_filters.setter
    def _filters(self, value) -> None:
        self.__dict__["_filters_prototype"] = value
