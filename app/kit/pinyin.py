"""拼音 the spelling of a person's name by which a roster is searched: in full and by initials."""

from functools import lru_cache

# Surnames that are read otherwise than the same character elsewhere.
SURNAMES = {
    "曾": ["zeng"], "单": ["shan"], "解": ["xie"], "仇": ["qiu"], "区": ["ou"], "查": ["zha"], "任": ["ren"],
    "乐": ["yue"], "朴": ["piao"], "覃": ["qin"], "翟": ["zhai"], "缪": ["miao"], "盖": ["ge"], "种": ["chong"],
    "员": ["yun"], "黑": ["he"], "召": ["shao"], "燕": ["yan"], "尉迟": ["yu", "chi"], "万俟": ["mo", "qi"],
    "长孙": ["zhang", "sun"], "令狐": ["ling", "hu"],
}  # fmt: skip
COMPOUND_SURNAMES = frozenset({
    "欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "慕容", "令狐", "司徒", "夏侯", "端木", "公孙", "独孤",
    "南宫", "长孙", "万俟", "宇文", "轩辕", "钟离", "澹台", "闻人",
})  # fmt: skip


@lru_cache(maxsize=30_000)
def _syllable(character: str) -> str:
    # Here, and not above: its dictionaries take half a second and 40 MB, and most processes never spell a name.
    from pypinyin import lazy_pinyin

    spelled = lazy_pinyin(character)[0].lower()
    return "".join(letter for letter in spelled if letter.isascii() and letter.isalnum())


def split_name(name: str) -> tuple[str, str]:
    """Surname and given name. A name with a middle dot has no surname and is given whole as the first."""
    if "·" in name:
        return name, ""
    length = 2 if len(name) > 2 and name[:2] in COMPOUND_SURNAMES else 1
    return name[:length], name[length:]


def romanise(name: str) -> tuple[str, str]:
    """The pinyin of `name` without spaces or tones, and its initials: 曾小贤 → zengxiaoxian, zxx.

    ü is v, as it is typed. A character that nobody can read, and every sign, is left out.
    """
    surname, given = split_name(name)
    head = SURNAMES.get(surname) or [_syllable(character) for character in surname]
    syllables = [syllable for syllable in (*head, *map(_syllable, given)) if syllable]
    return "".join(syllables), "".join(syllable[0] for syllable in syllables)
