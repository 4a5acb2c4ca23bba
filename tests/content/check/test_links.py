"""Links of a piece: to headings, other pieces' headings, outlets and campaigns; what nobody knows is not judged."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from campaign import programme
from campaign.programme import CampaignForm
from content.check import checking, overruling
from content.check.elsewhere import NOWHERE, Elsewhere, Standing
from content.check.findings import Finding, Severity
from content.rendering import anchors
from core.database import Database
from institution.models import Staff
from tests import factories
from tests.content import pieces
from webapp.commands.content import content

ON = date(2026, 11, 26)
HEADINGS = "\n\n## 先停一停，再问？\n\n话。\n\n/// card | 记住三句\n话\n///\n"
OUTLETS = {"33010601": Standing.there, "33010603": Standing.shut}
CAMPAIGNS = {"march": Standing.there, "secret": Standing.shut}
KNOWN = Elsewhere(
    lambda key: frozenset({"怎么办"}) if key == "other" else None,
    lambda code: OUTLETS.get(code, Standing.missing),
    lambda code: CAMPAIGNS.get(code, Standing.missing),
)


def found(target: str, elsewhere: Elsewhere = KNOWN, *, whole: bool = True) -> list[Finding]:
    """What is said of a link to this address."""
    text = pieces.text("mine", body=f"看[这里]({target})。{HEADINGS}")
    meta = {"key": "mine", "kind": "article"}
    known = frozenset({"other", "unread", "mine"})
    findings = checking.check("a.md", text, meta, on=ON, known=known, elsewhere=elsewhere, whole=whole)
    assert all(text[one.offset : one.offset + one.length] == f"[这里]({target})" for one in findings)
    return findings


@pytest.mark.parametrize(
    "target",
    [
        "#先停一停再问", "#%E5%85%88%E5%81%9C%E4%B8%80%E5%81%9C%E5%86%8D%E9%97%AE", "#记住三句", "#top", "#main",
        "/p/mine#记住三句", "/p/other", "/p/other#", "/p/other?from=1#怎么办", "/p/unread#whatever",
        "/o", "/o?text=杭州", "/o/33010601", "/o/33010601/events.ics", "/c/march", "/help", "/events",
    ],
)  # fmt: skip
def test_a_link_that_leads_somewhere_is_left_alone(target: str) -> None:
    assert found(target) == []


@pytest.mark.parametrize(
    ("target", "says", "way_out"),
    [
        ("#先停一停，再问？", "没有这个小标题", "最接近的是“#先停一停再问”"),
        ("#nowhere", "没有这个小标题", "小标题的原文"),
        ("/p/mine#记住四句", "没有这个小标题", "最接近的是“#记住三句”"),
        ("/p/other#怎么做", "没有这个小标题", "最接近的是“#怎么办”"),
        ("/p/othre", "没有这篇内容", "最接近的是“/p/other”"),
        ("/o/99", "没有这个编号的网点", "网点与基地"),
        ("/o/99/events.ics", "没有这个编号的网点", "网点与基地"),
        ("/c/april", "没有这个代号的活动期", "/c/代号"),
        ("#", "链接走不通", ""),
    ],
)
def test_a_link_that_leads_nowhere_is_an_error_with_a_way_out(target: str, says: str, way_out: str) -> None:
    (one,) = found(target)
    assert (one.rule, one.severity) == ("broken-link", Severity.error)
    assert says in one.says
    assert way_out in one.way_out


@pytest.mark.parametrize(("target", "says"), [("/o/33010603", "停止营业"), ("/c/secret", "没有对外显示")])
def test_what_is_there_but_shut_is_a_warning(target: str, says: str) -> None:
    (one,) = found(target)
    assert one.severity is Severity.warning
    assert says in one.says


@pytest.mark.parametrize("target", ["/p/other#怎么做", "/o/99", "/c/april", "/o/33010603"])
def test_what_nobody_knows_is_not_judged(target: str) -> None:
    assert found(target)
    assert found(target, NOWHERE) == []


def test_a_fragment_does_not_know_the_headings_around_it() -> None:
    assert found("#nowhere")
    assert found("#nowhere", whole=False) == []


def test_a_folder_knows_the_headings_of_its_files_and_neither_outlets_nor_campaigns(
    command: CliRunner, tmp_path: Path
) -> None:
    def status(target: str) -> int:
        folder = tmp_path / re.sub(r"\W", "_", target)
        linking = pieces.text("linking", body=f"见[这里]({target})。\n")
        pieces.folder(folder, pieces.text("other", body="## 怎么办\n\n停。\n"), linking)
        return command.invoke(content, ["check", str(folder), "--strict"]).exit_code

    assert status("/p/other#怎么办") == 0
    assert status("/p/other#怎么做") == 2
    assert status("/o/99") == status("/c/april") == 0


@pytest.fixture
def places(app: Flask, database: Database, now: datetime) -> None:
    """A campaign that is shown, one that is not, and an outlet that closed."""
    with database.transaction() as session:
        for code, visible in (("march", True), ("secret", False)):
            form = CampaignForm(code, "三月", ON, ON + timedelta(days=9), visible=visible, outlet_code="")
            programme.save(session, form, now=now)
        factories.outlet(
            session,
            "closed-1",
            "旧柜面",
            "outlet",
            factories.COUNTY,
            now=now,
            closed_on=ON - timedelta(days=1),
        )


@pytest.mark.usefixtures("places")
@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (f"/o/{factories.OUTLET_A}", ("", "")),
        ("/o/nowhere", ("没有这个编号的网点", "error")),
        ("/o/closed-1", ("停止营业", "warning")),
        ("/c/march", ("", "")),
        ("/c/april", ("没有这个代号的活动期", "error")),
        ("/c/secret", ("没有对外显示", "warning")),
        ("/p/other#怎么办", ("", "")),
        ("/p/other#写着的", ("没有这个小标题", "error")),
    ],
)
def test_the_desk_knows_what_stands_in_the_database(
    database: Database, cast: dict[str, Staff], now: datetime, target: str, expected: tuple[str, str]
) -> None:
    editor, reviewer = cast[factories.EDITOR], cast[factories.REVIEWER]
    rule, severity = expected
    with database.transaction() as session:
        other = pieces.text("other", body="## 怎么办\n\n停。\n")
        pieces.to_the_site(session, other, editor, reviewer, now)
        # Visitors read what is published, not what is being written.
        pieces.saved(session, other.replace("怎么办", "写着的"), editor.id or 0, now)
        mine = pieces.saved(session, pieces.text(body=f"看[这里]({target})。\n"), editor.id or 0, now)
        told = [(one.says, one.severity.value) for one in overruling.findings(session, mine, ON)]
    assert len(told) == bool(rule)
    for says, how in told:
        assert (rule in says, how) == (True, severity)


def test_the_editor_is_shown_where_and_what_to_do(
    entered: Callable[[str], FlaskClient], cast: dict[str, Staff]
) -> None:
    text = pieces.text(body="## 怎么办\n\n看[这里](#怎么做)。\n")
    given = {"text": text, "base": "0", "do": "check"}
    shown = entered(factories.EDITOR).post("/desk/pieces/new", data=given).get_data(as_text=True)
    assert f'data-offset="{text.index("[这里]")}"' in shown
    assert "最接近的是“#怎么办”" in shown


def test_a_heading_on_the_site_can_be_linked_to(
    app: Flask, database: Database, cast: dict[str, Staff], now: datetime
) -> None:
    body = "看[这里](#怎么办)。\n\n## 怎么办\n\n停。\n\n## 怎么办\n\n## Main\n\n## Search-q\n"
    with database.transaction() as session:
        pieces.to_the_site(
            session, pieces.text(body=body), cast[factories.EDITOR], cast[factories.REVIEWER], now
        )
    shown = app.test_client().get("/p/stop-first").get_data(as_text=True)
    assert 'href="#怎么办"' in shown or 'href="#%E6%80%8E%E4%B9%88%E5%8A%9E"' in shown
    named = re.findall(r'\sid="([^"]*)"', shown)
    assert {"怎么办", "怎么办-1"} <= set(named)
    assert len(named) == len(set(named))
    assert set(named) - {"怎么办", "怎么办-1"} <= anchors.RESERVED
