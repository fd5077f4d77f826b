"""可用 soundness: whether a scan can be opened by whoever has to read it, told while the person who sends it can mend it."""

import io
import re
import warnings
from typing import Any

from flask_babel import lazy_gettext as _
from PIL import Image

from app.kit.flow.photo import MOST_PIXELS

PICTURES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
LEAST_SIDE = 32  # pixels: less is an icon, and no scan
SMALL = 320  # pixels of the longer side; a JPG is opened no larger than it takes to see that it is whole
OTHERS = {"image/gif": "GIF", "image/tiff": "TIFF", "image/bmp": "BMP"}
ENCRYPTED = re.compile(rb"/Encrypt\s*(?:\d+\s+\d+\s+R|<<)")
RUNS = re.compile(rb"/S\s*/(?:JavaScript|Launch)\b|/JS\s*(?:[(<]|\d+\s+\d+\s+R)")
END = re.compile(rb"%%EOF|startxref|trailer")
TAIL = 2048  # bytes in which a PDF ends


def why_unusable(content: bytes, kind: str | None, name: str) -> Any | None:
    """What is wrong with a scan of this type; None if nothing is."""
    if kind in OTHERS:
        return _("%(name)s is a %(format)s picture, which is not taken. Open it, save it as JPG, and attach that.",
                 name=name, format=OTHERS[kind])  # fmt: skip
    if kind in PICTURES:
        return _wrong_picture(content, PICTURES[kind], name)
    return _wrong_pdf(content, name) if kind == "application/pdf" else None


def small_picture(content: bytes) -> bytes:
    """The picture as a JPG of at most 320 pixels, for a list. Raises OSError for what cannot be opened."""
    made = io.BytesIO()
    with Image.open(io.BytesIO(content), formats=list(PICTURES.values())) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise OSError("too many pixels")
        picture.draft("RGB", (SMALL, SMALL))
        picture.thumbnail((SMALL, SMALL))
        sheet = Image.new("RGB", picture.size, "white")
        seen_through = picture.convert("RGBA")
        sheet.paste(seen_through, mask=seen_through)
        sheet.save(made, "JPEG", quality=80)
    return made.getvalue()


def _wrong_picture(content: bytes, form: str, name: str) -> Any | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is the lower one
            with Image.open(io.BytesIO(content), formats=[form]) as picture:
                wide, high = picture.size
                if wide * high > MOST_PIXELS:
                    return _too_large(name, wide, high)
                if min(wide, high) < LEAST_SIDE:
                    return _("%(name)s has %(wide)s × %(high)s pixels: nothing can be read in it. Scan the paper anew.",
                             name=name, wide=wide, high=high)  # fmt: skip
                picture.verify()
            with Image.open(io.BytesIO(content), formats=[form]) as picture:
                picture.draft("RGB", (SMALL, SMALL))
                picture.load()
    except Image.DecompressionBombError:
        return _("%(name)s has too many pixels. Scan it with fewer dots per inch.", name=name)
    except (OSError, ValueError, RuntimeError, EOFError, SyntaxError):
        return _("%(name)s is not complete: the picture breaks off or is damaged. Scan it again.", name=name)
    return None


def _too_large(name: str, wide: int, high: int) -> Any:
    return _("%(name)s has %(wide)s × %(high)s pixels, more than the %(most)s million that are taken. Scan it with fewer"
             " dots per inch.", name=name, wide=wide, high=high, most=MOST_PIXELS // 1_000_000)  # fmt: skip


def _wrong_pdf(content: bytes, name: str) -> Any | None:
    if ENCRYPTED.search(content):
        return _(
            "%(name)s: the PDF is locked with a password. Save it as a PDF without encryption, and attach that.",
            name=name,
        )
    if RUNS.search(content):
        return _("%(name)s: the PDF carries a script or a command. Print it as a PDF anew, or scan it.", name=name)
    if not END.search(content.rstrip(b"\0")[-TAIL:]):
        return _("%(name)s is not complete: the PDF breaks off. Save or scan it again.", name=name)
    return None
