"""The flows of the manual, one a file. Importing this package registers each of them, and refuses what is broken."""

from importlib import import_module
from pkgutil import iter_modules

import app.operations.proceedings.gates  # noqa: F401 (registers what steps ask of proceedings)
from app.kit.flow import check_flows
from app.reference import task_keys

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
check_flows(task_keys())
