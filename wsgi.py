"""Where `flask …` finds the application: `flask xueji --help` lists the commands of the records office."""

from app import create_app

__all__ = ["create_app"]
