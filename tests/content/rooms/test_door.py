"""content.rooms.door: a script's step is answered with the scene alone; anything else goes to the view as it came."""

import gzip
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from limits import parse
from werkzeug.test import TestResponse

from content.rooms import door
from tests.content.rooms.plain import Plain
from webapp.limiting import Limiter

SCENE = {"X-Scene": "1"}


def begun(visitor: Callable[[], Plain]) -> tuple[FlaskClient, str]:
    """A browser with a play that has begun, and its state."""
    player = visitor()
    player.press("start")
    return player.client, dict(player.page.named["play"].fields)["state"]


def send(client: FlaskClient, state: str, do: str, **headers: str) -> TestResponse:
    """A step as the page's script sends it."""
    return client.post("/play/a-call", data={"state": state, "do": do}, headers={**SCENE, **headers})


def test_a_step_of_the_script_is_answered_with_the_scene_alone(visitor: Callable[[], Plain]) -> None:
    client, state = begun(visitor)
    answer = send(client, state, "look:photo")
    html = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "小本子（1）" in html and "<html" not in html
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    cookies = answer.headers.getlist("Set-Cookie")
    assert any("sp_room=" in one and "HttpOnly" in one and "Path=/play/a-call" in one for one in cookies)
    assert any("sp_going=1" in one and "HttpOnly" not in one and "Path=/p/a-call" in one for one in cookies)
    plain = client.post("/play/a-call", data={"state": state, "do": "look:photo"}).get_data(as_text=True)
    begins = html.index("<section")
    assert html[begins:] in plain, "script or not: the same scene"


def test_it_is_compressed_for_whoever_takes_that(
    visitor: Callable[[], Plain], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, state = begun(visitor)
    monkeypatch.setattr(door, "_SMALL", 100)
    packed = send(client, state, "look:photo", **{"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "小本子" in gzip.decompress(packed.data).decode()


def test_language_and_elder_mode_are_those_of_the_browser(visitor: Callable[[], Plain]) -> None:
    client, state = begun(visitor)
    client.set_cookie("sp_lang", "en")
    client.set_cookie("sp_elder", "1")
    html = send(client, state, "look:photo").get_data(as_text=True)
    assert "On the back: married in 1958." in html
    assert html.index("room-here") < html.index("room-pic")


def test_what_cannot_be_taken_is_told_by_the_view(visitor: Callable[[], Plain]) -> None:
    client, state = begun(visitor)
    answer = send(client, "A" + state[1:], "look:photo")
    assert answer.status_code == 400 and "不能接着玩" in answer.get_data(as_text=True)
    assert send(client, "", "start").get_data(as_text=True).startswith("<!doctype")
    long = client.post("/play/a-call", data={"state": state, "do": "x" * 20_000}, headers=SCENE)
    assert long.status_code == 200 and "<!doctype" in long.get_data(as_text=True)
    many = {"state": state, "do": "leave", **{f"n{number}": "" for number in range(90)}}
    assert client.post("/play/a-call", data=many, headers=SCENE).status_code in (200, 413)


def test_steps_count_towards_the_limit_of_their_address_by_door_and_view_alike(
    app: Flask, visitor: Callable[[], Plain]
) -> None:
    client, state = begun(visitor)
    limiter = app.extensions.setdefault("signpost_limiter", Limiter.of("memory://"))
    limiter.rates["play"] = parse("4/minute")
    statuses = [send(client, state, "look:photo").status_code for _ in range(2)]
    statuses += [
        client.post("/play/a-call", data={"state": state, "do": "look:photo"}).status_code for _ in range(2)
    ]
    refused = send(client, state, "look:photo")
    assert statuses[:3] == [200, 200, 200] and refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
