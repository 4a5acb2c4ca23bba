"""The picture: always answered, counts only the kind and keys that were sealed, drops with a reason."""

import io
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from PIL import Image

from core.settings import Settings
from core.signing import Keys
from tests.tracking.writing import LINK, PAGE, PHONE, WritePath
from tracking.attribution import PageKeys
from tracking.pixel import GIF, KINDS, PixelDoor, Pixels


@dataclass
class Picture:
    """The door of the picture over the write path of a test."""

    path: WritePath
    pixels: Pixels = field(default_factory=lambda: Pixels(Keys(b"of the tests")))
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, query: str, method: str = "GET", **environ: Any) -> bytes:
        """Ask for the picture; the body of the answer, which must be 200."""
        door = PixelDoor(
            _below,
            spool=self.path.spool,
            pixels=self.pixels,
            attributions=self.path.attributions,
            settings=self.path.settings,
            count_drop=self.path.recorder.count_drop,
            clock=lambda: self.path.now,
        )
        request = {"REQUEST_METHOD": method, "PATH_INFO": "/r/p.gif", "QUERY_STRING": query}
        request |= {"HTTP_USER_AGENT": PHONE, "REMOTE_ADDR": "203.0.113.7", **environ}
        said: list[Any] = []

        def start_response(status: str, headers: Any, _error: Any = None) -> Any:
            said.extend((status, dict(headers)))

        body = b"".join(door(request, start_response))
        assert said[0] == "200 OK"
        self.headers = said[1]
        return body

    def shown(self, kind: str = "visited", token: str = "", **environ: Any) -> bytes:
        """Show a picture that was sealed as it should be."""
        return self.get(self.pixels.path(kind, PAGE, token).partition("?")[2], **environ)


def _below(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [b"below"]


@pytest.fixture
def picture(settings: Settings) -> Picture:
    return Picture(WritePath(settings))


def test_it_is_a_picture_of_one_transparent_pixel(picture: Picture) -> None:
    image = Image.open(io.BytesIO(picture.shown()))
    assert (image.format, image.size) == ("GIF", (1, 1))
    assert image.convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]
    assert picture.headers["Cache-Control"] == "no-store, private"
    assert picture.headers["Content-Length"] == str(len(GIF)) and "Set-Cookie" not in picture.headers


@pytest.mark.parametrize("kind", KINDS.values())
def test_it_counts_the_kind_that_was_sealed(picture: Picture, kind: str) -> None:
    picture.shown(kind, picture.path.attributions.sign(LINK), HTTP_COOKIE="sp_v=00000000000000ff")
    (event,) = picture.path.events()
    assert (event["kind"], event["visitor"], event["source"], event["day"]) == (
        kind,
        "255",
        "pixel",
        "2026-09-15",
    )
    assert (event["piece"], event["campaign"], event["outlet"], event["channel"]) == (
        PAGE.piece,
        LINK.campaign,
        LINK.outlet,
        LINK.channel,
    )


def test_without_a_link_the_remembered_one_counts(picture: Picture) -> None:
    picture.shown(HTTP_COOKIE=f"sp_a={picture.path.attributions.sign(LINK)}")
    picture.shown()
    assert [event["outlet"] for event in picture.path.events()] == [LINK.outlet, ""]


def test_the_kind_cannot_be_chosen(picture: Picture) -> None:
    sealed = picture.pixels.seal("visited", PAGE)
    for letter in "ecsdVX ":
        assert picture.get(f"k={letter}{sealed[1:]}") == GIF
    page = picture.path.attributions.seal(PAGE)  # the keys of the page's beacon open no picture
    assert picture.get(f"k=v{page}") == picture.get(f"k={page}") == GIF
    assert picture.path.events() == []
    assert picture.path.drops() == {"forged_keys": 9}
    with pytest.raises(ValueError, match="delivered"):
        picture.pixels.seal("delivered", PageKeys())


def test_a_picture_opens_no_beacon(picture: Picture) -> None:
    assert picture.path.attributions.unseal(picture.pixels.seal("visited", PAGE)) is None
    assert picture.path.attributions.unseal(picture.pixels.seal("visited", PAGE)[1:]) is None


def test_a_forged_link_is_counted_and_owed_to_nobody(picture: Picture) -> None:
    assert picture.shown(token="forged") == GIF
    (event,) = picture.path.events()
    assert (event["outlet"], event["channel"]) == ("", "direct")
    assert picture.path.drops() == {"forged_attribution": 1}


@pytest.mark.parametrize(
    ("query", "more", "reason"),
    [
        ("", {}, "malformed"),
        ("k=", {}, "malformed"),
        ("k=a&k=b", {}, "malformed"),
        ("k=" + "v" * 2000, {}, "malformed"),
        ("k=vinvented", {}, "forged_keys"),
        ("k=%ff%00%09", {}, "forged_keys"),
        ("k=x", {"HTTP_USER_AGENT": "curl/8.0"}, "bot"),
        ("k=x", {"HTTP_USER_AGENT": "Slackbot-LinkExpanding 1.0"}, "preview"),
        ("k=x", {"HTTP_SEC_PURPOSE": "prefetch"}, "prefetch"),
    ],
)
def test_what_is_dropped_is_answered_all_the_same(
    picture: Picture, query: str, more: dict[str, str], reason: str
) -> None:
    assert picture.get(query, **more) == GIF
    assert picture.path.events() == []
    assert picture.path.drops() == {reason: 1}


def test_a_head_counts_nothing(picture: Picture) -> None:
    assert picture.shown(method="HEAD") == b""
    assert picture.path.events() == [] and picture.path.drops() == {"head": 1}


def test_a_full_disk_breaks_no_mail(picture: Picture) -> None:
    folder = picture.path.spool.folder
    folder.rename(folder.with_name("away"))
    assert picture.shown() == GIF
    folder.with_name("away").rename(folder)
    assert picture.path.drops() == {"not_kept": 1}


def test_other_methods_and_addresses_pass(picture: Picture) -> None:
    assert picture.get("", "POST") == picture.get("", PATH_INFO="/r/p.gifs") == b"below"
    assert picture.path.drops() == {}


def test_a_visitor_without_cookie_is_the_beacons(picture: Picture) -> None:
    picture.shown()
    picture.path.post(picture.path.beacon())
    assert len({event["visitor"] for event in picture.path.events()}) == 1


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
def test_no_query_does_more_than_be_dropped(picture: Picture, query: str, token: str) -> None:
    assert picture.get(query) == GIF
    assert picture.get(f"k={query}&a={token}") == GIF
    assert list(picture.path.spool.folder.glob("seg-*")) == []
