"""The sample room played through HTTP without script, through all seven kinds of lock, to its ending."""

from collections.abc import Callable

from tests.content.rooms.plain import Plain


def to_the_lock(player: Plain, *dos: str) -> None:
    """Press these buttons, one after the other."""
    for do in dos:
        player.press(do)


def play(player: Plain) -> Plain:
    """From the cover to the good ending."""
    player.press("start")
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
