"""Lays out the fonts of papers, which npm brings, under app/static/fonts: `make assets` runs this.

Papers look alike, and have as many pages, whatever the reader's machine has. Browsers load the slices that a page uses.
"""

import hashlib
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parent
TARGET = ROOT / "app" / "static" / "fonts"
# family → its package's folder and style sheet: a Song face for nearly everything, a Kai face for rare characters
FAMILIES = {
    "Xueji Song": ("@fontsource-variable/noto-serif-sc", "index.css"),
    "Xueji Kai": ("lxgw-wenkai-screen-web/lxgwwenkaigbscreen", "result.min.css"),
}
FACE = re.compile(r"@font-face\s*\{(.*?)\}", re.DOTALL)
URL = re.compile(r"""url\(\s*["']?\.?/?([\w./-]+\.woff2)["']?\s*\)""")
RANGE = re.compile(r"unicode-range:\s*([^;}]+)")
WEIGHT = re.compile(r"font-weight:\s*([^;}]+)")


def face(family: str, source: Path, css: str, target: Path) -> str:
    """One slice: its file copied, its rule written anew, its address naming the version as statics.py reads it."""
    found, covered, weight = URL.search(css), RANGE.search(css), WEIGHT.search(css)
    assert found and covered and weight, f"{source}: a slice that names no file, characters or weight"
    file = source / found[1]
    name = f"{family.split()[-1].lower()}-{file.name}"
    shutil.copyfile(file, target / name)
    version = hashlib.sha256(file.read_bytes()).hexdigest()[:10]
    return (
        f"@font-face{{font-family:'{family}';font-weight:{weight[1].strip()};font-display:swap;"
        f"src:url({name}?v={version}) format('woff2');unicode-range:{covered[1].strip()}}}\n"
    )


def main() -> None:
    draft = TARGET.with_suffix(".new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    rules = []
    for family, (package, sheet) in FAMILIES.items():
        source = ROOT / "node_modules" / package
        if not (source / sheet).exists():
            sys.exit(f"{source / sheet} is missing: run make assets.")
        rules += [face(family, source, rule, draft) for rule in FACE.findall((source / sheet).read_text())]
    (draft / "papers.css").write_text("".join(rules))
    shutil.rmtree(TARGET, ignore_errors=True)
    draft.rename(TARGET)


if __name__ == "__main__":
    main()
