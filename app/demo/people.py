"""Invented people: names, valid identity numbers, homes and parents that agree with one another."""

from datetime import date
from random import Random
from typing import NamedTuple

from app.demo.names import DATA, Names, weighted
from app.kit.pinyin import romanise, split_name
from app.reference import read_table

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643
CHECK = "10X98765432"
MOBILE = [f"{prefix}" for prefix in (*range(130, 140), *range(150, 154), *range(155, 160), 173, 177, *range(180, 190))]
STREETS = [
    "人民路",
    "解放路",
    "建设路",
    "中山路",
    "文化路",
    "滨江路",
    "新华街",
    "和平街",
    "学府路",
    "朝阳路",
    "民生街",
    "龙山大道",
    "金科大道",
    "桂花街",
]
SCHOOLS = ["第一中学", "第二中学", "第三中学", "实验中学", "外国语学校", "高级中学", "育才中学", "民族中学"]

# Where a place's code begins so, these ethnic groups live beside the Han: (GB/T 3304 code, percent).
ETHNIC_GROUPS = {
    "15": [("02", 22), ("11", 3)], "21": [("11", 14), ("02", 2)], "22": [("10", 8), ("11", 5)], "23": [("11", 4)],
    "4228": [("15", 48), ("06", 7)], "4331": [("15", 42), ("06", 35)], "45": [("08", 34), ("13", 3), ("12", 2)],
    "46": [("19", 12)], "500114": [("15", 60), ("06", 10)], "50024": [("15", 48), ("06", 25)], "5134": [("07", 55)],
    "51": [("04", 1), ("33", 1)], "52": [("06", 12), ("09", 8), ("12", 4), ("37", 2)],
    "53": [("07", 12), ("14", 6), ("16", 4), ("18", 3)], "54": [("04", 86), ("54", 1)], "62": [("03", 7), ("26", 2)],
    "63": [("04", 22), ("03", 15), ("30", 3)], "64": [("03", 36)], "6540": [("17", 40), ("05", 20), ("38", 5)],
    "65": [("05", 60), ("17", 8), ("03", 5)],
}  # fmt: skip
ELSEWHERE = [("03", 1), ("11", 1), ("06", 0.5), ("08", 0.5), ("15", 0.5)]


class Place(NamedTuple):
    """A county: its GB/T 2260 code, names, and the ethnic groups of its people as a table to pick from."""

    code: str
    province: str
    name: str
    postcode: str
    ethnic_groups: list[str]
    checksum: int


class Person(NamedTuple):
    """One invented person; codes as in the roster's columns."""

    name: str
    pinyin: str
    initials: str
    sex: str
    birth_date: date
    id_type: str
    id_number: str
    ethnic_group: str
    political_status: str
    place: Place
    school: str
    score: float
    phone: str
    address: str
    guardian_name: str
    guardian_phone: str


def check_character(digits: str) -> str:
    """The 18th character of an identity number (GB 11643) of which `digits` are the first 17."""
    return CHECK[sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True)) % 11]


def _read_places() -> tuple[list[Place], list[str]]:
    rows = list(read_table(DATA / "places.csv"))
    places = []
    for row in rows:
        longest = max((key for key in ETHNIC_GROUPS if row["code"].startswith(key)), key=len, default="")
        others = ETHNIC_GROUPS.get(longest, ELSEWHERE)
        table = weighted([("01", 100 - sum(percent for _, percent in others)), *others], 1000)
        checksum = sum(int(digit) * weight for digit, weight in zip(row["code"], WEIGHTS, strict=False))
        places.append(Place(row["code"], row["province"], row["name"], row["postcode"], table, checksum))
    return places, weighted([(str(number), float(row["weight"])) for number, row in enumerate(rows)])


class People:
    """Draws people from one seed. No identity number comes twice from the same `People`.

    Two that must not share a number have ranges of `serials` (the number's digits 15 to 17) of their own.
    """

    def __init__(self, seed: int | str, serials: range = range(800)) -> None:
        self.first_serial, self.pairs = serials.start, len(serials) // 2
        random = Random(seed)  # noqa: S311 - invented people, no secrets
        self.random = random.random
        self.names = Names(self.random)
        self.places, picks = _read_places()
        self.place_picks = [int(pick) for pick in picks]
        self.serials = [
            (f"{n:03}", sum(int(d) * w for d, w in zip(f"{n:03}", WEIGHTS[14:], strict=True))) for n in range(1000)
        ]
        self.used: set[int] = set()
        self.days: dict[int, tuple[date, str, int]] = {}

    def number(self, limit: int) -> int:
        """A whole number from 0 to limit - 1."""
        return int(self.random() * limit)

    def phone(self) -> str:
        return f"{self.names.pick(MOBILE)}{self.number(100_000_000):08}"

    def person(self, entry_year: int, men: float = 0.5) -> Person:
        """Somebody of the age of those who enter in `entry_year`, a man with the probability `men`."""
        man = self.random() < men
        place = self.places[self.place_picks[self.number(len(self.place_picks))]]
        ethnic_group = self.names.pick(place.ethnic_groups)
        name = self.names.full(man, ethnic_group)
        pinyin, initials = romanise(name)
        chance = self.random()
        age = 18 if chance < 0.76 else 19 if chance < 0.95 else 20
        born, born_text, checksum = self._day(date(entry_year - age - 1, 9, 1).toordinal() + self.number(365))
        id_type, id_number = "1", ""
        if self.random() < 0.002:
            id_type = "6" if self.random() < 0.6 else "8"
            id_number = f"{'H' if id_type == '6' else ''}{10_000_000 + self.number(90_000_000)}"
        else:
            id_number = self._id_number(place, born_text, checksum, man)
        chance = self.random()
        political = "03" if chance < 0.8 else "13" if chance < 0.955 else "02" if chance < 0.985 else "01"
        surname, _ = split_name(name)
        mother = self.random() < 0.4 or len(surname) > 2
        guardian_surname = self.names.surname() if mother else surname
        return Person(
            name, pinyin, initials, "1" if man else "2", born, id_type, id_number, ethnic_group, political, place,
            f"{place.name}{SCHOOLS[self.number(len(SCHOOLS))]}", 430 + self.number(400) / 2, self.phone(),
            f"{place.province}{place.name}{STREETS[self.number(len(STREETS))]}{1 + self.number(300)}号",
            guardian_surname + self.names.given_name(not mother), self.phone(),
        )  # fmt: skip

    def _day(self, ordinal: int) -> tuple[date, str, int]:
        if ordinal not in self.days:
            day = date.fromordinal(ordinal)
            text = f"{day:%Y%m%d}"
            self.days[ordinal] = day, text, sum(int(d) * w for d, w in zip(text, WEIGHTS[6:14], strict=True))
        return self.days[ordinal]

    def _id_number(self, place: Place, born: str, checksum: int, man: bool) -> str:
        while True:
            serial = self.first_serial + self.number(self.pairs) * 2 + man  # odd for a man
            key = int(place.code + born) * 1000 + serial
            if key not in self.used:
                self.used.add(key)
                text, part = self.serials[serial]
                return f"{place.code}{born}{text}{CHECK[(place.checksum + checksum + part) % 11]}"
