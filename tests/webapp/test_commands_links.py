"""`signpost links` and `signpost reach take`: made, listed and ended; an edge's log taken; faults in a sentence."""

import re
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from core.database import Database
from core.settings import Settings
from core.signing import Keys, load_secret
from tests import factories
from tests.factories import OUTLET_A, OUTLET_B, PROVINCE
from tests.webapp.conftest import Run
from tracking.attribution import Attributions, PageKeys
from tracking.pixel import Pixels


def test_links_are_made_listed_and_ended(run: Run, database: Database, now: datetime, tmp_path: Path) -> None:
    with database.transaction() as session:
        factories.tree(session, now)
    picture = tmp_path / "code.svg"
    made = run("links", "make", "/help", "--node", OUTLET_A, "--channel", "poster", "--svg", picture)
    address = made.stdout.strip()
    assert made.exit_code == 0 and re.search(r"/s/[2-9a-z]{8}$", address)
    assert picture.read_text().startswith("<svg")
    assert f"{address}\t/help\t{OUTLET_A}\t\tposter\t—" in run("links", "list").stdout
    assert run("links", "end", address).exit_code == 0
    assert address not in run("links", "list").stdout
    assert "已失效" in run("links", "list", "--all", "help").stdout


def test_each_outlet_gets_its_code(run: Run, database: Database, now: datetime, tmp_path: Path) -> None:
    with database.transaction() as session:
        factories.tree(session, now)
    first = run("links", "outlets", "--node", PROVINCE, "--folder", tmp_path / "codes")
    assert first.exit_code == 0 and "新建 2 个" in first.stderr
    assert {file.stem for file in (tmp_path / "codes").iterdir()} == {OUTLET_A, OUTLET_B}
    again = run("links", "outlets", "--node", PROVINCE)
    assert "新建 0 个" in again.stderr and again.stdout == first.stdout


def test_what_is_wrong_is_one_sentence(run: Run) -> None:
    for words in (("make", "https://evil.example"), ("make", "/", "--until", "soon"), ("end", "22222222")):
        done = run("links", *words)
        assert done.exit_code == 1 and "Traceback" not in done.output, words


def test_a_picture_is_sealed(run: Run, settings: Settings) -> None:
    done = run("links", "pixel", "--kind", "engaged", "--piece", "full-surrender", "--campaign", "c")
    asked = parse_qs(urlsplit(done.stdout.strip()).query)
    keys = Keys(load_secret(settings))
    assert Pixels(keys).unseal(asked["k"][0]) == ("engaged", PageKeys("full-surrender", "c"))
    led = Attributions(keys).read(asked["a"][0])
    assert led is not None and led.channel == "email"


def test_an_edges_log_is_taken_once(run: Run, settings: Settings, tmp_path: Path) -> None:
    sealed = Attributions(Keys(load_secret(settings))).seal(PageKeys("full-surrender"))
    columns = [
        "0" * 32, "2026-09-15 16:30:00.000", "2026-09-15", "engaged", "1", "x", "", sealed, "", "", "edge", "edge-1",
        "Mozilla/5.0 (Linux; Android 13)", "",
    ]  # fmt: skip
    log = tmp_path / "edge.log"
    log.write_text("\t".join(columns) + "\nnonsense\nhalf")
    done = run("reach", "take", log)
    assert done.exit_code == 0 and "收下 1 条，剔除 0 条，无法识别 1 行" in done.stdout
    assert "Asia/Shanghai" in done.stderr and "还没写完" in done.stderr  # half past midnight in Shanghai
    assert "收下 0 条" in run("reach", "take", log).stdout
    assert run("reach", "take", tmp_path / "nothing").exit_code == 1
