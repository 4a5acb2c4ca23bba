"""The sample room played through HTTP without script, through all seven kinds of lock, to its ending."""

import io
import re
from collections.abc import Callable
from datetime import datetime

from flask import Flask
from PIL import Image
from werkzeug.datastructures import MultiDict

from content import history, lifecycle
from content.drafting import check
from content.media import from_json
from core.database import Database
from institution.models import Staff
from tests import factories
from tests.content import pieces
from tests.content.rooms.plain import Plain


def to_the_lock(player: Plain, *dos: str) -> None:
    """Press these buttons, one after the other."""
    for do in dos:
        player.press(do)


def play(player: Plain) -> Plain:
    """From the cover to the good ending."""
    player.press("start")
    return onward(player)


def onward(player: Plain) -> Plain:
    """From the first scene to the good ending."""
    to_the_lock(player, "look:photo", "look:granny", "say:0:2", "look:phone")
    player.press("answer:first", pick=player.picks("先停一停，不转账"))
    to_the_lock(player, "look:phone")
    hang = next(do for do in player.page.buttons if do.startswith("say:0:") and _says(player, do, "我挂了"))
    player.press(hang)
    player.press("look:drawer")
    player.press("answer:drawer", code="一九五八")
    player.press("look:mobile")
    player.press(
        "answer:message", pick=player.picks("您的账户将在今天 18 点冻结，", "请点开链接，填写卡号和验证码。")
    )
    to_the_lock(player, "go:out", "look:poster")
    player.press("answer:cards", pick=player.picks("把银行卡租给别人", "把电话卡卖掉"))
    to_the_lock(player, "go:on", "look:board")
    player.press("answer:numbers", row=player.picks("反诈专线", "银行保险投诉", "报警"))
    to_the_lock(player, "look:clerk", "say:0:1")
    player.press("answer:steps", row=player.picks("停：不急着转账", "问：打官方电话", "办：到柜面当面办"))
    return player


def _says(player: Plain, do: str, words: str) -> bool:
    after = player.page.html.split(f'value="{do}"', 1)[1]
    return after.split("</button>", 1)[0].find(words) >= 0


def test_all_kinds_of_lock_are_opened_without_script(visitor: Callable[[], Plain]) -> None:
    player = play(visitor())
    assert player.status == 200
    assert "钱都在" in player.page.text
    assert "80" in player.page.text


def test_the_certificate_is_signed_for_the_nickname_and_refuses_a_bad_one(
    visitor: Callable[[], Plain],
) -> None:
    player = play(visitor())
    assert player.press("certificate", nickname="官方客服").text.find("不合适") > 0 and player.status == 400
    page = player.press("certificate", nickname="小 林")
    assert player.status == 200
    assert "小 林走到了“钱都在”" in page.text and "验证码谁要都不给" in page.text
    path = re.search(r'src="(/play/result/[^"]+/picture\.png)"', page.html)
    assert path is not None
    picture = player.client.get(path[1])
    with Image.open(io.BytesIO(picture.data)) as image:
        assert (image.format, image.size) == ("PNG", (1200, 1920))
    assert player.client.get(path[1].replace("/result/", "/result/x", 1)).status_code == 404


def test_it_asks_before_a_play_that_goes_on_is_left_behind(visitor: Callable[[], Plain], room: str) -> None:
    player = visitor()
    player.press("start")
    player.press("look:photo")
    player.open(f"/p/{room}")
    assert "继续上次的，还是重新开始" in player.press("start").text
    resumed = Plain(player.client)
    resumed.page = player.page
    assert "小本子（1）" in resumed.press("resume").text
    assert "小本子" not in player.press("start").text


def test_the_address_of_a_play_goes_on_with_it_or_leads_to_the_cover(
    visitor: Callable[[], Plain], app: Flask, room: str
) -> None:
    stranger = app.test_client().get(f"/play/{room}")
    assert (stranger.status_code, stranger.location) == (303, f"/p/{room}")
    player = visitor()
    player.press("start")
    player.press("look:photo")
    assert "小本子（1）" in player.open(f"/play/{room}").text
    assert app.test_client().get("/play/no-such-room").status_code == 404


def test_a_changed_state_is_refused_with_a_way_to_begin_again(
    visitor: Callable[[], Plain], room: str
) -> None:
    player = visitor()
    player.press("start")
    state = dict(player.page.named["play"].fields)["state"]
    page = player.post(f"/play/{room}", MultiDict([("state", "A" + state[1:]), ("do", "look:photo")]))
    assert player.status == 400 and "不能接着玩" in page.text
    assert "客厅" in player.press("start").text


def test_the_same_form_sent_again_gives_the_same_page(visitor: Callable[[], Plain]) -> None:
    player = visitor()
    player.press("start")
    player.press("look:phone")
    wrong = player.page.labels["先转过去再说"]
    action, fields = player.page.sent("answer:first", {"pick": wrong})
    first, again = (player.post(action, fields).text for _ in range(2))
    assert "再想一想" in first and "现在值 8 分" in first
    assert first == again


def test_a_play_goes_on_with_its_revision_and_ends_when_the_room_is_withdrawn(
    visitor: Callable[[], Plain], room: str, database: Database, cast: dict[str, Staff], now: datetime
) -> None:
    editor, reviewer = cast[factories.EDITOR], cast[factories.REVIEWER]
    player = visitor()
    player.press("start")
    with database.transaction() as session:
        old = history.published_revision(session, room)
        assert old is not None
        text = old.text.replace("zh: 客厅", "zh: 新客厅")
        draft, faults = check("room.yaml", text, from_json(old.media))
        assert draft is not None, faults
        made = lifecycle.save(session, draft, by=editor.id or 0, now=now)
        assert made is not None
        pieces.onward(session, made, editor, reviewer, now)
    assert "新客厅" not in player.press("look:photo").text
    fresh = visitor()
    assert "新客厅" in fresh.press("start").text
    with database.transaction() as session:
        lifecycle.withdraw(session, room, by=editor.id or 0, now=now, reason="有误")
    assert "已经撤下" in player.press("look:granny").text and player.status == 410
    assert fresh.open(f"/play/{room}") and fresh.status == 410


def test_elders_begin_without_a_clock_and_get_the_list_before_the_picture(app: Flask, room: str) -> None:
    elder = Plain(app.test_client())
    elder.client.set_cookie("sp_elder", "1")
    cover = elder.open(f"/p/{room}").html
    assert re.search(r'name="clock" value="1"(?! checked)', cover)
    page = elder.press("start").html
    assert page.index("room-here") < page.index("room-pic")
    assert "打开计时" in page and "data-clock" not in page
    assert "关掉计时" in elder.press("clock:on").text
    young = Plain(app.test_client())
    assert 'name="clock" value="1" checked' in young.open(f"/p/{room}").html
    page = young.press("start", clock="1").html
    assert page.index("room-pic") < page.index("room-here") and "data-clock" in page
