"""Batches: kept whole and once, refused whole with line, field and rule; tokens, scopes, keys, sizes, rates."""

import json
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlmodel import select

from core.database import Database
from core.settings import Settings
from institution import api_tokens, retention
from institution.api_token_models import ApiToken
from institution.api_tokens import READ
from institution.models import Outlet
from tests.factories import COUNTY, OUTLET_A, OUTLET_B, OUTSIDE_OUTLET, PROVINCE
from tests.tracking.batching import Batching
from tests.tracking.writing import LINK, WritePath
from tracking.attribution import Attribution
from tracking.batch_lines import MOST_BYTES
from tracking.batch_models import ReachBatch
from tracking.drain import Drain
from tracking.events import COLUMNS, is_line, unescape
from tracking.spool import SpoolError
from tracking.store import ReachStore


@pytest.fixture
def batching(settings: Settings, database: Database) -> Batching:
    return Batching(WritePath(settings), database)


def receipts(batching: Batching) -> list[ReachBatch]:
    with batching.database.reading() as session:
        return list(session.exec(select(ReachBatch)))


def test_everything_a_line_says_is_kept(batching: Batching) -> None:
    token = batching.token(PROVINCE)
    line = batching.line(
        kind="engaged", id="e-1", visitor="openid-1", campaign="gold-month", piece="full-surrender",
        outlet=OUTLET_A, channel="miniapp", audience="elders", place="community",
    )  # fmt: skip
    assert batching.post(token, line, batching.line(quantity=12, kind="attended")) == (
        200,
        {"kept": 2, "unattributed": 0},
    )
    first, second = batching.path.events()
    assert first.pop("visitor") not in ("0", "openid-1")
    batch = first.pop("batch")
    assert batch.startswith("batch-") and second["batch"] == batch
    assert first == {
        "id": "t1:e-1", "at": "2026-09-15 06:29:00.000", "day": "2026-09-15", "kind": "engaged", "quantity": "1",
        "campaign": "gold-month", "piece": "full-surrender", "outlet": OUTLET_A, "channel": "miniapp",
        "source": "batch", "audience": "elders", "place": "community",
    }  # fmt: skip
    assert (second["quantity"], second["visitor"], second["channel"]) == ("12", "0", "direct")
    assert second["outlet"] == PROVINCE  # what names no outlet belongs to the token's own node


def test_the_day_is_the_institutions(batching: Batching) -> None:
    token = batching.token()
    assert batching.post(token, batching.line(at="2026-09-14T16:00:00Z"))[0] == 200
    assert batching.post(token, batching.line(at="2026-09-14T15:59:59Z"), key="k-2")[0] == 200
    assert sorted(event["day"] for event in batching.path.events()) == ["2026-09-14", "2026-09-15"]


def test_a_visitor_is_the_same_for_the_same_program_and_nobody_elses(batching: Batching) -> None:
    old, new, other = batching.token(), batching.token(), batching.token(name="Screen")
    for number, token in enumerate((old, new, other)):
        line = batching.line(visitor="u-1", id=f"{number}")
        assert batching.post(token, line)[0] == 200
    by_id = {event["id"]: event["visitor"] for event in batching.path.events()}
    assert by_id["t1:0"] == by_id["t2:1"] != by_id["t3:2"]
    for file in batching.path.spool.folder.rglob("*.tsv"):
        assert b"u-1" not in file.read_bytes()


def test_the_same_again_answers_the_same_and_is_kept_once(batching: Batching) -> None:
    token, lines = batching.token(), [batching.line(), batching.line()]
    first = batching.post(token, *lines)
    kept = batching.path.events()
    batching.now += timedelta(hours=60)  # by then the lines are too old for a new batch
    assert batching.post(token, *lines) == first == (200, {"kept": 2, "unattributed": 0})
    assert batching.path.events() == kept and len(kept) == 2
    assert batching.post(token, *lines, key="k-2")[0] == 422


def test_the_same_key_of_another_token_is_another_batch(batching: Batching) -> None:
    for _ in range(2):
        assert batching.post(batching.token(), batching.line())[0] == 200
    assert len({event["batch"] for event in batching.path.events()}) == 2


def test_the_same_key_with_another_body_is_refused(batching: Batching) -> None:
    token = batching.token()
    batching.post(token, batching.line())
    status, said = batching.post(token, batching.line(), batching.line())
    assert status == 422 and "Idempotency-Key" in said["error"]["message"]
    assert len(batching.path.events()) == 1


@pytest.mark.parametrize(
    ("more", "field", "rule"),
    [
        ({"kind": "seen"}, "kind", "kind"),
        ({"kind": ["visited"]}, "kind", "kind"),
        ({"at": "2026-09-15T14:29:00"}, "at", "time"),
        ({"at": "2026-09-15"}, "at", "time"),
        ({"at": 1789453800}, "at", "time"),
        ({"at": "9999-12-31T23:59:59-12:00"}, "at", "time"),
        ({"at": "2026-09-13T14:29:59+08:00"}, "at", "too_old"),
        ({"at": "2026-09-15T14:35:01+08:00"}, "at", "in_future"),
        ({"quantity": 0}, "quantity", "quantity"),
        ({"quantity": -1}, "quantity", "quantity"),
        ({"quantity": True}, "quantity", "quantity"),
        ({"quantity": 1.5}, "quantity", "quantity"),
        ({"quantity": 100_001}, "quantity", "quantity"),
        ({"quantity": 2, "visitor": "u"}, "quantity", "not_one"),
        ({"visitor": ""}, "visitor", "visitor"),
        ({"visitor": "u" * 201}, "visitor", "visitor"),
        ({"visitor": 7}, "visitor", "visitor"),
        ({"campaign": "a\tb"}, "campaign", "text"),
        ({"piece": "a\n"}, "piece", "text"),
        ({"channel": "微信"}, "channel", "text"),
        ({"audience": "x" * 33}, "audience", "text"),
        ({"id": "a b"}, "id", "text"),
        ({"outlet": None}, "outlet", "text"),
        ({"outlet": "no-such"}, "outlet", "no_outlet"),
        ({"attribution": "x", "channel": "app"}, "attribution", "both"),
        ({"attribution": "x\n"}, "attribution", "text"),
        ({"day": "2026-09-15"}, "day", "unknown"),
    ],
)
def test_a_fault_is_named_and_nothing_is_kept(
    batching: Batching, more: dict[str, Any], field: str, rule: str
) -> None:
    status, said = batching.post(batching.token(), batching.line(), batching.line(**more))
    assert status == 422
    (fault,) = said["error"]["lines"]
    assert (fault["line"], fault["field"], fault["rule"]) == (2, field, rule)
    assert batching.path.events() == [] and receipts(batching) == []


def test_a_faulty_batch_leaves_its_key_free(batching: Batching) -> None:
    token = batching.token()
    assert batching.post(token, batching.line(kind="seen"))[0] == 422
    assert batching.post(token, batching.line())[0] == 200


def test_every_fault_is_counted_and_the_first_are_named(batching: Batching) -> None:
    status, said = batching.post(batching.token(), *[{"at": "?"}] * 30)
    assert status == 422 and said["error"]["faults"] == 60 and len(said["error"]["lines"]) == 20
    assert said["error"]["lines"][0] == {
        "line": 1, "field": "kind", "rule": "missing", "message": "缺少这个字段",
    }  # fmt: skip


def test_the_edges_of_time_are_inside(batching: Batching) -> None:
    edges = ("2026-09-13T14:30:00+08:00", "2026-09-15T14:35:00+08:00")
    assert batching.post(batching.token(), *(batching.line(at=at) for at in edges))[0] == 200


def test_an_id_comes_once_in_a_batch(batching: Batching) -> None:
    lines = [batching.line(id="a"), batching.line(id="b"), batching.line(id="a")]
    status, said = batching.post(batching.token(), *lines)
    assert status == 422 and said["error"]["lines"][0]["line"] == 3


def test_an_outlet_is_one_of_the_tokens(batching: Batching) -> None:
    token = batching.token(COUNTY)
    assert batching.post(token, batching.line(outlet=OUTLET_A), batching.line(outlet=OUTLET_B))[0] == 200
    status, said = batching.post(token, batching.line(outlet=OUTSIDE_OUTLET), key="k-2")
    assert status == 403 and said["error"]["lines"][0]["rule"] == "outside"
    assert batching.post(token, batching.line(outlet=PROVINCE), key="k-3")[0] == 403
    assert batching.post(batching.token(), batching.line(outlet=OUTSIDE_OUTLET))[0] == 200
    assert len(batching.path.events()) == 3


def test_a_signed_attribution_counts_for_its_outlet_and_a_forged_one_for_nobody(batching: Batching) -> None:
    sign = batching.path.attributions.sign
    elsewhere, nowhere = Attribution("c", OUTSIDE_OUTLET, "sms"), Attribution("c", "", "sms")
    lines = [
        batching.line(id=name, attribution=token)
        for name, token in (
            ("good", sign(LINK)),
            ("forged", "forged"),
            ("outside", sign(elsewhere)),
            ("open", sign(nowhere)),
        )
    ]
    assert batching.post(batching.token(PROVINCE), *lines) == (200, {"kept": 4, "unattributed": 2})
    led = {
        event["id"].partition(":")[2]: (event["campaign"], event["outlet"], event["channel"])
        for event in batching.path.events()
    }
    assert led == {
        "good": (LINK.campaign, LINK.outlet, LINK.channel),
        "forged": ("", "", "direct"),
        "outside": ("", "", "direct"),
        "open": ("c", PROVINCE, "sms"),
    }
    assert batching.path.drops() == {"forged_attribution": 1, "outside_scope": 1}
    batching.post(batching.token(PROVINCE), *lines[:1], key="again")


def test_a_repeated_batch_counts_its_forged_ones_once(batching: Batching) -> None:
    token, line = batching.token(), batching.line(attribution="forged")
    for _ in range(3):
        assert batching.post(token, line)[1] == {"kept": 1, "unattributed": 1}
    assert batching.path.drops() == {"forged_attribution": 1}


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer spt_" + "x" * 43, "Basic YTpi", "spt_x"])
def test_without_a_token_nobody_gets_in(batching: Batching, given: str) -> None:
    status, headers, said = batching.ask("", b"{}", HTTP_AUTHORIZATION=given)
    assert status == 401 and headers["WWW-Authenticate"].startswith("Bearer")
    assert "令牌" in said["error"]["message"]


def test_a_token_for_reading_does_not_write(batching: Batching) -> None:
    assert batching.post(batching.token(purposes=(READ,)), batching.line())[0] == 403


def test_a_revoked_or_expired_token_is_forgotten_within_seconds(batching: Batching) -> None:
    token, other = batching.token(), batching.token()
    assert batching.post(token, batching.line())[0] == 200
    assert batching.post(other, batching.line())[0] == 200
    with batching.database.transaction() as session:
        api_tokens.end(session, session.get_one(ApiToken, 1), batching.now)
    assert batching.post(token, batching.line())[0] == 200  # still remembered: the control of the next line
    time.sleep(0.55)
    assert batching.post(token, batching.line())[0] == 401
    batching.now += timedelta(days=30)
    assert batching.post(other, batching.line())[0] == 401


def test_its_use_is_noted(batching: Batching) -> None:
    token = batching.token()
    batching.post(token, batching.line())
    with batching.database.reading() as session:
        assert session.get_one(ApiToken, 1).used_at == batching.now


def test_who_is_too_fast_is_told_how_long_to_wait(batching: Batching) -> None:
    token, batching.rate = batching.token(), 7
    status, headers, _said = batching.ask(token, json.dumps(batching.line()).encode())
    assert (status, headers["Retry-After"], batching.waited) == (429, "7", ["token 1"])
    assert batching.path.events() == []


@pytest.mark.parametrize("key", ["", " ", "é", "k" * 101, "a\tb", "a\n"])
def test_a_key_is_required(batching: Batching, key: str) -> None:
    assert batching.post(batching.token(), batching.line(), key=key)[0] == 400


def test_sizes_are_limited(batching: Batching) -> None:
    token = batching.token()
    assert batching.post(token, *[batching.line()] * 500)[0] == 200
    assert batching.post(token, *[batching.line()] * 501, key="k-2")[0] == 413
    assert batching.post_body(token, b" " * (MOST_BYTES + 1), "k-3")[0] == 413
    assert batching.post_body(token, b"", "k-4", CONTENT_LENGTH="")[0] == 411
    assert batching.post_body(token, b"", "k-4", CONTENT_LENGTH="9" * 20)[0] == 413
    assert batching.post_body(token, b"{}", "k-4", CONTENT_LENGTH="9")[0] == 400
    assert batching.post_body(token, b"{}", "k-4", HTTP_CONTENT_ENCODING="gzip")[0] == 415
    assert batching.post_body(token, b"{}", "k-4", REQUEST_METHOD="GET")[0] == 405
    assert len(batching.path.events()) == 500


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b'{"at":NaN}', b'"\\ud800"', b"7" * 5000],
)  # fmt: skip
def test_what_is_no_object_is_named(batching: Batching, body: bytes) -> None:
    status, said = batching.post_body(batching.token(), body)
    assert status == 422 and said["error"]["lines"][0]["rule"] == "json"


def test_a_line_break_of_windows_and_empty_lines_do_no_harm(batching: Batching) -> None:
    body = b"\r\n".join(
        (json.dumps(batching.line()).encode(), b"", json.dumps(batching.line()).encode(), b"")
    )
    assert batching.post_body(batching.token(), body)[1]["kept"] == 2


def test_english_is_spoken_to_who_asks_for_it(batching: Batching) -> None:
    _status, said = batching.post("", {}, HTTP_ACCEPT_LANGUAGE="en-GB,zh;q=0.5")
    assert said["error"]["message"].isascii()


def test_a_spool_that_cannot_be_written_is_said_and_the_retry_is_kept(batching: Batching) -> None:
    token, folder = batching.token(), batching.path.spool.folder
    folder.rename(folder.with_name("away"))
    assert batching.ask(token, json.dumps(batching.line()).encode())[:1] == (503,)
    folder.with_name("away").rename(folder)
    batching.now += timedelta(hours=50)  # the claim is as old as the lines were
    assert batching.post(token, batching.line()) == (200, {"kept": 1, "unattributed": 0})
    assert len(batching.path.events()) == 1


def test_a_claim_that_was_not_kept_takes_no_other_body(
    batching: Batching, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = batching.token()
    with monkeypatch.context() as broken:
        broken.setattr(batching.path.recorder, "deposit", _fail)
        assert batching.post(token, batching.line())[0] == 503
    assert batching.post(token, batching.line(kind="shared"))[0] == 422
    assert batching.post(token, batching.line())[0] == 200
    assert [event["kind"] for event in batching.path.events()] == ["visited"]


def _fail(_name: str, _events: object) -> None:
    raise SpoolError(28, "no space")


def test_racing_with_one_key_keeps_one(batching: Batching) -> None:
    token, answers = batching.token(), []
    gate = threading.Barrier(8)

    def race() -> None:
        gate.wait()
        answers.append(batching.post(token, batching.line(), batching.line()))

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [(200, {"kept": 2, "unattributed": 0})] * 8
    assert len(batching.path.events()) == 2


def test_other_addresses_pass(batching: Batching) -> None:
    assert batching.post_body("", b"", PATH_INFO="/r/batch/")[0] == 200


def test_receipts_go_after_a_month(batching: Batching) -> None:
    batching.post(batching.token(), batching.line())
    assert "reach.batch" not in retention.run(batching.database, {}, batching.now + timedelta(days=29))
    assert retention.run(batching.database, {}, batching.now + timedelta(days=31))["reach.batch"] == 1
    assert receipts(batching) == []


texts = st.text(max_size=60) | st.sampled_from(
    ["a\tb", "a\nb", "\\", "\\N", "x\t\t\t", "\0", "\x85", "\ud800"]
)
values = st.recursive(
    texts | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(
    ["kind", "at", "id", "quantity", "visitor", "campaign", "piece", "outlet", "channel", "audience", "place", "attribution"]
)  # fmt: skip
good = st.fixed_dictionaries(
    {"kind": st.just("visited"), "at": st.just("2026-09-15T14:29:00+08:00")},
    optional={
        "id": st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64),
        "visitor": st.text(min_size=1, max_size=200),
        "piece": st.from_regex(r"[\w.-]{1,60}", fullmatch=True),
        "outlet": st.just(OUTLET_A),
    },
)


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
@given(st.lists(st.dictionaries(names | texts, values, max_size=5) | good | values, max_size=4))
def test_whatever_is_said_every_kept_line_is_a_line(batching: Batching, said: list[Any]) -> None:
    """Injection: no value makes a column or a line more, and what is refused leaves nothing."""
    if not batching.waited:
        batching.known = batching.token()
    body = b"\n".join(json.dumps(one).encode() for one in said)
    status, answer = batching.post_body(batching.known, body, f"k{time.monotonic_ns()}")
    files = list(batching.path.spool.folder.glob("*.tsv"))
    lines = [line for file in files for line in file.read_bytes().splitlines(keepends=True)]
    assert (status, len(lines)) == (200, answer.get("kept")) or (status == 422 and not lines)
    for line in lines:
        assert is_line(line)
        columns = [unescape(cell) for cell in line.decode().rstrip("\n").split("\t")]
        assert len(columns) == len(COLUMNS) and columns[10] == "batch"
    for file in files:
        file.unlink()


def test_an_outlet_that_moved_away_does_not_change_what_was_claimed(batching: Batching) -> None:
    token = batching.token(COUNTY)
    folder = batching.path.spool.folder
    folder.rename(folder.with_name("away"))
    assert batching.post(token, batching.line(outlet=OUTLET_A))[0] == 503
    folder.with_name("away").rename(folder)
    with batching.database.transaction() as session:
        session.get_one(Outlet, OUTLET_A).parent_code = PROVINCE
    assert batching.post(token, batching.line(outlet=OUTLET_A))[0] == 200


def test_what_was_shipped_before_the_answer_is_not_shipped_again(
    batching: Batching, store: ReachStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A death between deposit and answer, with the drain in between: the ledger of the store knows the name."""
    token, drain = batching.token(), Drain(batching.path.spool, store)
    with monkeypatch.context() as dying:
        dying.setattr(batching.batches, "_settle", _die)
        with pytest.raises(KeyboardInterrupt):
            batching.post(token, batching.line(), batching.line())
    assert drain.run_once() == 2
    assert batching.post(token, batching.line(), batching.line()) == (200, {"kept": 2, "unattributed": 0})
    drain.run_once()
    assert store.query("SELECT count() FROM reach_event") == [(2,)]
    assert batching.post(token, batching.line(), batching.line(), key="k-2")[0] == 200  # the control
    drain.run_once()
    assert store.query("SELECT count() FROM reach_event") == [(4,)]


def _die(_name: str, _kept: object) -> None:
    raise KeyboardInterrupt
