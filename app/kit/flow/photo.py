"""照片 photos of phones: HEIC, which no browser shows and no printer knows, becomes JPG."""

import io

import filetype
from PIL import Image, ImageOps
from pillow_heif import register_heif_opener

HEIC = frozenset({"image/heic", "image/heif", "image/avif"})
BRANDS = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif"})
MOST_PIXELS = 120_000_000
QUALITY = 88

register_heif_opener()


class Unreadable(Exception):
    """The file calls itself a photo and cannot be opened as one."""


def kind_of(content: bytes) -> str | None:
    """The type of a file by its content, whatever its name says."""
    if content[4:8] == b"ftyp" and content[8:12] in BRANDS:
        return "image/heic"
    found = filetype.guess(content)
    return found.mime if found else None


def as_jpeg(content: bytes) -> bytes:
    """A photo of a phone as JPG, upright, without what the camera noted of the place. Raises Unreadable."""
    try:
        with Image.open(io.BytesIO(content)) as photo:
            if photo.width * photo.height > MOST_PIXELS:
                raise Unreadable
            made = io.BytesIO()
            ImageOps.exif_transpose(photo).convert("RGB").save(made, "JPEG", quality=QUALITY, optimize=True)
    except (OSError, ValueError, RuntimeError, EOFError, SyntaxError, Image.DecompressionBombError) as error:
        raise Unreadable from error
    return made.getvalue()
