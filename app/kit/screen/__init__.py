"""Screens and APIs generated from models, wrapped once for the whole product."""

from app.kit.screen.api import Api
from app.kit.screen.base import Menu, Screen
from app.kit.screen.interface import XuejiInterface
from app.kit.screen.page import PageView
from app.kit.screen.threads import RequestLocalFilters

__all__ = ["Api", "Menu", "PageView", "RequestLocalFilters", "Screen", "XuejiInterface"]
