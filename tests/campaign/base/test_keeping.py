"""What a base offers is kept as it was said, and an outlet without a shelf shows its branch's."""

from datetime import datetime

import pytest
from flask.testing import FlaskClient

from campaign.base import keeping, page
from campaign.base.keeping import Offer
from core import clock
from core.database import Database
from core.errors import Invalid
from tests import browser, factories
from webapp.runtime import Runtime

OUTLET = factories.OUTLET_B


def test_only_what_an_offer_speaks_of_changes(tree: Database, now: datetime) -> None:
    with tree.transaction() as session:
        texts = {"services_text": "周二上午。\r\n"}
        keeping.save(session, OUTLET, Offer(["lending", "lecture"], ["glasses"], texts=texts), now=now)
        keeping.save(session, OUTLET, Offer(facilities=["ramp", "ramp"]), now=now)
        one = keeping.find(session, OUTLET)
        assert one is not None
        assert one.services == ["lecture", "lending"], "in the order of the list"
        assert one.facilities == ["ramp"]
        assert one.services_text == "周二上午。"


def test_what_is_too_long_or_not_an_outlets_is_refused(tree: Database, now: datetime) -> None:
    with tree.transaction() as session:
        with pytest.raises(Invalid) as found:
            keeping.save(session, OUTLET, Offer(texts={"facilities_text": "字" * 301}), now=now)
        assert found.value.field == "facilities_text"
        with pytest.raises(Invalid):
            keeping.save(session, factories.COUNTY, Offer(services=["lecture"]), now=now)
        with pytest.raises(Invalid) as found:
            keeping.arrange(session, OUTLET, ["no-such-piece"], now=now)
        assert found.value.field == "piece"
        assert keeping.find(session, OUTLET) is None


def test_the_nearest_shelf_counts(runtime: Runtime) -> None:
    """The outlet's own, else its branch's (browser.fill gave the county one), else the campaign's pieces."""
    now, today = clock.now(), clock.now().date()
    with runtime.service(Database).transaction() as session:
        chosen, own = page.on_shelf(session, OUTLET, today)
        assert own and [one.key for one in chosen] == ["full-surrender", "ai-voice", "credit-repair"]
        keeping.arrange(session, OUTLET, ["credit-repair"], now=now)
        assert [one.key for one in keeping.shelf(session, OUTLET).pieces] == ["credit-repair"]
        keeping.arrange(session, OUTLET, [], now=now)
        assert keeping.shelf(session, OUTLET).owner == factories.COUNTY
        free, own = page.on_shelf(session, factories.OUTSIDE_OUTLET, today)
        assert not own and free


def test_the_page_of_an_outlet_says_what_it_offers_in_both_languages(client: FlaskClient) -> None:
    text = client.get(f"/o/{factories.OUTLET_A}").text
    for word in ("一对一讲解", "优先叫号", "坡道在东门", "这里的书架", "基-330106-0001"):
        assert word in text, word
    english = client.get(f"/o/{factories.OUTLET_A}?lang=en").text
    assert "The ramp is at the east door." in english and "坡道在东门" not in english
    assert "来这里可以" not in client.get(f"/o/{browser.CLOSED_OUTLET}").text, (
        "nothing is said of what is not kept"
    )
