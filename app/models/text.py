"""同文 sameness: how a text is written when it is stored, and when two texts are the same.

The standard library alone, for the process that parses uploads uses it as well.
"""

import re
import unicodedata

# Patterns are written so that PostgreSQL reads them as Python does.
HAN = r"\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
SPACE = r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# Controls, joiners, marks of direction, byte order marks, letters without a shape, selectors of a variant's shape, tags.
INVISIBLE = (
    r"\u0001-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    r"\U000e0000-\U000e0fff"
)
ACCENT = r"\u0300-\u036f"
MIDDLE_DOT = r"\u00b7\u0387\u119e\u16eb\u2022\u2027\u2219\u22c5\u25cf\u2e31\u2e33\u30fb\u318d\ua78f\uff65"
FULL_STOP = r"\u002e\u2024\u3002\ufe52\uff0e\uff61"  # a middle dot where it stands between Chinese characters

# What Unicode's EquivalentUnifiedIdeograph.txt says of the block CJK Radicals Supplement, which NFKC leaves alone.
RADICALS = (
    "⺁⺂⺃⺄⺅⺆⺇⺈⺉⺊⺋⺌⺍⺎⺏⺐⺑⺒⺓⺔⺕⺖⺗⺘⺙⺛⺜⺝⺞⺟⺠⺡⺢⺣⺤⺥⺦⺧⺨⺩⺪⺫⺬⺭⺮⺯⺰⺱⺲⺳⺴⺵⺶⺷⺸⺹⺺⺻⺼⺽"
    "⺾⺿⻀⻁⻂⻃⻄⻅⻆⻇⻈⻉⻊⻋⻌⻍⻎⻏⻐⻑⻒⻓⻔⻕⻖⻗⻘⻙⻚⻛⻜⻝⻞⻟⻠⻡⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲⻳"
)
IDEOGRAPHS = (
    "厂乛乚乙亻冂𠘨刀刂卜㔾小小兀尣尢𡯂巳幺彑彐忄心扌攵旡日月歺母民氵氺灬爫爫丬牛犭王𤴔目示礻𥫗糹纟罓罒㓁冗𦉫羊𦍌𦍋耂肀聿肉𦥑"
    "艹艹艹虎衤覀西见角𧢲讠贝𧾷车辶辶辶邑钅長镸长门𨸏阝雨青韦页风飞食𩙿飠饣𩠐马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟"
)
# How one writes what is another letter only to a scholar.
FOLDED_FROM = "øđłħŧıðςʻʼ‘’‛′‐‑‒–—―−[{【〔〖]}】〕〗"
FOLDED_TO = "odlhtidσ''''''-------((((()))))"
FOLDED_PAIRS = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}

# What is nobody's name: one of these signs, or no letter at all, such as a number, a date, or what is left of a formula.
NO_NAME = r"[=+<>]|^[\u0020-\u0040\u005b-\u0060\u007b-\u00bf]+$"

NUMBERS = ("student_no", "examinee_no", "phone", "postcode")  # how columns that hold numbers end

_PLAIN = re.compile(r"[!-\-/-~\u3400-\u4dbf\u4e00-\u9fff]*")  # nothing to clean: nearly every name
_NOTHING = re.compile(rf"[\u0000{INVISIBLE}\ud800-\udfff]+")
_SPACES = re.compile(rf"[{SPACE}]+")
_NOTHING_IN_LINES = re.compile(rf"[\u0000\u000b\u000c\u001c-\u001f\u2028\u2029{INVISIBLE}\ud800-\udfff]+")
_WIDE = r"\u3001-\u3011\u3014-\u301f\uff01-\uff5e"  # signs that are as wide as a Chinese character
_SPACE_IN_CHINESE = re.compile(rf"(?<=[{HAN}{_WIDE}]) (?=[{HAN}{_WIDE}])")
_DOT_IN_NAME = re.compile(rf" ?[{MIDDLE_DOT}]+ ?|(?<=[{HAN}]) ?[{FULL_STOP}] ?(?=[{HAN}])")
_NOT_IN_KEY = re.compile(rf"[{SPACE}{INVISIBLE}{ACCENT}{MIDDLE_DOT}\ud800-\udfff\u0000]+")
_STOP_IN_KEY = re.compile(rf"(?<=[{HAN}])[{FULL_STOP}](?=[{HAN}]|$)")
_QUOTES = "'\"`´‘’“”′"
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))
_WHOLE = re.compile(r"(\d+)\.0+", re.ASCII)
_UNKNOWN = re.compile(r"[\ue000-\uf8ff\ufffd\U000f0000-\U0010ffff]")

_SUPPLEMENT = dict(zip(map(ord, RADICALS), IDEOGRAPHS, strict=True))
_LETTERS = (
    _SUPPLEMENT
    | {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)}  # the radicals of Kangxi
    | {
        code: chr(code - 0xFEE0) for code in range(0xFF10, 0xFF5B) if chr(code).isalnum()
    }  # letters, digits of full width
)
_KEY_LETTERS = str.maketrans(dict(zip(FOLDED_FROM, FOLDED_TO, strict=True)) | FOLDED_PAIRS)


def clean(text: str) -> str:
    """One line as it is stored: no outer spaces, one between words, nothing that nobody sees, each letter in one spelling."""
    if _PLAIN.fullmatch(text):
        return text
    text = _SPACES.sub(" ", _NOTHING.sub("", text)).strip(" ")
    return unicodedata.normalize("NFC", text).translate(_LETTERS)


def clean_name(text: str) -> str:
    """The name of a person or thing as it is stored: 张　三 is 张三, John  Smith keeps one space, every middle dot is U+00B7."""
    if _PLAIN.fullmatch(text):
        return text
    return _DOT_IN_NAME.sub("·", _SPACE_IN_CHINESE.sub("", clean(text))).replace("．", ".")


def clean_lines(text: str) -> str:
    """A text of several lines as it is stored: what nobody sees is gone; its spaces and line breaks stay, but at its end."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n").replace("\xa0", " ")
    return unicodedata.normalize("NFC", _NOTHING_IN_LINES.sub("", text)).strip("\n\t ")


def holds_name(field: str) -> bool:
    """Whether a column or field of this name holds the name of a person or thing."""
    return field == "name" or field.endswith("_name") or field.startswith("name_")


def cleaned(field: str, text: str) -> str:
    """A text as it is stored in a column, or sent in a field, of this name."""
    if "password" in field:
        return text
    if field.endswith("id_number"):
        return id_number(text)
    if field.endswith(NUMBERS):
        return number(text)
    if holds_name(field):
        return clean_name(text)
    return clean_lines(text) if "\n" in text else clean(text)


def folded(text: str) -> str:
    """What is compared when two texts are: width, case, accents, spaces, middle dots and the kind of brackets don't count.

    Nguyễn → nguyen, 买买提•吐尔逊 → 买买提吐尔逊, 物联网工程(中外) = 物联网工程（中外）.
    """
    text = unicodedata.normalize("NFKD", text).translate(_SUPPLEMENT)
    text = _NOT_IN_KEY.sub("", text).lower().translate(_KEY_LETTERS)
    return _STOP_IN_KEY.sub("", text)


def number(text: str) -> str:
    """A number of a person or thing (of a student, a case, a card) as it is stored, however it was typed or pasted.

    Width, spaces, signs that nobody sees, quotes around it and Excel's “.0” behind it don't count.
    """
    if text.isascii() and text.isalnum():
        return text
    text = _SPACES.sub("", _NOTHING.sub("", unicodedata.normalize("NFKC", text))).strip(_QUOTES).translate(_DASHES)
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def id_number(text: str) -> str:
    """A number as `number` gives it, with the check character of an ID card, which is often typed small, as it is printed."""
    text = number(text)
    return text[:17] + "X" if len(text) == 18 and text[17] == "x" else text


def unknown_characters(text: str) -> list[str]:
    """Characters that mean something in the fonts of one program alone, or are left of something broken: U+E863, U+FFFD."""
    return [f"U+{ord(character):04X}" for character in dict.fromkeys(_UNKNOWN.findall(text))]
