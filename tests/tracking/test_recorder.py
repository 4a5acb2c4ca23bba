"""What is counted, for whom, and what is dropped with which reason."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.settings import Settings
from tests.tracking.writing import AFTERNOON, LINK, PAGE, PHONE, WritePath
from tracking.events import new_event
from tracking.recorder import REASONS


@pytest.fixture
def path(settings: Settings) -> WritePath:
    return WritePath(settings)


def test_a_view_is_one_event_of_the_page(path: WritePath) -> None:
    path.get()
    (event,) = path.events()
    assert event["kind"] == "visited"
    assert event["quantity"] == "1"
    assert event["at"] == "2026-09-15 06:30:00.000"
    assert event["day"] == "2026-09-15"
    assert (event["piece"], event["campaign"]) == (PAGE.piece, PAGE.campaign)
    assert (event["outlet"], event["channel"], event["source"]) == ("", "direct", "page")
    assert event["batch"].startswith("run-")


def test_a_visitor_is_given_an_id_once_and_keeps_it(path: WritePath) -> None:
    cookies = path.get()
    assert set(cookies) == {"sp_v"}
    assert path.get(cookies=f"sp_lang=zh; sp_v={cookies['sp_v']}; other=1") == {}
    first, second = path.events()
    assert first["visitor"] == second["visitor"] == str(int(cookies["sp_v"], 16))


def test_a_link_says_to_whom_the_view_is_owed_also_on_the_next_page(path: WritePath) -> None:
    token = path.attributions.sign(LINK)
    cookies = path.get(query=f"utm_source=x&a={token}&b=1")
    assert cookies["sp_a"] == token
    path.get(cookies=f"sp_a={token}")
    for event in path.events():
        assert (event["campaign"], event["outlet"], event["channel"]) == (
            LINK.campaign,
            LINK.outlet,
            LINK.channel,
        )
        assert event["piece"] == PAGE.piece
    assert path.drops() == {}


def test_a_new_link_wins_over_the_remembered_one(path: WritePath) -> None:
    other = path.attributions.sign(LINK.__class__("", "33010602", "sms"))
    path.get(query=f"a={other}", cookies=f"sp_a={path.attributions.sign(LINK)}")
    (event,) = path.events()
    # what the link does not say, the page fills
    assert (event["campaign"], event["outlet"], event["channel"]) == (PAGE.campaign, "33010602", "sms")


def test_a_forged_link_counts_for_nobody_and_is_counted(path: WritePath) -> None:
    token = path.attributions.sign(LINK)
    assert set(path.get(query=f"a={token[:-2]}AA", cookies=f"sp_a={token}")) == {"sp_v"}
    (event,) = path.events()
    assert (event["outlet"], event["channel"]) == ("", "direct")
    assert path.drops() == {"forged_attribution": 1}


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({"REQUEST_METHOD": "HEAD"}, "head"),
        ({"HTTP_SEC_PURPOSE": "prefetch;prerender"}, "prefetch"),
        ({"HTTP_PURPOSE": "prefetch"}, "prefetch"),
        ({"HTTP_X_PURPOSE": "preview"}, "prefetch"),
        ({"HTTP_X_MOZ": "prefetch"}, "prefetch"),
        ({"HTTP_USER_AGENT": "facebookexternalhit/1.1"}, "preview"),
        ({"HTTP_USER_AGENT": "Mozilla/5.0 (compatible; Baiduspider/2.0)"}, "bot"),
        ({"HTTP_USER_AGENT": ""}, "bot"),
    ],
)
def test_what_is_no_person_is_dropped_with_its_reason(
    path: WritePath, environ: dict[str, str], reason: str
) -> None:
    assert path.get(**environ) == {}
    assert path.events() == []
    assert path.drops() == {reason: 1}
    assert reason in REASONS


def test_the_day_turns_at_the_institutions_midnight(path: WritePath) -> None:
    midnight = datetime(2026, 9, 15, 16, 0, tzinfo=UTC).timestamp()
    for moment in (midnight - 1, midnight):
        path.now = moment
        path.get()
        path.get(HTTP_USER_AGENT="curl/8.5.0")
    assert [event["day"] for event in path.events()] == ["2026-09-15", "2026-09-16"]
    assert path.recorder.waiting_drops() == {("2026-09-15", "bot"): 1, ("2026-09-16", "bot"): 1}


def test_a_full_disk_breaks_no_page_and_is_counted(path: WritePath) -> None:
    away = path.spool.folder.with_name("away")
    path.spool.folder.rename(away)
    assert path.get() == {}
    path.recorder.tick()  # the count cannot be kept either, yet
    assert path.recorder.waiting_drops() == {("2026-09-15", "not_kept"): 1}
    away.rename(path.spool.folder)
    path.get()
    assert len(path.events()) == 1
    assert path.drops() == {"not_kept": 1}


def test_a_fault_of_ours_breaks_no_page_and_is_counted(path: WritePath) -> None:
    headers = path.recorder.visit({"HTTP_USER_AGENT": PHONE, "HTTP_COOKIE": None}, PAGE)
    assert headers == []
    assert path.drops() == {"failed": 1}


def test_counted_drops_reach_the_spool_by_themselves(path: WritePath) -> None:
    path.get(HTTP_USER_AGENT="curl/8.5.0")
    path.get(HTTP_USER_AGENT="curl/8.5.0")
    path.recorder.tick()
    assert path.recorder.waiting_drops() == {}
    assert path.drops() == {"bot": 2}


def test_deposited_events_keep_their_name(path: WritePath) -> None:
    zone = path.settings.zone
    at = datetime.fromtimestamp(AFTERNOON, UTC)
    event = new_event("delivered", at=at, zone=zone, quantity=1, channel="email", batch="push-7-1")
    path.recorder.deposit("push-7-1", [event])
    path.recorder.deposit("push-7-1", [event, event])
    assert [row["batch"] for row in path.events()] == ["push-7-1"]
    with pytest.raises(ValueError, match="seg-1"):
        path.recorder.deposit("seg-1", [event])


def test_no_address_is_stored_anywhere(path: WritePath) -> None:
    path.get()
    path.post(path.beacon())
    path.spool.close()
    files: list[Path] = [file for file in path.settings.home.rglob("*") if file.is_file()]
    assert {file.parent.name for file in files} >= {"salts", "spool"}
    assert not [file for file in files if b"203.0.113.7" in file.read_bytes()]
