"""The beacon's fast path: what it answers, and what it counts."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from core.settings import Settings
from tests.tracking.writing import LINK, PAGE, PHONE, WritePath

DAY = 86_400


@pytest.fixture
def path(settings: Settings) -> WritePath:
    return WritePath(settings)


@pytest.mark.parametrize("kind", ["engaged", "completed", "shared"])
def test_a_beacon_is_kept_and_answered_with_nothing(path: WritePath, kind: str) -> None:
    token = path.attributions.sign(LINK)
    assert path.post(path.beacon(kind, token), HTTP_COOKIE="sp_v=00000000000000ff") == "204 No Content"
    (event,) = path.events()
    assert (event["kind"], event["visitor"], event["source"]) == (kind, "255", "beacon")
    assert (event["campaign"], event["outlet"], event["channel"]) == (
        LINK.campaign,
        LINK.outlet,
        LINK.channel,
    )
    assert event["piece"] == PAGE.piece


def test_the_remembered_link_is_used_when_the_page_names_none(path: WritePath) -> None:
    path.post(path.beacon(), HTTP_COOKIE=f"sp_a={path.attributions.sign(LINK)}")
    path.post(path.beacon())
    assert [event["outlet"] for event in path.events()] == [LINK.outlet, ""]


def test_other_requests_pass_to_the_application(path: WritePath) -> None:
    assert path.post("", path="/p/x") == "200 /p/x"
    assert path.post("", path="/r/") == "200 /r/"
    assert path.events() == []


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "malformed"),
        ("k=engaged", "malformed"),
        ("k=engaged&p=x", "malformed"),
        ("k=engaged&p=&a=", "malformed"),
        ("k=visited&p=x&a=", "malformed"),
        ("p=x&k=engaged&a=", "malformed"),
        ("k=engaged&p=x&a=&a=", "malformed"),
        ("k=engaged&p=x&a=%41", "malformed"),
        ("k=engaged&p=x&a=\n", "malformed"),
        ("k=engaged&p=名&a=", "malformed"),
        ("k=engaged&a=&p=" + "x" * 301, "malformed"),
        ("k=engaged&p=invented&a=", "forged_keys"),
    ],
)
def test_what_no_page_of_ours_sends_is_refused_and_counted(path: WritePath, query: str, reason: str) -> None:
    assert path.post(query) == "400 Bad Request"
    assert path.post(query) == "400 Bad Request"
    assert path.events() == []
    assert path.drops() == {reason: 2}


def test_a_forged_token_is_counted_each_time_and_owed_to_nobody(path: WritePath) -> None:
    for _ in range(2):
        assert path.post(path.beacon(token="forged")) == "204 No Content"
    assert [event["channel"] for event in path.events()] == ["direct", "direct"]
    assert path.drops() == {"forged_attribution": 2}


def test_a_beacon_has_no_body_and_is_posted(path: WritePath) -> None:
    assert path.post(path.beacon(), CONTENT_LENGTH="1") == "413 Content Too Large"
    assert path.post(path.beacon(), CONTENT_LENGTH="-1") == "413 Content Too Large"
    assert path.post(path.beacon(), REQUEST_METHOD="GET") == "405 Method Not Allowed"
    assert path.events() == []
    assert path.post(path.beacon(), CONTENT_LENGTH="") == "204 No Content"


def test_what_is_not_kept_is_not_acknowledged(path: WritePath) -> None:
    away = path.spool.folder.with_name("away")
    path.spool.folder.rename(away)
    assert path.post(path.beacon()) == "503 Service Unavailable"
    away.rename(path.spool.folder)
    assert path.post(path.beacon()) == "204 No Content"
    assert len(path.events()) == 1
    assert path.drops() == {"not_kept": 1}


def test_a_robots_beacon_is_answered_and_dropped(path: WritePath) -> None:
    assert path.post(path.beacon(), HTTP_USER_AGENT="HeadlessChrome/120") == "204 No Content"
    assert path.events() == []
    assert path.drops() == {"bot": 1}


def test_without_a_cookie_the_hash_holds_for_a_day_and_no_longer(path: WritePath) -> None:
    def visitor(**environ: str) -> str:
        before = len(path.events())
        assert path.post(path.beacon(), **environ) == "204 No Content"
        return path.events()[before:][0]["visitor"]

    first = visitor()
    assert first != "0"
    assert visitor() == first
    assert visitor(REMOTE_ADDR="203.0.113.8") != first
    assert visitor(HTTP_USER_AGENT=PHONE + " other") != first
    twin = WritePath(path.settings)
    assert twin.post(twin.beacon()) == "204 No Content"
    assert twin.events()[-1]["visitor"] == first  # another process agrees
    path.now += DAY
    assert visitor() != first
    salts = [file.name for file in (path.settings.home / "salts").iterdir()]
    assert salts == ["salt-2026-09-16"]


said = st.tuples(st.sampled_from(("engaged", "completed", "seen", "")), st.text(), st.text())


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text() | said.map(lambda parts: "k={}&p={}&a={}".format(*parts)))
def test_no_address_does_more_than_be_refused(path: WritePath, query: str) -> None:
    assert path.post(query) == "400 Bad Request"
