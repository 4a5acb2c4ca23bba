"""Two people edit the same thing: the second sees both versions; what only one changed is taken over."""

import re
from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask

from core.settings import Settings
from institution import conflict
from institution.conflict import Field, Overtaken
from webapp.create_app import create_app
from webapp.runtime import build

BEGAN = {
    "name": "西湖柜面",
    "phone": "0571-1",
    "hours": "9–17",
    "open_on": date(2020, 1, 2),
    "days": ["一", "二"],
}


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    runtime = build(settings)
    yield create_app(runtime)
    runtime.close()


def page(app: Flask, theirs: dict[str, object], mine: dict[str, object]) -> str:
    fields = [(name, f"字段 {name}", theirs[name], mine[name]) for name in BEGAN]
    with app.test_request_context("/desk/x", method="POST"):
        text, status = conflict.page(
            "修改",
            "/desk/x",
            fields,
            base=conflict.version_of(theirs),
            began=conflict.version_of(BEGAN),
            back="/desk",
        )
    assert status == 409
    return text


def test_an_untouched_thing_passes_and_a_changed_one_does_not() -> None:
    base = conflict.version_of(BEGAN)
    conflict.check(base, dict(BEGAN))
    conflict.check("", {"name": "a form that never saw a version"})
    with pytest.raises(Overtaken) as caught:
        conflict.check(base, BEGAN | {"phone": "0571-2"})
    assert caught.value.base == conflict.version_of(BEGAN | {"phone": "0571-2"})


@pytest.mark.parametrize(
    "same",
    [{"name": " 西湖柜面 "}, {"open_on": "2020-01-02"}, {"days": ("二", "一")}, {"phone": "0571-1\r\n"}],
    ids=["spaces", "a day as text", "order of boxes", "line ends"],
)
def test_what_a_form_sends_back_is_the_same_version(same: dict[str, object]) -> None:
    assert conflict.version_of(BEGAN) == conflict.version_of(BEGAN | same)


def test_the_version_tells_nothing_but_which_field_changed() -> None:
    before, after = (conflict.version_of(one).split(";") for one in (BEGAN, BEGAN | {"phone": "x"}))
    assert [a.partition("=")[0] for a, b in zip(after, before, strict=True) if a != b] == ["phone"]
    assert "西湖" not in "".join(before)


def checked(text: str, name: str) -> list[str]:
    return re.findall(rf'name="{name}" value="([^"]*)" checked', text)


def test_each_side_keeps_what_it_alone_changed(app: Flask) -> None:
    theirs, mine = BEGAN | {"phone": "0571-2", "name": "甲"}, BEGAN | {"hours": "8–18", "name": "乙"}
    text = page(app, theirs, mine)
    assert checked(text, "phone") == ["0571-2"]  # I had left it alone
    assert checked(text, "hours") == ["8–18"]  # they had left it alone
    assert checked(text, "name") == ["乙"]  # both: mine first, theirs beside it
    assert 'name="name" value="甲"' in text
    assert '<input type="hidden" name="open_on" value="2020-01-02">' in text
    assert f'name="base" value="{conflict.version_of(theirs)}"' in text


def test_boxes_are_shown_as_boxes_with_whose_they_are(app: Flask) -> None:
    text = page(app, BEGAN | {"days": ["一"]}, BEGAN | {"days": ["一", "二", "三"]})
    assert checked(text, "days") == ["一", "三", "二"]
    assert text.count("只有我选了") == 2


def test_values_are_text_and_never_markup(app: Flask) -> None:
    evil = '"><script>alert(1)</script>'
    text = page(app, BEGAN | {"name": evil, "days": [evil]}, BEGAN | {"phone": evil})
    assert "<script>alert" not in text


def test_codes_are_shown_in_words() -> None:
    field = Field("kind", "级别", "city", "outlet", {"city": "地市公司", "outlet": "柜面网点"})
    assert field.differs and field.text(field.theirs) == "地市公司" and field.their_value == "city"
    assert not Field("a", "a", None, "").differs
