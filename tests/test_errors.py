"""Errors as a browser meets them, over the real web server."""

import http.client

from tests.rules.test_threads import port as port  # the fixture: gunicorn as it is served

TOO_MUCH = bytes(70 * 1024 * 1024)


def test_a_file_beyond_the_bound_gets_its_page_although_it_is_still_being_sent(port: int):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/login/", TOO_MUCH, {"Content-Type": "multipart/form-data; boundary=x"})
    answer = connection.getresponse()
    assert answer.status == 413
    assert "文件过大" in answer.read().decode()
    connection.close()
