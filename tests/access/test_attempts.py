"""Wrong passwords: guessing is slow wherever it comes from, and nobody's account is taken from her by it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient

from app.jobs.upkeep import forget_attempts
from app.models import db
from tests.cast import PASSWORD

FROM_ELSEWHERE, FROM_HERE, FROM_A_PLACE = 10, 5, 30  # as the settings come

HOME = "10.1.1.1"  # where the clerk logs in every day


def form(client: FlaskClient, username: str, password: str = PASSWORD, place: str = HOME):
    return client.post(
        "/login/", data={"username": username, "password": password}, environ_base={"REMOTE_ADDR": place}
    )


def api(client: FlaskClient, username: str, password: str = PASSWORD, place: str = HOME):
    given = {"username": username, "password": password, "provider": "db"}
    return client.post("/api/v1/security/login", json=given, environ_base={"REMOTE_ADDR": place})


def let_in(answer) -> bool:
    return answer.status_code == 200 or (answer.status_code == 302 and answer.location == "/")


@pytest.fixture
def at_home(app, cast) -> None:
    assert let_in(form(app.test_client(), "clerk"))


def guess_from_everywhere(app, username: str, times: int = FROM_ELSEWHERE) -> list[int]:
    """By form and API in turns, each from another address."""
    ways = (form, api)
    return [ways[n % 2](app.test_client(), username, "x", f"10.0.{n}.1").status_code for n in range(times)]


# no weapon


def test_a_lock_out_does_not_reach_where_she_logs_in(app, cast, at_home):
    guess_from_everywhere(app, "clerk", 26)
    assert let_in(form(app.test_client(), "clerk"))
    assert let_in(api(app.test_client(), "clerk"))


def test_who_is_logged_in_stays_so(app, cast, at_home):
    client = cast.login("clerk")
    guess_from_everywhere(app, "clerk", 26)
    assert client.get("/account/").status_code == 200


def test_wrong_ones_from_her_own_address_slow_down_and_lock_nobody_out(app, cast, behind, at_home):
    answers = [form(app.test_client(), "clerk", "x") for _n in range(FROM_HERE + 2)]
    assert [answer.status_code for answer in answers] == [302] * FROM_HERE + [429] * 2
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 4
    assert "秒后再试" in answers[-1].text
    assert form(app.test_client(), "clerk").status_code == 429  # the right one waits as well
    behind.run("update login_attempt set at = at - interval '3 seconds'")
    assert let_in(form(app.test_client(), "clerk"))


def test_the_wait_grows_to_a_minute_and_no_longer(app, cast, behind, at_home):
    waits = []
    for _n in range(FROM_HERE + 8):
        answer = form(app.test_client(), "clerk", "x")
        if answer.status_code == 429:
            waits.append(int(answer.headers["Retry-After"]))
            behind.run("update login_attempt set at = at - :w * interval '1 second'", w=waits[-1])
            form(app.test_client(), "clerk", "x")
    assert waits == sorted(waits) and 50 < waits[-1] <= 61


def test_right_passwords_do_not_count(app, cast, behind):
    for _n in range(FROM_ELSEWHERE + 2):
        assert let_in(form(app.test_client(), "clerk"))
    assert behind.one("select count(*) from login_attempt") == 0


# but guessing is slow


@pytest.mark.parametrize(("language", "words"), [("zh", "15 分钟"), ("en", "15 minutes")])
def test_strange_addresses_together_guess_ten_times_in_a_quarter_of_an_hour(app, cast, behind, language, words):
    assert 429 not in guess_from_everywhere(app, "leader")
    client = app.test_client()
    client.get(f"/lang/{language}")
    locked = form(client, "leader", place="10.7.7.7")
    assert locked.status_code == 429
    assert words in locked.text
    answer = api(app.test_client(), " LEADER", place="10.7.7.8")
    assert answer.status_code == 429 and answer.json["message"] and answer.json["reference"]
    assert form(app.test_client(), "leader@example.invalid", place="10.7.7.9").status_code == 429  # the same account
    assert let_in(form(app.test_client(), "leader2", place="10.7.7.7"))  # nobody else is
    behind.run("update login_attempt set at = at - interval '16 minutes'")
    assert let_in(form(app.test_client(), "leader", place="10.7.7.7"))


def test_the_same_is_said_of_an_account_that_is_none(app, cast):
    answers = [form(app.test_client(), "nobody-of-this-name", "x").status_code for _n in range(FROM_ELSEWHERE + 1)]
    assert answers == [302] * FROM_ELSEWHERE + [429]


def test_one_address_does_not_try_a_password_on_everybody(app, cast, at_home):
    answers = [form(app.test_client(), f"guess{n}", "x", "10.5.5.5").status_code for n in range(FROM_A_PLACE + 1)]
    assert answers == [302] * FROM_A_PLACE + [429]
    assert form(app.test_client(), "leader", place="10.5.5.5").status_code == 429
    assert let_in(form(app.test_client(), "leader", place="10.5.5.6"))


def test_a_room_that_guesses_does_not_keep_its_own_people_out(app, cast, at_home):
    for n in range(FROM_A_PLACE + 1):
        form(app.test_client(), f"guess{n}", "x")
    assert let_in(form(app.test_client(), "clerk"))


def test_a_network_of_ipv6_is_one_address(app, cast, behind):
    for n in range(3):
        form(app.test_client(), "leader", "x", f"2001:db8::{n}")
    assert behind.rows("select distinct place from login_attempt") == [{"place": "2001:db8::/64"}]


def test_passwords_asked_for_elsewhere_count_as_well(app, cast, behind):
    client = cast.login("clerk")
    change = {"old_password": "wrong", "password": "Another-password-2", "conf_password": "Another-password-2"}
    answers = [client.post("/resetmypassword/form", data=change).status_code for _n in range(FROM_HERE + 1)]
    assert answers == [422] * FROM_HERE + [429]


def test_many_at_once_are_as_many_as_one_after_the_other(own_app):
    """For real: eight threads, a database that commits."""

    def guess(n: int) -> int:
        return form(own_app.test_client(), "leader", "x", f"10.3.{n}.1").status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(FROM_ELSEWHERE + 8)))
    assert answers.count(302) == FROM_ELSEWHERE
    assert answers.count(429) == 8
    with own_app.app_context():
        db.engine.dispose()


# its owner is told


def test_the_owner_gets_one_notice(app, cast, behind):
    guess_from_everywhere(app, "leader", FROM_ELSEWHERE - 1)
    assert behind.one("select count(*) from notice") == 0
    guess_from_everywhere(app, "leader", 6)
    (row,) = behind.rows("select user_id, title_zh, title_en, text_zh, path from notice")
    assert (row["user_id"], row["path"]) == (cast.leader.user_id, "/account/")
    assert "输错" in row["title_zh"] and "Wrong passwords" in row["title_en"] and "10.0." in row["text_zh"]
    assert "有人输错" in cast.login("leader").get("/notices/").text


def test_nobody_is_told_of_an_account_that_is_none(app, cast, behind):
    guess_from_everywhere(app, "nobody-of-this-name", 12)
    assert behind.one("select count(*) from notice") == 0


def test_what_counts_no_more_is_forgotten(app, cast, behind):
    form(app.test_client(), "leader", "x")
    behind.run("update login_attempt set at = at - interval '25 hours'")
    form(app.test_client(), "leader", "x")
    forget_attempts()
    assert behind.one("select count(*) from login_attempt") == 1


# the school's figures


def set_to(cast, key: str, value: str):
    return cast.login("registry").post(f"/settingscreen/edit/{key}", data={"value": value})


def test_the_school_decides_within_bounds(app, cast, behind, at_home):
    assert set_to(cast, "wrong_passwords_elsewhere", "4").status_code == 302
    assert set_to(cast, "wrong_passwords_minutes", "30").status_code == 302
    answers = [form(app.test_client(), "clerk2", "x", f"10.7.{n}.1") for n in range(5)]
    assert [answer.status_code for answer in answers] == [302] * 4 + [429]
    assert "30 分钟" in answers[-1].text and answers[-1].headers["Retry-After"] == "1800"
    assert "30 分钟内有人" in behind.one("select text_zh from notice where user_id = :u", u=cast.clerk2.user_id)
    assert set_to(cast, "wrong_passwords_here", "3").status_code == 302
    answers = [form(app.test_client(), "clerk", "x").status_code for _n in range(4)]
    assert answers == [302] * 3 + [429]


BOUNDS = {"minutes": (5, 60), "elsewhere": (3, 20), "here": (3, 10), "wait_seconds": (30, 300), "place": (10, 100)}


@pytest.mark.parametrize("name", BOUNDS)
def test_what_would_switch_the_guard_off_or_lock_people_out_is_refused(cast, behind, name):
    key, (low, high) = f"wrong_passwords_{name}", BOUNDS[name]
    before = behind.one("select value from setting where key = :k", k=key)
    for value in (low - 1, high + 1, 0, -1, 10**9, "", "x"):
        page = set_to(cast, key, str(value))
        assert page.status_code in (200, 422), value
        assert behind.one("select value from setting where key = :k", k=key) == before
    for value in (low, high):
        assert set_to(cast, key, str(value)).status_code == 302
        assert behind.one("select value from setting where key = :k", k=key) == str(value)
