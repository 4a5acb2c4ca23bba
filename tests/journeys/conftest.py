"""A whole site for the journeys: every object, the tree, one campaign, one published piece."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session
from werkzeug.test import Client, TestResponse

from campaign import programme
from content import history, library, lifecycle
from core.database import Database
from core.settings import Settings
from tests import factories
from tracking import report_json, reports
from tracking.attribution import Attribution, Attributions
from tracking.drain import Drain
from tracking.recorder import Recorder
from tracking.store import ReachStore
from webapp.runtime import Runtime, build
from webapp.wsgi import compose

PHONE = "Mozilla/5.0 (Linux; Android 12; HarmonyOS) AppleWebKit/537.36 Chrome/114.0 Mobile MicroMessenger/8.0"
PIECE, CAMPAIGN = "first-call", "autumn"
TEXT = """---
key: first-call
kind: article
title: 先打一个电话
title_en: Call first
summary: 转账之前，先打一个电话。
summary_en: Before you pay, make one call.
help: [{label: 反诈专线, phone: "96110"}]
review_by: 2027-06-30
---

有人催您转账，先停一停，问一问。

/// call | 拿不准
    phone: "96110"
    label: 反诈专线

先打电话，再转账。
///
"""


@dataclass
class Site:
    """The composed WSGI line, asked as a visitor asks, and the jobs run by hand."""

    runtime: Runtime
    application: Any

    def visitor(self) -> Client:
        """Somebody with a browser of their own."""
        return Client(self.application)

    def get(self, client: Client, path: str, agent: str = PHONE, **headers: str) -> TestResponse:
        """One request as a phone sends it."""
        return client.get(path, headers={"User-Agent": agent, **headers})

    def link(self, outlet: str, channel: str, campaign: str = CAMPAIGN) -> str:
        """The piece's address with attribution."""
        token = self.runtime.service(Attributions).sign(Attribution(campaign, outlet, channel))
        return f"/p/{PIECE}?a={token}"

    def ship(self) -> None:
        """What the periodic jobs of reach do until nothing is left."""
        self.runtime.service(Recorder).tick()
        while self.runtime.service(Drain).run_once():
            pass

    def report(self, first: str, last: str, by: str) -> dict[str, Any]:
        """The report as JSON gives it, compared with the year before."""
        asked = reports.ask(first, last, by=by, compare="year")
        with self.runtime.service(Database).reading() as session:
            return report_json.as_json(reports.report(self.runtime.service(ReachStore), session, asked))


def publish(
    session: Session, settings: Settings, folder: Path, people: dict[str, Any], now: datetime
) -> None:
    """Import the piece, have a second person approve it, publish it, put it into a campaign."""
    folder.mkdir()
    (folder / f"{PIECE}.md").write_text(TEXT, encoding="utf-8")
    author, reviewer = people[factories.EDITOR].id, people[factories.REVIEWER].id
    library.load_folder(session, settings.files_dir, folder, by=author, now=now)
    revision = history.newest(session, PIECE)
    assert revision is not None and revision.id is not None
    lifecycle.submit(session, revision.id, by=author, now=now)
    lifecycle.approve(session, revision.id, by=reviewer, now=now)
    lifecycle.publish(session, revision.id, by=author, now=now)
    data = {
        "code": CAMPAIGN,
        "name": "秋天的提醒",
        "starts_on": "2020-01-01",
        "ends_on": "2099-12-31",
        "pieces": [PIECE],
    }
    programme.import_file(session, data, now)


@pytest.fixture
def site(settings: Settings, now: datetime, tmp_path: Path) -> Iterator[Site]:
    """The site, its page cache empty, its store open."""
    # Segments are sealed at once, so that a test need not wait for their age.
    runtime = build(settings.model_copy(update={"spool_seal_seconds": 0.001}))
    with runtime.service(Database).transaction() as session:
        people = factories.cast(session, now)
        publish(session, settings, tmp_path / "folder", people, now)
    yield Site(runtime, compose(runtime))
    runtime.close()
