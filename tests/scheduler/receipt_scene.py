"""A site that listens, a sandbox beside it, an account with the address of its receipts, a push that went out."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import Session, col, select

from campaign import audience, audience_import
from campaign.addresses import kind_of
from campaign.audience_models import ClosedAddress
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from scheduler import accounts, hooks
from scheduler.account_form import AccountForm
from scheduler.account_secrets import Secrets
from scheduler.jobs import Outgoing
from scheduler.models import ChannelAccount, Delivery, Push
from scheduler.receipt_models import ChannelHook, KeptReceipt, PushReceived
from scheduler.rule_models import PushRule
from scheduler.sandbox import sms_aliyun, wechat_box
from scheduler.sandbox.core import Sandbox
from scheduler.sandbox.sms_aliyun import SmsAliyun
from scheduler.sandbox.sms_tencent import SmsTencent
from scheduler.sandbox.wechat import Wechat
from scheduler.sandbox.wecom_app import WecomApp
from tests import entering, factories
from tests.scheduler import audience_cast
from tests.scheduler.channels.test_wechat import picture
from tests.servers import free_port, listening
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

COLUMNS = {
    "sms": "手机号",
    "wechat": "微信OpenID",
    "email": "邮箱",
    "webhook": "接口标识",
    "wecom_app": "企业微信账号",
    "getui": "cid",
    "jpush": "极光设备标识",
}


@dataclass
class Site:
    """The site on a port of loopback and a sandbox with stand-ins on another."""

    runtime: Runtime
    app: Flask
    url: str
    sandbox: Sandbox
    platforms: str
    aliyun: SmsAliyun
    tencent: SmsTencent
    wechat: Wechat
    wecom: WecomApp

    @property
    def database(self) -> Database:
        """The site's."""
        return self.runtime.service(Database)

    @property
    def line(self) -> Outgoing:
        """What carries pushes out."""
        return self.runtime.service(Outgoing)

    def staff(self) -> FlaskClient:
        """An administrator's browser."""
        return entering.client(self.app, factories.ADMINISTRATOR)

    def account(
        self, kind: str, *, secrets: Mapping[str, str], options: Mapping[str, str], **more: Any
    ) -> int:
        """An account as the desk makes it."""
        form = AccountForm(
            channel=kind, name=more.pop("name", f"测试 {kind}"), address=more.pop("address", ""),
            options=options, secrets=secrets, **more,
        )  # fmt: skip
        held = Secrets(self.runtime.service(Outgoing).dispatcher.opener._held._keys, self.vault)
        with self.database.transaction() as session:
            made, _shown = accounts.create(
                session, form, held=held, secret=secrets.get("secret", ""), now=clock.now()
            )
            return made.id or 0

    @property
    def vault(self) -> Vault:
        """The site's."""
        return self.runtime.service(Vault)

    def address(self, account_id: int) -> str:
        """Where an account is told of its receipts."""
        with self.database.reading() as session:
            account, hook = (
                session.get_one(ChannelAccount, account_id),
                session.get_one(ChannelHook, account_id),
            )
            return self.url + hooks.path(account, hook)

    def push(self, account_id: int, addresses: list[str], *, send: bool = True, **plan: Any) -> int:
        """A push to these addresses, cut, and sent unless told otherwise."""
        with self.database.transaction() as session:
            account, now = session.get_one(ChannelAccount, account_id), clock.now()
            list_id = people(session, self.vault, account.channel, addresses, now)
            made = audience_cast.plan(
                session, list_id, now, channel=account.channel, account_id=account_id, **plan
            )
            audience_cast.send_now(session, made, now)
        if send:
            self.line.run_once()
        else:
            self.line.plan()
        with self.database.reading() as session:
            return session.exec(select(col(Push.id)).order_by(col(Push.id).desc())).first() or 0

    def rows(self, push_id: int) -> list[Delivery]:
        """The recipients of a push."""
        with self.database.reading() as session:
            return list(
                session.exec(select(Delivery).where(Delivery.push_id == push_id).order_by(col(Delivery.id)))
            )

    def states(self, push_id: int) -> Counter[str]:
        """How many are in which state; `arrived` are those that a receipt spoke of."""
        found = self.rows(push_id)
        return Counter(one.state for one in found) + Counter(
            arrived=sum(one.arrived_at is not None for one in found)
        )

    def received(self, push_id: int) -> tuple[int, int, int, int]:
        """What the receipts of a push add up to: arrived, failed, opened, cleared."""
        with self.database.reading() as session:
            one = session.get(PushReceived, push_id) or PushReceived(push_id=push_id)
        return one.arrived, one.failed, one.opened, one.cleared

    def closed(self) -> Counter[str]:
        """Addresses that take nothing more, by reason."""
        with self.database.reading() as session:
            return Counter(session.exec(select(ClosedAddress.reason)))

    def refused(self, channel: str, address: str) -> bool:
        """Whether nothing more goes to an address."""
        indexes = self.vault.indexes(kind_of(channel), address)
        with self.database.reading() as session:
            return bool(audience.refused_among(session, channel, indexes))

    def kept(self) -> int:
        """Receipts that wait for their row."""
        with self.database.reading() as session:
            return len(session.exec(select(KeptReceipt.id)).all())

    def hook(self, account_id: int) -> ChannelHook:
        """What is noted of an account's receipts."""
        with self.database.reading() as session:
            return session.get_one(ChannelHook, account_id)

    def call(
        self, address: str, body: bytes, query: Mapping[str, str] | None = None, **headers: str
    ) -> requests.Response:
        """A platform calls."""
        return requests.post(address, body, params=query, headers=headers, timeout=10)


def people(session: Session, vault: Vault, channel: str, addresses: list[str], now: datetime) -> int:
    """A list of who has these addresses."""
    column = COLUMNS[kind_of(channel)]
    rows = [f"姓名,{column},网点代码,同意用途,同意时间,同意来源"]
    rows += [f"张三,{one},,education,2026-03-01 10:00,柜面签署" for one in addresses]
    name = f"{channel} {len(addresses)} {addresses[0]}"
    audience_import.import_file(
        session, "\n".join(rows).encode(), list_name=name, vault=vault, zone=audience_cast.ZONE, now=now
    )
    found = audience.find_list(session, name)
    assert found is not None and found.id is not None
    return found.id


@contextmanager
def site(settings: Settings) -> Iterator[Site]:
    """The site and the sandbox, both answering, for the length of a block."""
    runtime, port, other = build(settings), free_port(), free_port()
    with runtime.service(Database).transaction() as session:
        factories.cast(session, clock.now())
        for channel in COLUMNS | {"sms_aliyun": "", "sms_tencent": "", "wechat_notice": ""}:  # at any hour
            session.add(PushRule(channel=channel, opens="00:00", closes="24:00", updated_at=clock.now()))
    app = create_app(runtime)
    sandbox, aliyun, tencent, wechat, wecom = Sandbox(), SmsAliyun(), SmsTencent(), Wechat(), WecomApp()
    wechat.files["cover"] = picture()
    for one in (aliyun, tencent, wechat, wecom):
        sandbox.add(one)
    with listening(app, port), listening(sandbox, other):
        yield Site(
            runtime, app, f"http://127.0.0.1:{port}", sandbox, f"http://127.0.0.1:{other}", aliyun, tencent, wechat,
            wecom,
        )  # fmt: skip
    runtime.service(Outgoing).stop()
    runtime.close()


def aliyun(one: Site) -> int:
    """An account at Aliyun's stand-in."""
    return one.account(
        "sms_aliyun", secrets={"secret": sms_aliyun.SECRET}, options={"sign_name": sms_aliyun.SIGN},
        login=sms_aliyun.ACCESS_KEY, address=f"{one.platforms}/sms_aliyun",
    )  # fmt: skip


SMS: dict[str, Any] = {
    "template": sms_aliyun.PROMOTION, "parameters": [["title", "{title}"], ["link", " x"]], "summary": "先问一问。"
}  # fmt: skip


def wechat(one: Site, *, sealed: bool = False, channel: str = "wechat") -> int:
    """An account at the stand-in of official accounts."""
    secrets = {"secret": wechat_box.SECRET, "token": wechat_box.TOKEN}
    secrets |= {"aes_key": wechat_box.AES_KEY} if sealed else {}
    options = {"thumb_media_id": "cover", "kind": "service"} if channel == "wechat" else {"way": "template"}
    return one.account(
        channel, secrets=secrets, options=options, login=wechat_box.APP, address=f"{one.platforms}/wechat"
    )
