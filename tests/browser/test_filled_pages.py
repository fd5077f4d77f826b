"""The pages of procedures with cases on them, as the demo has them: readable to everybody, wide and on a phone."""

from pathlib import Path

from tests.browser.conftest import WEB, University
from tests.browser.test_look import ALL, SEEN, faults
from tests.conftest import TODAY

PAGES = {
    "registry": [
        "/publicities/",
        "PUBLICITY",
        "/documents/",
        "/meetingscreen/list/",
        "MEETING",
        "/publicity/",
        "/transferroundscreen/list/",
        "ROUND",
        "RANKING",
        "OFFERS",
        "/transferapplicationscreen/list/",
        "/rosterchangescreen/list/",
        "/imports/ranking/",
    ],
    "clerk08": [
        "/dismissals/",
        "/legalclockscreen/list/",
        "/registrationscreen/list/",
        "/registrationscreen/record",
        "DRAFT",
        "WAITING",
        "ROUND",
    ],
    "transfers": ["/inbox/", "ROUND", "APPLICATION"],
}
ROWS = {
    "PUBLICITY": ("/publicities/", "select max(id) from publicity"),
    "MEETING": ("/meetingscreen/show/", "select min(id) from meeting"),
    "ROUND": ("/transferroundscreen/show/", "select max(id) from transfer_round"),
    "RANKING": ("/transferroundscreen/ranking/", "select max(id) from transfer_round"),
    "OFFERS": ("/transferroundscreen/offers/", "select max(id) from transfer_round"),
    "APPLICATION": ("/casescreen/show/", "select min(id) from flow_case where flow = 'major_transfer'"),
    "DRAFT": ("/casescreen/show/", "select min(id) from flow_case where state = 'draft'"),
    "WAITING": ("/casescreen/show/", "select min(id) from flow_case where step_key = 'publicity'"),
}
EMPTY = ".empty"
SCREENS = [(1440, "light", "zh", ALL), (390, "dark", "en", SEEN)]


def test_with_cases_on_it(university: University, axe: Path) -> None:
    addresses = {name: f"{path}{university.rows(query)[0][0]}" for name, (path, query) in ROWS.items()}
    found = []
    with university.on(TODAY, WEB) as visit:
        visit("").context.add_init_script(path=axe)
        for username, names in PAGES.items():
            page = visit(username).page
            for width, scheme, language, rules in SCREENS:
                page.set_viewport_size({"width": width, "height": 900})
                page.emulate_media(color_scheme=scheme)
                page.goto(f"/lang/{language}")
                for name in names:
                    page.goto(addresses.get(name, name))
                    found += faults(page, rules)
                    if page.locator(EMPTY).count():
                        found.append(f"{page.url}: nothing on it")
    assert not found, "\n".join(found)
