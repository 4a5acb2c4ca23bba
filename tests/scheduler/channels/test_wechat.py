"""WeChat official accounts against their stand-in: the contract, and what is particular to mass sending."""

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from PIL import Image

from core.database import Database
from core.privacy import Vault
from core.signing import Keys
from scheduler.channels.base import Account, AnyChannel, Closed, DeliveryError, Message
from scheduler.channels.base_http import Http
from scheduler.channels.base_wechat import Api
from scheduler.channels.base_wechat_events import opened as opened_event
from scheduler.channels.base_wechat_figures import figures
from scheduler.channels.wechat import QUOTAS, Wechat, mass_result, receipts
from scheduler.sandbox import wechat_box as box
from scheduler.sandbox.core import Arrived
from scheduler.sandbox.wechat import Wechat as StandIn
from scheduler.tokens import SharedTokens
from tests.scheduler.channels.suite import Bench, Case, Clock, Contract, MemoryTokens, Said, opened

ONE, TWO = "oSandbox00000000000000000001", "oSandbox00000000000000000002"
DEAF, GONE, NOBODY = "oSandboxDeaf0000000000000000", "oSandboxGone0000000000000000", "oNobody"
OPERATOR = Said(permanent=True, everyone=True)
A_MINUTE = Said(everyone=True, retry_after=60.0)
TOMORROW = Said(everyone=True, retry_after=(13 * 60 + 58) * 60.0)  # from 10:07 to 00:05 in Beijing


def picture(kind: str = "PNG", size: int = 8) -> bytes:
    written = io.BytesIO()
    Image.effect_noise((size, size), 80).convert("RGB").save(written, kind)
    return written.getvalue()


def stand_in(**more: Any) -> StandIn:
    made = StandIn(**more)
    made.files |= {"cover": picture(), "large": picture("BMP", 1100), "small": picture("JPEG")}
    return made


def account(url: str) -> Account:
    secrets = (box.SECRET, box.TOKEN)
    return Account(url, login=box.APP, secrets=secrets, options={"thumb_media_id": "cover"}, number=1)


def message(url: str, openid: str = ONE, **more: str) -> Message:
    plain = Message(
        "k", openid, "", "守住钱袋子", "第一段\n\n第二段", "", f"{url}/read/1", "", summary="三分钟"
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def shown(one: Message) -> Arrived:
    html, cover = "<p>第一段</p><p>第二段</p>", one.link.replace("read/1", "picture/cover")
    return Arrived("wechat", one.address, one.subject, one.summary, one.link, cover, html)


class Paired:
    """Sends one message together with a follower who takes none: the interface wants two at least."""

    def __init__(self, channel: Wechat) -> None:
        self._channel = channel

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    @contextmanager
    def connect(self, account: Account) -> Iterator["Paired"]:
        with self._channel.connect(account) as line:
            yield Paired(line)  # type: ignore[arg-type]

    def send_many(self, key: str, messages: Sequence[Message]) -> list[str | DeliveryError]:
        more = [replace(messages[0], address=DEAF)] if len(messages) == 1 else []
        found: list[str | DeliveryError] = self._channel.send_many(key, [*messages, *more])  # type: ignore[attr-defined]
        return found[: len(messages)]


def channel(clock: Clock, patience: float) -> AnyChannel:
    return Wechat(clock, MemoryTokens(), (patience, patience))


def a_case(**more: Any) -> Case:
    return Case(
        channel=channel,
        stand_in=lambda: stand_in(**more),
        account=account,
        messages=lambda url: [message(url), message(url, TWO)],
        shown=shown,
        codes={},
        endpoint="send",
    )


class TestWechat(Contract):
    """The contract, with two followers in each call."""

    @pytest.fixture
    def case(self) -> Case:
        return replace(
            a_case(monthly=1000),
            channel=lambda clock, patience: Paired(channel(clock, patience)),  # type: ignore[arg-type]
            codes={
                -1: Said(everyone=True, retry_after=10.0),
                40001: None,
                40014: None,
                42001: None,
                40003: None,
                40007: Said(everyone=True, retry_after=5.0),
                40164: OPERATOR,
                89503: OPERATOR,
                43004: OPERATOR,
                45009: TOMORROW,
                45028: TOMORROW,
                45011: A_MINUTE,
                45066: A_MINUTE,
                45067: OPERATOR,
                48001: OPERATOR,
                53503: OPERATOR,
                99999: OPERATOR,
            },
            refused=lambda url: [
                (message(url, one), Said(permanent=True, closes=Closed.gone)) for one in (NOBODY, GONE)
            ],
            expire=lambda stand_in: stand_in.expire(),  # type: ignore[attr-defined]
        )

    def test_who_keeps_to_the_rates_breaks_no_limit(self, bench: Bench) -> None:
        """Sixty calls a minute, and one more a minute later."""
        assert [(one.times, one.seconds, one.per) for one in bench.channel().rates] == [(60, 60, "call")]
        line_of_sixty = [bench.send(bench.messages[:1])[0] for _ in range(60)]
        assert all(isinstance(one, str) for one in line_of_sixty) and not bench.sandbox.breaches
        bench.breaking = True
        [result] = bench.send(bench.messages[:1])
        assert isinstance(result, DeliveryError) and result.retry_after == 60 and bench.sandbox.breaches
        bench.clock.forward(60)
        assert isinstance(bench.send(bench.messages[:1])[0], str)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with opened(a_case()) as bench:
        yield bench


def _error(bench: Bench, *messages: Message) -> DeliveryError:
    result = bench.send(messages)[0]
    assert isinstance(result, DeliveryError), result
    return result


def _stand_in(bench: Bench) -> StandIn:
    assert isinstance(bench.stand_in, StandIn)
    return bench.stand_in


def _both(bench: Bench, **more: str) -> list[Message]:
    return [replace(one, **more) for one in bench.messages]  # type: ignore[arg-type]


def test_one_follower_alone_is_told_what_to_use_instead(bench: Bench) -> None:
    error = _error(bench, bench.messages[0])
    assert error.permanent and not error.everyone and "服务通知" in error.message
    assert bench.sandbox.calls["wechat"] == 0 and not bench.arrived()
    assert _error(bench, bench.messages[0], message(bench.url, NOBODY)).closes is None, (
        "one is left: the same"
    )


def test_a_fifth_message_in_a_month_fails_for_those_who_had_four(bench: Bench) -> None:
    three = [*bench.messages, message(bench.url, "oSandbox00000000000000000003")]
    for _week in range(4):
        bench.send(_both(bench))
        bench.clock.forward(3 * 86400)
    assert len(bench.arrived()) == 8
    results = bench.send([replace(one, key="fifth") for one in three])
    assert len(bench.arrived()) == 9, "only the third follower has room in September"
    [*_four, fifth] = _stand_in(bench).callbacks(bench.sandbox)
    result = mass_result(opened_event(account(bench.url), *fifth))
    assert result is not None and result.sent and (result.total, result.reached) == (3, 1)
    assert result.reference == results[0]
    assert receipts(account(bench.url), fifth[0], {}, fifth[1]) == [], "nobody can say who it was"
    bench.clock.forward(86400 * 4)
    bench.send(_both(bench))
    assert len(bench.arrived()) == 11, "October"
    assert QUOTAS["service"].times == 4 and QUOTAS["service"].per == "address"


def test_a_subscription_account_sends_once_a_day() -> None:
    with opened(a_case(kind="subscription")) as bench:
        assert isinstance(bench.send(_both(bench))[0], str)
        bench.breaking = True
        error = _error(bench, *_both(bench))
        assert error.everyone and not error.permanent and error.retry_after == TOMORROW.retry_after
        bench.clock.forward(TOMORROW.retry_after or 0)
        assert isinstance(bench.send(_both(bench))[0], str)


def test_the_same_key_is_answered_with_the_first_message(bench: Bench) -> None:
    two = bench.messages
    assert bench.send(two) == bench.send(two)
    assert len(bench.arrived()) == 2
    bench.clock.forward(86401)
    bench.send(two)
    assert len(bench.arrived()) == 4, "the platform forgets a key after a day"


def test_a_lost_answer_after_leaving_somebody_out_changes_nothing(bench: Bench) -> None:
    three = [*bench.messages, message(bench.url, NOBODY)]
    first, second = bench.send(three), bench.send(three)
    assert first[:2] == second[:2] and len(bench.arrived()) == 2
    assert isinstance(second[2], DeliveryError) and second[2].closes == Closed.gone


def test_all_or_a_tag_is_one_call(bench: Bench) -> None:
    assert isinstance(bench.send([message(bench.url, "@tag:2", key="t")])[0], str)
    assert len(bench.arrived()) == 15
    assert isinstance(bench.send([message(bench.url, "@all", key="a")])[0], str)
    assert len(bench.arrived()) == 45
    assert _error(bench, message(bench.url, "@tag:x")).permanent


def test_pictures_go_to_the_platform_once_and_foreign_ones_are_refused(bench: Bench) -> None:
    html = (
        f'<style>p{{}}</style><p onclick="x()">看<a href="https://u.example/unsubscribe?9">图</a></p>'
        f'<img alt="甲" src="{bench.url}/picture/small"><img src="{bench.url}/picture/large"><script>x</script>'
    )
    channel = bench.channel()
    for _turn in range(2):
        bench.send(_both(bench, html=html, picture=f"{bench.url}/picture/cover"), channel)
    one = bench.arrived()[-1]
    assert one.html.startswith("<p>看图</p><img") and one.html.count(f"{bench.url}/picture/1") == 2
    assert "script" not in one.html and "unsubscribe" not in one.html
    files = _stand_in(bench).files
    assert len(files) == 6, "three, and each once more at the platform"
    assert all(len(data) <= 1_000_000 for name, data in files.items() if name != "large")
    foreign = html.replace(bench.url, "http://elsewhere.example")
    error = _error(bench, *_both(bench, html=foreign))
    assert error.permanent and error.everyone and "外站" in error.message


def test_control_the_platform_drops_a_foreign_picture_without_a_word(bench: Bench) -> None:
    bench.breaking = True
    content, foreign = box.as_published(f'<p>一</p><img src="http://x.example/1"><img src="{box.PICTURES}7">')
    assert content == f'<p>一</p><img src="{box.PICTURES}7">' and foreign == ["http://x.example/1"]
    api = _api(bench)
    draft = {"title": "题", "content": '<img src="http://x.example/1">', "thumb_media_id": "cover"}
    assert api.done("/cgi-bin/draft/add", {"articles": [draft]})["media_id"]
    assert bench.sandbox.breaches == ["wechat: a foreign picture in a draft"]


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("subject", "题" * 33, "32"),
        ("subject", "", "标题"),
        ("summary", "摘" * 129, "128"),
        ("text", "字" * 20_000, "2 万"),
        ("link", "https://a.example/" + "x" * 1024, "1 KB"),
    ],
)
def test_what_a_draft_does_not_take_is_said_before_it_is_sent(
    bench: Bench, field: str, value: str, word: str
) -> None:
    error = _error(bench, *_both(bench, **{field: value}))
    assert error.permanent and error.everyone and word in error.message
    assert bench.sandbox.calls["wechat"] == 0


def test_an_article_without_cover_and_a_personal_one_are_refused(bench: Bench) -> None:
    bare = replace(bench.case, account=lambda url: replace(account(url), options={}))
    error = _error(replace(bench, case=bare), *bench.messages)
    assert error.permanent and "封面" in error.message
    one, two = bench.messages
    error = _error(bench, one, replace(two, text="王女士，您好"))
    assert error.permanent and error.everyone and "人人相同" in error.message


def test_publishing_is_not_sending(bench: Bench) -> None:
    with bench.channel().connect(account(bench.url)) as line:
        number = line.publish(message(bench.url))
        found = line.publication(number)
    assert found.state == 0 and number in found.address and not bench.arrived()
    [(content, query)] = _stand_in(bench).callbacks(bench.sandbox)
    [receipt] = receipts(account(bench.url), content, {}, query)
    assert receipt.reference == number and receipt.error is None


def test_operators_are_told_about_the_list_the_power_and_the_secret(bench: Bench) -> None:
    box_ = _stand_in(bench)
    box_.listed = False
    assert "白名单" in _error(bench, *bench.messages).message
    box_.listed, box_.allowed = True, False
    assert "权限" in _error(bench, *bench.messages).message
    wrong = replace(bench.case, account=lambda url: replace(account(url), secrets=("another",)))
    error = _error(replace(bench, case=wrong), *bench.messages)
    assert error.permanent and error.everyone and "AppSecret" in error.message


def test_a_token_that_ends_in_mid_push_is_fetched_once_for_all_workers(
    bench: Bench, database: Database
) -> None:
    """Eight workers, each with a connection of its own, on the tokens of the database."""
    tokens = SharedTokens(database, Vault(Keys(b"of-no-value")), bench.clock)
    lines = [Wechat(bench.clock, tokens) for _ in range(8)]

    def push(number: int) -> str | DeliveryError:
        two = [replace(one, key=f"w{number}") for one in (message(bench.url), message(bench.url, DEAF))]
        with lines[number % 8].connect(account(bench.url)) as line:
            return line.send_many(f"w{number}", two)[0]

    box_ = _stand_in(bench)
    box_.monthly = 100
    with ThreadPoolExecutor(8) as pool:
        assert all(isinstance(one, str) for one in pool.map(push, range(16)))
        assert box_.fetched == 1
        box_.expire()
        assert all(isinstance(one, str) for one in pool.map(push, range(16, 32)))
    assert box_.fetched == 2 and len(bench.arrived()) == 32


def test_a_token_is_not_shown_to_another_address(bench: Bench) -> None:
    tokens = MemoryTokens()
    first = Wechat(bench.clock, tokens)
    assert isinstance(bench.send(bench.messages, first)[0], str)
    moved = replace(bench.case, account=lambda url: replace(account(url), address=f"{url}/"))
    before = tokens.fetched
    assert isinstance(replace(bench, case=moved, sent=50).send(_both(bench), first)[0], str)
    assert tokens.fetched == before + 1


def _api(bench: Bench) -> Api:
    return Api(Http(), account(bench.url), MemoryTokens(), bench.clock)


def test_figures_are_plain_rows_up_to_yesterday(bench: Bench) -> None:
    detail = {"read_user": 30, "read_user_source": [{"scene_desc": "全部", "user_count": 30}]}
    box_ = _stand_in(bench)
    box_.figures["getarticleread", "2026-09-14"] = [
        {"ref_date": "2026-09-14", "msgid": "7_1", "title": "守住钱袋子", "detail": detail}
    ]
    box_.delayed = True
    found = figures(_api(bench), "getarticleread", date(2026, 9, 14))
    above = {"ref_date": "2026-09-14", "msgid": "7_1", "title": "守住钱袋子", "detail.read_user": 30}
    source = "detail.read_user_source"
    assert found.delayed and found.rows == [
        {**above, "list": ""},
        {**above, f"{source}.scene_desc": "全部", f"{source}.user_count": 30, "list": source},
    ]
    with pytest.raises(DeliveryError, match="昨天"):
        figures(_api(bench), "getarticleread", date(2026, 9, 15))
    with pytest.raises(ValueError, match="getuserread"):
        figures(_api(bench), "getuserread", date(2026, 9, 14))
