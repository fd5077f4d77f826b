"""拼音 the spelling of a person's name by which a roster is searched and sorted: in full and by initials."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from app.models.text import HAN, folded

# Surnames that are read otherwise than the same character elsewhere, or that people read in several ways. The first
# reading is the surname's own: names are sorted by it. By the others they are found as well.
READINGS = {
    surname: [reading.split("-") for reading in readings.split()]
    for surname, readings in {
        "柏": "bai bo", "贲": "ben bi", "秘": "bi mi", "薄": "bo bao", "卜": "bu bo", "藏": "zang cang", "曾": "zeng ceng",
        "查": "zha cha", "谌": "chen shen", "晟": "cheng sheng", "盛": "sheng cheng", "种": "chong zhong",
        "仇": "qiu chou", "褚": "chu zhu", "单": "shan dan chan", "都": "du dou", "繁": "po fan", "番": "pan fan",
        "费": "fei bi", "干": "gan qian", "盖": "ge gai", "句": "gou ju", "炔": "gui que", "黑": "he hei", "会": "gui hui",
        "祭": "zhai ji", "角": "jue jiao", "解": "xie jie", "隽": "juan jun", "阚": "kan han", "隗": "wei kui",
        "适": "kuo shi", "乐": "yue le", "六": "lu liu", "逯": "lu dai", "吕": "lv lu", "闾": "lv lu", "没": "mo mei",
        "宓": "mi fu", "缪": "miao mou miu", "乜": "nie mie", "牟": "mou mu", "能": "nai neng", "佴": "nai er",
        "区": "ou qu", "逄": "pang feng", "逢": "pang feng", "朴": "piao pu", "乾": "qian gan", "郄": "qie xi",
        "覃": "qin tan", "塞": "sai se", "召": "shao zhao", "折": "she zhe", "莘": "shen xin", "宿": "su xiu",
        "洗": "xian xi", "行": "xing hang", "郗": "xi chi", "厘": "xi li", "郇": "xun huan", "於": "yu wu",
        "尉": "wei yu", "蔚": "yu wei", "员": "yun yuan", "笮": "ze zuo", "迮": "ze zuo", "翟": "zhai di",
        "长": "chang zhang", "朝": "chao zhao", "么": "yao me", "参": "shen can", "啜": "chuai chuo", "校": "xiao jiao",
        "重": "chong zhong", "𠮷": "ji", "尉迟": "yu-chi wei-chi", "万俟": "mo-qi wan-si", "长孙": "zhang-sun chang-sun",
        "单于": "chan-yu shan-yu dan-yu", "澹台": "tan-tai dan-tai", "拓跋": "tuo-ba ta-ba",
    }.items()
}  # fmt: skip
COMPOUND_SURNAMES = frozenset({
    "欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "慕容", "令狐", "司徒", "夏侯", "端木", "公孙", "独孤",
    "南宫", "长孙", "万俟", "宇文", "轩辕", "钟离", "澹台", "闻人", "单于", "鲜于", "呼延", "宰父", "拓跋", "谷梁",
    "亓官", "赫连", "濮阳", "淳于", "申屠", "公冶", "宗政", "太史", "闾丘", "东郭", "百里", "贺兰", "纳兰", "第五",
})  # fmt: skip
PARTS = re.compile(rf"[{HAN}]|[^{HAN}\s·]+")
MOST_INITIALS = 4
SHORTEST = 3  # letters of the beginning of another reading that are searched by


@dataclass(frozen=True)
class Reading:
    """Names that begin with a surname, and the spelling that they have where somebody typed another reading of it."""

    surname: str
    column: str  # pinyin or initials
    begins: str


@lru_cache(maxsize=30_000)
def _syllable(part: str) -> str:
    # Here, and not above: its dictionaries take half a second and 40 MB, and most processes never spell a name.
    from pypinyin import lazy_pinyin

    spelled = folded(lazy_pinyin(part)[0])
    letters = "".join(letter for letter in spelled if letter.isascii() and letter.isalnum())
    return letters or (READINGS[part][0][0] if part in READINGS else "")


def split_name(name: str) -> tuple[str, str]:
    """Surname and given name. A name with a middle dot has no surname and is given whole as the first."""
    if "·" in name:
        return name, ""
    length = 2 if len(name) > 2 and name[:2] in COMPOUND_SURNAMES else 1
    return name[:length], name[length:]


def romanise(name: str) -> tuple[str, str]:
    """The pinyin of `name` without spaces or tones, and its initials: 曾小贤 → zengxiaoxian, zxx; Seán Ó → seano, so.

    ü is v, as it is typed. A character that nobody can read, and every sign, is left out.
    """
    surname, given = split_name(name)
    head, rest = (READINGS[surname][0], given) if surname in READINGS else ([], name)
    syllables = [syllable for syllable in (*head, *map(_syllable, PARTS.findall(rest))) if syllable]
    return "".join(syllables), initials_of(syllables)


def without_reading(name: str) -> list[str]:
    """The characters of a name that its spelling leaves out: who is called so is found by them, and not by pinyin."""
    return [part for part in dict.fromkeys(PARTS.findall(name)) if re.match(f"[{HAN}]", part) and not _syllable(part)]


def other_readings(typed: str) -> Iterator[Reading]:
    """Whom somebody means who typed a surname in another reading than its own: danting may be 单婷, spelled shanting."""
    for surname, (own, *others) in READINGS.items():
        for other in others:
            whole, first = "".join(other), initials_of(other)
            if typed.startswith(whole):
                yield Reading(surname, "pinyin", "".join(own) + typed[len(whole) :])
            elif len(typed) >= SHORTEST and whole.startswith(typed):
                yield Reading(surname, "pinyin", "".join(own))
            if len(first) < len(typed) <= MOST_INITIALS and typed.startswith(first) and first != initials_of(own):
                yield Reading(surname, "initials", initials_of(own) + typed[len(first) :])


def initials_of(syllables: list[str]) -> str:
    return "".join(syllable[0] for syllable in syllables)
