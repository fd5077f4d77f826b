"""`make bench`: every measurement in one run, as ratios, printed and written to bench/results.json.

`make bench ARGS=lists` measures one; its rows replace those of the same measurement, and the others stay.
"""

import importlib
import json
import pkgutil
import sys
from pathlib import Path
from typing import Any

import bench

RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    wanted = sys.argv[1:] or [module.name for module in pkgutil.iter_modules(bench.__path__)]
    kept: list[dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    rows: list[dict[str, Any]] = []
    for name in wanted:
        measure = getattr(importlib.import_module(f"bench.{name}"), "measure", None) if name[0] != "_" else None
        for found in measure() if measure else []:
            rows.append({"measurement": name} | found)
            verdict = "ok  " if found["holds"] else "FAIL"
            print(f"{verdict} {found['name']}: {found['value']} {found['unit']} (bar {found['bar']})", flush=True)
        kept = [row for row in kept if row["measurement"] != name]
        RESULTS.write_text(json.dumps(kept + rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0 if all(row["holds"] for row in rows) else 1


sys.exit(main())
