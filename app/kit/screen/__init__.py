"""Screens and APIs generated from models, wrapped once for the whole product."""

from app.kit.screen.base import Api, Menu, RequestLocalFilters, Screen
from app.kit.screen.interface import XuejiInterface

__all__ = ["Api", "Menu", "RequestLocalFilters", "Screen", "XuejiInterface"]
