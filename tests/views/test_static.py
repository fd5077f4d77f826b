"""Files that never change under one address are kept by browsers for a year; a changed file has another address."""

import re


def test_addresses_of_files_name_their_version_and_are_kept(app):
    client = app.test_client()
    page = client.get("/login/").text
    addresses = re.findall(r'(?:href|src)="(/(?:appbuilder/)?static/[^"]+)"', page)
    assert len(addresses) > 8
    for address in addresses:
        assert re.search(r"[?&]v=[0-9a-f]{8,}$", address), address
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable", address


def test_without_its_version_a_file_is_asked_for_again(app):
    answer = app.test_client().get("/static/css/tokens.css")
    assert "no-cache" in answer.headers["Cache-Control"]
    assert app.test_client().get("/static/css/tokens.css?v=0123456789").headers["Cache-Control"] == "no-cache"


def test_a_changed_file_has_another_address(app, tmp_path, monkeypatch):
    monkeypatch.setattr(app, "static_folder", str(tmp_path))
    addresses = []
    for content in ("a", "bb"):
        (tmp_path / "x.css").write_text(content)
        with app.test_request_context():
            from flask import url_for

            addresses.append(url_for("static", filename="x.css"))
    assert addresses[0] != addresses[1]


def test_a_file_that_is_not_there_has_no_version(app):
    from flask import url_for

    with app.test_request_context():
        assert url_for("static", filename="nothing.css") == "/static/nothing.css"
    assert app.test_client().get("/static/nothing.css").status_code == 404


def test_a_file_carries_no_session(app):
    client = app.test_client()
    page = client.get("/login/")
    assert "Set-Cookie" in page.headers
    for address in re.findall(r'(?:href|src)="(/(?:appbuilder/)?static/[^"]+)"', page.text):
        assert "Set-Cookie" not in client.get(address).headers, address
