"""What is counted of a play: begun, finished, passed on; each once, with what the visitor's link says."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from flask import Flask

from core.settings import Settings
from tests.content.rooms.plain import Plain
from tests.content.rooms.test_plain_play import play
from tracking.attribution import Attribution, Attributions

CHROME = (
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36 MicroMessenger/8.0"
)


def lines(app: Flask, settings: Settings) -> list[list[str]]:
    """What lies in the spool."""
    found = [path.read_text("utf-8") for path in Path(settings.spool_dir).glob("seg-*")]
    return [line.split("\t") for text in found for line in text.splitlines()]


def test_begun_finished_and_passed_on_count_once_each_for_whose_link_led_here(
    app: Flask, settings: Settings, visitor: Callable[[], Plain], room: str
) -> None:
    token = app.extensions["signpost"][Attributions].sign(Attribution("autumn", "33010601", "qr"))
    player = visitor()
    player.client.set_cookie("sp_a", token)
    player.client.set_cookie("sp_v", "00000000000000ff")
    player.headers["User-Agent"] = CHROME
    play(player)
    first = player.seen.index(next(html for html in player.seen if "room-scene" in html))
    again = Plain(player.client, player.headers)
    for html in player.seen[first:]:  # every form of the play once more, the last of them, too
        again.page = type(player.page)(html)
        for do in list(again.page.buttons)[:1]:
            again.press(do)
    page = player.press("certificate")
    address = re.search(r'data-share-result="([^"]+)"', page.html)
    assert address is not None
    for _twice in range(2):
        assert player.client.post(address[1], headers=player.headers).status_code == 204
    events = lines(app, settings)
    kinds = Counter(event[3] for event in events if event[7] == room)
    assert kinds == {"engaged": 1, "completed": 1, "shared": 1}
    assert len({event[0] for event in events}) == len(events)
    for event in events:
        assert (event[4], event[5]) == ("1", "255")
        assert event[6:10] == ["autumn", room, "33010601", "qr"]


def test_looking_at_a_scene_or_a_refused_step_counts_nothing(
    app: Flask, settings: Settings, visitor: Callable[[], Plain]
) -> None:
    player = visitor()
    player.headers["User-Agent"] = CHROME
    player.press("start")
    player.press("clock:on")
    action, fields = player.page.sent("look:photo", {})
    fields["do"] = "look:nothing-here"
    player.post(action, fields)
    assert lines(app, settings) == []
    player.press("look:photo")
    assert [event[3] for event in lines(app, settings)] == ["engaged"]
