"""`make bench`: every measurement in one run, as ratios, printed and written to bench/results.json."""

import importlib
import json
import pkgutil
import sys
from pathlib import Path

import bench

RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    wanted = sys.argv[1:]
    rows: list[dict] = []
    for module in pkgutil.iter_modules(bench.__path__):
        if module.name.startswith("_") or (wanted and module.name not in wanted):
            continue
        measure = getattr(importlib.import_module(f"bench.{module.name}"), "measure", None)
        for row in measure() if measure else []:
            rows.append(row)
            print(
                f"{'ok  ' if row['holds'] else 'FAIL'} {row['name']}: {row['value']} {row['unit']} (bar {row['bar']})",
                flush=True,
            )
    RESULTS.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
    return 0 if all(row["holds"] for row in rows) else 1


sys.exit(main())
