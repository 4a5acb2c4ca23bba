"""English is complete: every sentence has it, with the same places to fill in, and nothing stale is kept."""

import re

from webapp import catalogue

_PLACES = re.compile(r"%\((\w+)\)[sd]|\{(\w*)\}")


def test_every_sentence_has_english_with_the_same_places() -> None:
    known = {str(message.id): str(message.string) for message in catalogue.read() if message.id}
    for sentence in catalogue.sentences():
        english = known.get(sentence, "")
        assert english, f"no English for “{sentence}”; run python -m webapp.catalogue"
        assert set(_PLACES.findall(sentence)) == set(_PLACES.findall(english)), sentence


def test_the_catalogue_holds_nothing_that_is_not_said() -> None:
    known = {str(message.id) for message in catalogue.read() if message.id}
    assert known - set(catalogue.sentences()) == set()


def test_english_has_no_chinese_left() -> None:
    names = ("相约星期二", "小宝", "路标", "中文", "宣传长图", "长辈版")
    for message in catalogue.read():
        text = str(message.string)
        for name in names:
            text = text.replace(name, "")
        assert not re.search(r"[一-鿿]", text), message.string
