"""content.strip: faults that name panel and field, lines that fit, nothing that covers anything, words for every scene."""

import re
from collections.abc import Callable
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as some

from content import history, reading, svg
from content.check import checking
from content.drafting import check
from content.library import load_folder, read_folder, save_folder
from content.strip import bubbles, scene, writing
from content.strip.bubbles import Speech
from content.strip.figure import Wanted, figure
from content.strip.parts import parts
from content.strip.schema import MOST_SAID, Panel
from content.strip.telling import tell
from core.database import Database
from core.errors import Invalid
from institution.models import Staff
from tests import factories
from tests.content import pieces

STRIP = """number: 1
cover: strip/1
strip:
  - place: kitchen
    cast:
      - {who: xiaobao, pose: stop, face: serious, says: "奶奶，等一等。"}
      - {who: grandma, pose: read, face: surprised, holds: code_sms}
    caption: 验证码像家门钥匙
  - place: home
    cast: [{who: caller, says: "快念给我"}]
    props: [key]
"""
BODY = "正文。\n\n/// picture | strip/2\n///\n"


def text(more: str = STRIP, body: str = BODY) -> str:
    return pieces.text("strip-1", kind="diary", more=more, body=body)


def test_there_is_enough_to_make_scenes_of() -> None:
    library = parts()
    assert {"xiaobao", "grandma", "grandpa", "dad", "mom", "classmate", "staff", "police", "stranger"} <= set(
        library.people
    )
    assert (len(library.poses) >= 5, len(library.faces) >= 6) == (True, True)
    assert (len(library.places) >= 8, len(library.props) >= 15) == (True, True)


def test_everybody_fits_every_pose_and_face_and_nothing_foreign_is_in_the_drawing() -> None:
    library = parts()
    for who in library.people:
        for pose in library.poses:
            for face in library.faces:
                drawn = figure(library, Wanted(who, pose, face))
                assert drawn.count("<g") == drawn.count("</g>")
    for who in library.people:
        alone = scene.draw_person(who)
        assert svg.clean(alone.encode())[0].count(b"<path") == alone.count("<path")
    for key in library.props:
        assert svg.clean(scene.draw_thing(key).encode())[1:] == (52, 52)


def test_a_panel_becomes_a_picture_that_tells_itself() -> None:
    draft = pieces.draft(text())
    assert set(draft.media) == {"strip/1", "strip/2"}
    page = reading.page_of(draft.text, draft.meta, draft.media, hotline="95500")
    assert page.cover is not None and page.cover.width == 400
    assert page.cover_alt == (
        "在厨房。左边小宝伸出手掌说停，神情认真。右边奶奶拿在手里看，手里是验证码短信，很吃惊。小宝说：“奶奶，等一等。”"
    )
    assert str(page.body).count("<img") == 1
    assert "看不清脸的人影" in page.body


def test_panels_that_the_body_does_not_name_stand_before_it() -> None:
    draft = pieces.draft(text(STRIP.replace("cover: strip/1\n", ""), "正文。\n"))
    page = reading.page_of(draft.text, draft.meta, draft.media, hotline="95500")
    assert str(page.body).index("验证码像家门钥匙") < str(page.body).index("正文")
    assert str(page.body).count("<img") == 2


@pytest.mark.parametrize(
    ("old", "new", "place", "rule"),
    [
        ("pose: stop", "pose: sit", "strip 第 1 格 cast 1 pose", "只能是"),
        ("props: [key]", "props: [sword]", "strip 第 2 格 props 1 what", "只能是"),
        ("place: home", "place: moon", "strip 第 2 格 place", "只能是"),
        ("pose: read", "pose: stop", "strip 第 1 格 cast 2", "拿不了"),
        ('says: "快念给我"', 'says: "快念给我", at: left, pose: "x"', "strip 第 2 格 cast 1 pose", "只能是"),
        ("    props: [key]", "    props: [key, qr, pills]", "strip 第 2 格 props", "太多"),
        ("surprised, holds", "surprised, at: left, holds", "", ""),
        ("奶奶，等一等。", "等" * (MOST_SAID + 1), "strip 第 1 格 cast 1 says", "太长"),
    ],
)
def test_a_fault_names_the_panel_and_the_field(old: str, new: str, place: str, rule: str) -> None:
    made, faults = check("", text(STRIP.replace(old, new)), {})
    if not place:
        assert made is not None
        return
    assert place in [fault.field for fault in faults]
    assert any(rule in fault.rule for fault in faults)


def test_two_cannot_stand_at_one_place() -> None:
    wrong = STRIP.replace("serious, says", "serious, at: left, says").replace(
        "surprised, h", "surprised, at: left, h"
    )
    _made, faults = check("", text(wrong), {})
    assert next(fault.field for fault in faults) == "strip 第 1 格"


SAID = some.text("先停一停问一问再转账，。！？“”《》（）、12378 abc", min_size=1, max_size=MOST_SAID).filter(
    str.strip
)


@settings(max_examples=60, deadline=None)
@given(said=some.lists(SAID, min_size=1, max_size=3), order=some.permutations(["left", "middle", "right"]))
def test_bubbles_never_cover_each_other_nor_leave_the_panel(said: list[str], order: list[str]) -> None:
    xs = {"left": 74.0, "middle": 200.0, "right": 326.0}
    placed, high = bubbles.lay_out(
        [Speech(words, xs[at], 60) for words, at in zip(said, order, strict=False)]
    )
    for one in placed:
        assert one.x >= 9 and one.x + one.width <= 391
        assert one.x <= one.speech.x <= one.x + one.width
        assert all(bubbles.width_of(line) * bubbles.SIZE <= one.width for line in one.lines)
        assert "".join(one.lines).replace(" ", "") == "".join(one.speech.text.split())
    for above, below in pairwise(placed):
        assert above.y + above.height <= below.y
        assert not below.x <= above.speech.x <= below.x + below.width, "it hides who speaks above"
    assert high >= placed[-1].y + placed[-1].height


def test_lines_break_as_chinese_breaks() -> None:
    lines = bubbles.break_lines("先打 96110，再打银行卡背面的“客服电话”。", 9)
    assert all(line[0] not in "，。”" and line[-1] not in "“（" for line in lines)
    assert any("96110" in line for line in lines)
    assert max(map(bubbles.width_of, lines)) - min(map(bubbles.width_of, lines)) < 4


def test_letters_are_as_large_on_a_phone_as_elder_mode_asks() -> None:
    """A column of 358 pixels on a phone of 390; the body of elder mode has 22."""
    assert bubbles.SIZE * 358 / bubbles.WIDTH >= 22


def test_words_cannot_leave_their_bubble_for_the_drawing() -> None:
    panel = Panel.model_validate({"place": "home", "cast": [{"who": "mom", "says": "<script>x</script>&"}]})
    drawn = scene.draw(panel)
    assert "<script" not in drawn and "&lt;script&gt;" in drawn
    assert "<script>" in tell(panel)


def test_what_a_strip_says_is_checked_like_the_body_but_a_swindler_is_the_other_side() -> None:
    def found(words: str) -> list[tuple[str, int]]:
        given_text = text(STRIP.replace("奶奶，等一等。", words).replace("快念给我", "保本无风险，快念"))
        draft = pieces.draft(given_text)
        named = checking.check("", given_text, draft.meta, on=date(2026, 11, 26))
        return [(one.rule, one.line) for one in named if one.rule == "return-promise"]

    assert found("奶奶，等一等。") == []
    line = text().split("奶奶，等一等。")[0].count("\n") + 1
    assert found("这个保本。") == [("return-promise", line)]


def test_a_strip_is_written_as_it_is_read_and_put_where_it_stood() -> None:
    panels = writing.of_text(text())
    assert writing.from_yaml(writing.as_yaml(panels)) == panels
    again = writing.put(text(), panels)
    assert writing.of_text(again) == panels
    assert pieces.draft(again).media == pieces.draft(text()).media
    assert writing.of_text(writing.put(pieces.text(), panels)) == panels
    with pytest.raises(Invalid):
        writing.from_yaml("- place: moon")


def test_a_strip_goes_out_as_text_alone_and_comes_back_the_same(
    database: Database, now: datetime, tmp_path: Path
) -> None:
    folder = pieces.folder(tmp_path / "in", text())
    with database.transaction() as session:
        editor, _reviewer = pieces.people(session, now)
        load_folder(session, tmp_path / "files", folder, by=editor.id or 0, now=now)
        save_folder(session, tmp_path / "files", tmp_path / "out")
    drawn = [one.picture.file for one in read_folder(folder).pictures]
    assert len(drawn) == 2 and all((tmp_path / "files" / "media" / file).is_file() for file in drawn)
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == ["strip-1.md"]
    with database.transaction() as session:
        loaded = load_folder(session, tmp_path / "files", tmp_path / "out", by=editor.id or 0, now=now)
    assert loaded.unchanged == ("strip-1",)


def test_a_panel_is_small() -> None:
    for panel in writing.of_text(text()):
        assert len(scene.draw(panel).encode()) < 24_000
        assert not re.search(r"<style|<script|href|url\(|<image|@", scene.draw(panel))


def test_the_composer_draws_keeps_and_saves(
    cast: dict[str, Staff], database: Database, now: datetime, entered: Callable[[str], FlaskClient]
) -> None:
    """Without script: choose, add, open, remove; a fault is said in words; saving makes a new revision."""
    with database.transaction() as session:
        pieces.saved(session, text(), cast[factories.EDITOR].id or 0, now)
    client = entered(factories.EDITOR)
    chosen = {
        "place": "park",
        "middle-who": "grandpa",
        "middle-pose": "hips",
        "right-who": "thing:key",
        "strip": "",
    }
    page = client.post("/desk/strips", data=chosen | {"do": "put"}).text
    assert "在公园。" in page and "- place: park" in page
    wrong = client.post("/desk/strips", data=chosen | {"middle-holds": "key", "do": "draw"}).text
    assert "拿不了东西" in wrong
    assert client.post("/desk/strips", data={"strip": "- place: moon"}).status_code == 400
    path = "/desk/pieces/strip-1/strip"
    assert "改第 2 格" in client.get(path).text
    kept = writing.as_yaml(writing.of_text(text()))
    removed = client.post(path, data={"strip": kept, "at": "1", "do": "remove"}).text
    assert "改第 2 格" not in removed
    saved = client.post(path, data=chosen | {"strip": kept, "at": "0", "do": "save"})
    assert saved.status_code == 302
    with database.reading() as session:
        newest = history.revisions(session, "strip-1")[0]
    assert newest.number == 2
    assert [panel.place for panel in writing.of_text(newest.text)] == ["park", "home"]
    assert "小猪存钱罐" in client.get("/desk/strips/parts").text
