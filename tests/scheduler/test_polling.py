"""Asking platforms: one worker an account, doubts cleared, receipts fetched once, faults said, figures that grow."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select, update

from core import clock
from core.database import Prepared
from core.settings import Settings
from scheduler import polling
from scheduler.channels.base import Account, AnyChannel, Receipt
from scheduler.channels.base_sms import Doubt
from scheduler.models import Batch, BatchState, Delivery, DeliveryState
from scheduler.polling import LEASE, Poller
from scheduler.receipt_models import ChannelHook, PushTally
from scheduler.sandbox import getui, jpush, sms_aliyun, sms_tencent
from scheduler.sandbox.core import Fault
from scheduler.sandbox.getui import Getui
from scheduler.sandbox.jpush import JPush
from tests.scheduler.receipt_scene import SMS, Site, aliyun, site, wechat
from tests.scheduler.test_receipts_called_back import FANS

GOOD = ["13912345001", "13912345002"]


@pytest.fixture
def here(settings: Settings) -> Iterator[Site]:
    with site(settings) as made:
        yield made


def poller(here: Site, *, ahead: timedelta = timedelta(), **channels: AnyChannel) -> Poller:
    """A poller whose clock is ahead by so much."""
    sending = here.line.dispatcher
    return Poller(
        here.database,
        sending.vault,
        sending.opener,
        dict(sending.channels) | channels,
        lambda: clock.now() + ahead,
    )


def doubt(here: Site) -> None:
    """Of everything that was sent nobody knows any more whether it was."""
    with here.database.transaction() as session:
        session.execute(
            update(Delivery).values(state=DeliveryState.uncertain, reference="", count_round=None)
        )
        session.execute(update(Batch).values(state=BatchState.uncertain))


def test_records_clear_doubts(here: Site) -> None:
    number = aliyun(here)
    push_id = here.push(number, [*GOOD, sms_aliyun.NO_SUCH], **SMS)
    doubt(here)
    assert poller(here).run_once() == 1, "what is younger than a minute may settle itself"
    assert here.states(push_id) == {"uncertain": 3}
    here.aliyun.report()
    assert poller(here).run_once() == 0, "it was asked just now"
    assert poller(here, ahead=timedelta(minutes=3)).run_once() == 1
    assert here.states(push_id) == {"sent": 2, "failed": 1, "arrived": 2} and here.closed() == {"gone": 1}
    assert here.hook(number).fault == "" and here.hook(number).polled_at is not None


def test_what_goes_wrong_stands_on_the_account_s_page(here: Site) -> None:
    number = aliyun(here)
    push_id = here.push(number, GOOD, **SMS)
    doubt(here)
    here.sandbox.fail("sms_aliyun", Fault("code", "isp.RAM_PERMISSION_DENY", times=-1))
    poller(here, ahead=timedelta(minutes=2)).run_once()
    page = here.staff().get(f"/desk/channels/{number}").text
    assert "上次查询回执没有成功：AccessKey 没有发短信的权限" in page
    here.sandbox.fail("sms_aliyun")
    poller(here, ahead=timedelta(minutes=5)).run_once()
    assert here.hook(number).fault == "" and here.states(push_id)["arrived"] == 2


def test_receipts_are_pulled_where_that_was_opened(here: Site) -> None:
    options = {"sign_name": sms_tencent.SIGN, "sdk_app_id": sms_tencent.APP, "pull": "yes"}
    number = here.account(
        "sms_tencent", secrets={"secret": sms_tencent.SECRET_KEY}, login=sms_tencent.SECRET_ID, options=options,
        address=f"{here.platforms}/sms_tencent",
    )  # fmt: skip
    text: dict[str, Any] = {
        "template": sms_tencent.PROMOTION,
        "parameters": [["title", "{title}"], ["link", "x1"]],
        "summary": "问。",
    }
    push_id = here.push(number, [*GOOD, sms_tencent.NO_SUCH.removeprefix("+86")], **text)
    here.tencent.report()
    assert poller(here).run_once() == 1
    assert here.states(push_id) == {"sent": 2, "failed": 1, "arrived": 2}


def test_mass_messages_without_an_event_are_asked_for_once_they_had_time(here: Site) -> None:
    number = wechat(here)
    push_id = here.push(number, FANS)
    poller(here).run_once()
    with here.database.reading() as session:
        assert session.exec(select(PushTally)).first() is None
    poller(here, ahead=timedelta(minutes=15)).run_once()
    with here.database.reading() as session:
        assert session.exec(select(PushTally.push_id)).one() == push_id


def test_figures_of_getui_grow(here: Site) -> None:
    stand_in = Getui()
    here.sandbox.add(stand_in)
    number = here.account(
        "getui", secrets={"secret": getui.SECRET}, login=getui.APP, options={"app_key": getui.KEY},
        address=f"{here.platforms}/getui",
    )  # fmt: skip
    push_id = here.push(number, ["abcdef0123456789abcdef01", "abcdef0123456789abcdef02"])
    assert here.states(push_id) == {"sent": 2}
    for minutes, clicks in ((15, 0), (30, 1), (90, 2)):
        stand_in.clicks.update(dict.fromkeys(stand_in.targets, 1) if clicks else {})
        poller(here, ahead=timedelta(minutes=minutes)).run_once()
        with here.database.reading() as session:
            heads = session.exec(select(PushTally)).one()
        known = 0 if minutes < 90 else 2  # not asked again within the hour
        assert (heads.total, heads.reached, heads.shown, heads.clicked) == (2, 2, 2, known)


def test_figures_of_jpush_are_heads_of_a_call(here: Site) -> None:
    here.sandbox.add(JPush())
    number = here.account(
        "jpush",
        secrets={"secret": jpush.SECRET},
        login=jpush.APP,
        options={},
        address=f"{here.platforms}/jpush",
    )
    push_id = here.push(number, ["171976fa8a8a1", "ios176fa8a8a2", "off176fa8a8a3"])
    assert here.states(push_id) == {"sent": 3}
    poller(here, ahead=timedelta(minutes=15)).run_once()
    with here.database.reading() as session:
        heads = session.exec(select(PushTally)).one()
    assert (heads.push_id, heads.total, heads.reached, heads.clicked) == (push_id, None, 2, None)


class Slow:
    """A channel that notes who asks it, and when it is asked twice at a time."""

    name = "sms_aliyun"

    def __init__(self, patience: float) -> None:
        self.patience = patience  # seconds for which it waits for a second who asks
        self.asked: Counter[str] = Counter()
        self.doubled = 0
        self._busy = threading.Lock()
        self.wait = threading.Event()

    def poll(self, account: Account, doubts: Sequence[Doubt]) -> list[Receipt]:
        """Everything arrived."""
        if not self._busy.acquire(blocking=False):
            self.doubled += 1
            self.wait.set()
            return []
        try:
            self.wait.wait(self.patience)
            self.asked.update(one.key for one in doubts)
            return [Receipt(one.key, one.address) for one in doubts]
        finally:
            self._busy.release()


def raced(here: Site, patience: float = 0.4) -> tuple[Slow, int]:
    number = aliyun(here)
    push_id = here.push(number, GOOD, **SMS)
    doubt(here)
    slow, ready = Slow(patience), threading.Barrier(4)

    def ask(_number: int) -> int:
        mine = poller(here, ahead=timedelta(minutes=2), sms_aliyun=slow)  # type: ignore[arg-type]
        ready.wait()
        return mine.run_once()

    with ThreadPoolExecutor(4) as pool:
        asked = sum(pool.map(ask, range(4)))
    assert here.states(push_id)["arrived"] == 2 and here.received(push_id) == (2, 0, 0, 2)
    return slow, asked


def test_of_many_workers_one_asks_for_an_account(here: Site) -> None:
    slow, asked = raced(here)
    assert (slow.doubled, asked) == (0, 1) and set(slow.asked.values()) == {1}


def test_the_control_without_the_lease_they_all_ask(
    here: Site, monkeypatch: pytest.MonkeyPatch, engine_kind: str
) -> None:
    if engine_kind == "postgresql":
        pytest.skip("there a row that somebody is just claiming is passed by, lease or not")
    monkeypatch.setattr(polling, "_due", lambda now: ChannelHook.account_id > 0)
    monkeypatch.setattr(polling, "_WAITING", Prepared(select(col(ChannelHook.account_id))))
    slow, asked = raced(here, patience=30)
    assert asked == 4 and slow.doubled >= 1


def test_an_account_of_a_worker_that_died_is_asked_after_its_lease(here: Site) -> None:
    number = aliyun(here)
    now = clock.now()
    with here.database.transaction() as session:
        session.execute(update(ChannelHook).values(poll_owner="dead", poll_until=now + LEASE))
    assert poller(here, ahead=LEASE - timedelta(seconds=30)).run_once() == 0
    assert poller(here, ahead=LEASE + timedelta(seconds=30)).run_once() == 1
    assert here.hook(number).poll_owner == ""


def test_accounts_with_nothing_to_ask_are_left_alone(here: Site) -> None:
    number = here.account(
        "webhook", secrets={"secret": "s" * 30}, options={}, address="https://example.com/x"
    )
    assert poller(here).run_once() == 0
    found: datetime | None = here.hook(number).poll_at
    assert found is None
