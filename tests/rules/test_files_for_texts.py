"""Every page that takes a form, sent files where it asks for text: it answers with a sentence, never an error page."""

import io

import pytest

from tests.rules import walk
from tests.rules.test_strangers import foreign_rows  # noqa: F401 - the fixture


@pytest.mark.parametrize("name", ["anonymous", "student", "clerk", "registry", "admin"])
def test_a_file_in_place_of_a_text_breaks_no_page(app, cast, foreign_rows, name):  # noqa: F811
    browser = app.test_client() if name == "anonymous" else cast.login(name)
    texts, broken = {key: value for key, value in walk.form().items() if isinstance(value, str)}, []
    texts |= {"username": "x", "password": "x", "accepts": "x"}
    for visit in walk.visits(app):
        if visit.method != "POST" or visit.path.startswith("/api/"):
            continue
        for also in ({}, texts):  # the text beside the file of its name as well
            files = {key: (io.BytesIO(value.encode()), "x.txt") for key, value in texts.items()}
            sent = [*also.items(), *files.items()]
            data = {key: [value for name, value in sent if name == key] for key in files}
            answer = browser.post(visit.path, data=data, content_type="multipart/form-data")
            if answer.status_code >= 500:
                broken.append(f"{visit} {answer.status_code}")
    assert not broken, "\n".join(broken)


def test_a_file_stays_where_files_are_asked_for(app):
    data = {"file": (io.BytesIO(b"x"), "x.txt"), "name": (io.BytesIO(b"x"), "x.txt")}
    with app.test_request_context("/", method="POST", data=data):
        from flask import request

        assert list(request.files) == ["file"] and "name" not in request.form
