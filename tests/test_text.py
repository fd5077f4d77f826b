"""When two texts are the same: what is stored of what people type and paste, and what is compared."""

import sys
import unicodedata

import pytest

from app.models.text import (
    clean,
    clean_lines,
    clean_name,
    cleaned,
    folded,
    holds_name,
    number,
    unknown_characters,
)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("张　三", "张三"),
        (" 李 四\u3000", "李四"),
        ("王\xa0五", "王五"),
        ("赵\n刚", "赵刚"),
        ("孙\t丽", "孙丽"),
        ("张\u200b三\u202c", "张三"),
        ("John\xa0 Smith ", "John Smith"),
        ("李 John", "李 John"),
        ("Ｊｏｈｎ", "John"),
        ("软件 工程 （中外合作办学）", "软件工程（中外合作办学）"),
        ("⻢⼩红", "马小红"),
        ("\uf92c", "郎"),
        ("李\U000e0100明\ufe00", "李明"),
        ("Se\u0301an", "Séan"),
        ("𠮷", "𠮷"),
        ("J. R. Smith", "J. R. Smith"),
        ("", ""),
    ],
)
def test_a_name_is_stored_in_one_spelling(typed, stored):
    """F04, F06, F19."""
    assert clean_name(typed) == stored
    assert clean_name(stored) == stored


@pytest.mark.parametrize("dot", ["·", "•", "‧", "・", "．", ".", "。", " · ", "•\u200b"])
def test_every_middle_dot_is_one(dot):
    """F05."""
    assert clean_name(f"买买提{dot}吐尔逊") == "买买提·吐尔逊"
    assert folded(f"买买提{dot}") == folded("买买提")  # while somebody types


def test_a_full_stop_elsewhere_stays():
    assert clean_name("Ｊ．Smith 2.0") == "J.Smith 2.0"
    assert clean("共3.5学分。合格") == "共3.5学分。合格"
    assert folded("软件1.1班") != folded("软件11班")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (" 软件工程　", "软件工程"),
        ("物联网工程(中外合作办学)", "物联网工程（中外合作办学）"),
        ("汉\u3000族", "汉族"),
        ("⼥", "女"),
        ("Nguyễn Văn An", "nguyen van an"),
        ("Seán Ó Briain", "sean o briain"),
        ("Straße Øst", "STRASSE OST"),
        ("ＡＩ学院", "ai 学院"),
    ],
)
def test_two_spellings_are_the_same(one, other):
    """F07, F19, F30."""
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("张三", "张四"), ("马", "馬"), ("1.0", "10"), ("A-1", "A1")])
def test_two_names_are_not(one, other):
    assert folded(one) != folded(other)


@pytest.mark.parametrize(
    "typed",
    ["20240101", "2024\u200b0101", "\u202c20240101", "\ufeff20240101", "20240101.0", "'20240101", "‘20240101’",
     "２０２４０１０１", " 2024 0101\xa0"],
)  # fmt: skip
def test_a_number_is_itself_however_it_was_pasted(typed):
    """F23."""
    assert number(typed) == "20240101"


def test_a_number_keeps_its_signs():
    assert number("ＸＪ2026－000123") == "XJ2026-000123"
    assert number("1.5") == "1.5"


def test_a_field_is_cleaned_as_its_name_says():
    assert cleaned("new_id_number", "'50010120060101001x\u200b") == "50010120060101001X"
    assert cleaned("guardian_phone", "138 0000 0000") == "13800000000"
    assert cleaned("guardian_name", "张 大") == "张大"
    assert cleaned("address", "某路  1 号") == "某路 1 号"
    assert cleaned("conf_password", " a  b ") == " a  b "


def test_lines_keep_their_shape():
    assert clean_lines("　　一\u200b段\r\n\r\n  二 段\u202e \n") == "　　一段\n\n  二 段"


def test_what_nobody_can_read_is_told():
    """F06."""
    assert unknown_characters("马\ue863骋\ufffd") == ["U+E863", "U+FFFD"]
    assert unknown_characters("𠮷买·Nguyễn\U00031350") == []


def test_nothing_that_cannot_be_seen_is_stored():
    seen = {"\N{ARABIC NUMBER SIGN}", "\N{ARABIC END OF AYAH}"}  # some signs are of the kind Cf and visible
    characters = [chr(code) for code in range(0x300)] + [chr(code) for code in range(0x2000, 0x3100)]
    hidden = [one for one in characters if unicodedata.category(one) in ("Cc", "Cf") or one.isspace()]
    assert len(hidden) > 80
    for one in set(hidden) - seen:
        assert clean_name(f"张{one}三") == "张三" and number(f"1{one}2") == "12", ascii(one)


def test_cleaning_again_changes_nothing():
    for code in range(sys.maxunicode + 1):
        text = f"张{chr(code)}三"
        once = clean_name(text)
        assert clean_name(once) == once and folded(once) == folded(text), hex(code)


def test_fields_of_names_are_known_by_their_names():
    assert all(map(holds_name, ("name", "name_zh", "guardian_name", "new_name")))
    assert not any(map(holds_name, ("username", "address", "note", "named_on", "title")))
