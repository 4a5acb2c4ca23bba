"""The first flow: a page is visited, counted once, shipped, and stands in every report with its name."""

import re
from datetime import date, timedelta

from content import lifecycle
from core import clock
from core.database import Database
from core.settings import Settings
from institution import people
from tests import factories
from tests.journeys.conftest import CAMPAIGN, PIECE, Site
from tracking.events import ReachEvent
from tracking.recorder import Recorder

ROBOT = "Mozilla/5.0 (compatible; Baiduspider/2.0)"


def _today(site: Site) -> date:
    return clock.today(site.runtime.service(Settings).zone)


def _last_year(site: Site, outlet: str, quantity: int) -> None:
    """Head counts of the same day last year, as an import would bring them."""
    day = _today(site)
    before = day - timedelta(days=1) if (day.month, day.day) == (2, 29) else day
    before = before.replace(year=before.year - 1)
    event = ReachEvent(
        f"old-{outlet}", clock.now() - timedelta(days=365), before, "attended", quantity, 0, CAMPAIGN, PIECE,
        outlet, "outlet", "return", "return-1",
    )  # fmt: skip
    site.runtime.service(Recorder).deposit(f"return-{outlet}", [event])


def test_visits_stand_in_the_report_of_their_outlet_against_last_year(site: Site) -> None:
    _last_year(site, factories.OUTLET_A, 2)
    for _ in range(3):
        assert site.get(site.visitor(), site.link(factories.OUTLET_A, "wechat")).status_code == 200
    regular = site.visitor()
    for _ in range(2):
        site.get(regular, site.link(factories.OUTLET_B, "sms"))
    site.get(site.visitor(), f"/p/{PIECE}")
    site.get(site.visitor(), site.link(factories.OUTLET_A, "wechat"), agent=ROBOT)
    site.get(site.visitor(), site.link(factories.OUTLET_A, "wechat"), Purpose="prefetch")
    site.ship()

    day = _today(site).isoformat()
    report = site.report(day, day, "outlet")
    rows = {row["key"]: row for row in report["rows"]}
    a, b = rows[factories.OUTLET_A], rows[factories.OUTLET_B]
    assert (a["name"], a["gross"], a["deduplicated"]) == ("西湖文三路柜面", 3, 3)
    assert (a["gross_before"], a["growth"]) == (2, 0.5)
    assert (b["gross"], b["deduplicated"], b["people"]) == (2, 1, 1)
    assert b["growth"] is None and not b["gross_before"]
    assert rows[""]["gross"] == 1
    assert report["total"]["gross"] == 6 and report["total"]["deduplicated"] == 5
    assert report["definition"]["id"] == "2023-1"
    dropped = report["period"]["dropped"]
    assert sum(dropped.values()) == 2 and dropped["prefetch"] == 1


def test_the_sum_is_the_same_by_every_dimension_and_replaying_changes_nothing(site: Site) -> None:
    for outlet, channel in ((factories.OUTLET_A, "wechat"), (factories.OUTLET_B, "sms"), ("", "web")):
        client = site.visitor()
        for _ in range(3):
            site.get(client, site.link(outlet, channel))
    site.ship()
    day = _today(site).isoformat()
    totals = set()
    for by in ("outlet", "branch", "channel", "piece", "campaign", "month"):
        report = site.report(day, day, by)
        gross = sum(row["gross"] for row in report["rows"])
        unique = sum(row["deduplicated"] for row in report["rows"])
        totals |= {(gross, unique), (report["total"]["gross"], report["total"]["deduplicated"])}
    assert totals == {(9, 3)}
    assert [row["name"] for row in site.report(day, day, "piece")["rows"]] == ["先打一个电话"]
    assert [row["name"] for row in site.report(day, day, "campaign")["rows"]] == ["秋天的提醒"]


def test_a_page_tells_how_far_it_was_read(site: Site) -> None:
    client = site.visitor()
    page = site.get(client, site.link(factories.OUTLET_A, "wechat")).text
    sealed = re.search(r'data-keys="([^"]+)"', page)
    assert sealed is not None
    for kind in ("engaged", "completed"):
        address = f"/r?k={kind}&p={sealed[1]}&a="
        answer = client.post(address, headers={"User-Agent": "Mozilla/5.0 (Android) Mobile"})
        assert answer.status_code == 204
    assert client.post("/r?k=engaged&p=invented&a=").status_code in (204, 400)
    site.ship()
    day = _today(site).isoformat()
    # What the definition does not name is kept, and is not reach.
    assert site.report(day, day, "outlet")["total"]["gross"] == 1


def test_an_unchanged_page_is_a_view_as_well_and_a_withdrawn_one_is_gone_at_once(site: Site) -> None:
    client = site.visitor()
    assert site.get(client, "/p/never-written").status_code == 404
    page = site.get(client, f"/p/{PIECE}")
    again = site.get(client, f"/p/{PIECE}", **{"If-None-Match": page.headers["ETag"]})
    assert again.status_code == 304 and again.data == b""
    with site.runtime.service(Database).transaction() as session:
        by = people.by_login(session, factories.EDITOR)
        assert by is not None and by.id is not None
        lifecycle.withdraw(session, PIECE, by=by.id, now=clock.now(), reason="数字过期")
    assert site.get(client, f"/p/{PIECE}").status_code in (404, 410)
    assert PIECE not in site.get(client, "/").text + site.get(client, "/feed.xml").text
    site.ship()
    day = _today(site).isoformat()
    assert [row["gross"] for row in site.report(day, day, "piece")["rows"] if row["key"] == PIECE] == [2]
