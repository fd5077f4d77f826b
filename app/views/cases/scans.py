"""扫描件 scans as the browser gets them, whichever row names them."""

from pathlib import Path

from flask import send_file

from app.kit.flow.material import download_name


def shown_file(path: Path, content_type: str | None, file_name: str | None):
    """A kept file in the browser: pictures and PDF are shown, nothing in them may run, and no copy stays."""
    answer = send_file(path, mimetype=content_type, download_name=download_name(file_name or "", content_type))
    answer.headers["Content-Security-Policy"] = "default-src 'none'; img-src 'self'; object-src 'self'; sandbox"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
