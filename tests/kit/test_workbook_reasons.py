"""Every sentence of the kit has its Chinese, with the same values in it."""

import re

import pytest

from app.kit.workbook.read import REASON
from app.kit.workbook.reasons import SENTENCES
from translations.build import merged


@pytest.fixture(scope="module")
def catalog():
    return merged()


@pytest.mark.parametrize("kind", SENTENCES)
def test_each_sentence_has_its_chinese(catalog, kind):
    for code, sentence in SENTENCES[kind].items():
        chinese = catalog.get(str(sentence))
        assert chinese and chinese.string, code
        values = r"%\(\w+\)s"
        assert sorted(re.findall(values, chinese.string)) == sorted(re.findall(values, str(sentence))), code
        assert re.search(r"[\u4e00-\u9fff]", chinese.string) or code == "PATTERN", code


def test_the_words_in_cells_have_their_chinese(catalog):
    assert [catalog.get(str(word)).string for word in (REASON, "Yes", "No")] == ["原因", "是", "否"]
