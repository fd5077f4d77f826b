"""The menu shows what opens, and nothing else."""

import re

import pytest

from tests.cast import STAFF

ONE_OF_EACH = {role: username for username, (role, *_reach) in STAFF.items()}  # colleagues have the same menu


@pytest.mark.parametrize("who", [*ONE_OF_EACH.values(), "student"])
def test_every_entry_of_the_menu_opens(cast, who):
    client = cast.login(who)
    page = client.get("/").text
    side = page[page.index('id="side"') : page.index("</nav>")]
    entries = dict.fromkeys(re.findall(r'class="side-link" href="([^"]+)"', side))
    assert len(entries) > 1
    assert {path: status for path in entries if (status := client.get(path).status_code) != 200} == {}
