"""Every channel, one line each: what it is called, what its account form asks for, how its messages look.

A channel says of itself NAME, LABEL, FORM and ADDRESS; the line adds its class and what the desk must know to show it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType

from core.errors import Invalid
from core.i18n import gettext, mark, using_locale
from scheduler.channels import (
    apprise_relay,
    dingtalk_robot,
    email,
    feishu_robot,
    getui,
    jpush,
    sms_aliyun,
    sms_tencent,
    webhook,
    webpush,
    wechat,
    wechat_notice,
    wecom_app,
    wecom_robot,
)
from scheduler.channels.base import AnyChannel, Confirms, Counts, Field, Greets, Look, Reads, Tokens

Clock = Callable[[], datetime]
Make = Callable[..., AnyChannel]


@dataclass(frozen=True, slots=True)
class Kind:
    """A channel as forms and lists know it. `to_group`: it posts into a group, without contacts; `templated`: the
    platform sends only what it approved before, named by a template's code; `tokens`: it is made with access tokens.

    `reads` understands its callbacks (None: it makes none), `counts` the heads in them, `greets` its trying the address
    out, `confirms` finds the address at which it wants to be told yes first; `received` is what it wants for an answer,
    and `where` says where its users type the address."""

    name: str
    label: str
    form: tuple[Field, ...]
    address: str
    make: Make
    look: Look
    to_group: bool = False
    templated: bool = False
    tokens: bool = False
    reads: Reads | None = None
    counts: Counts | None = None
    greets: Greets | None = None
    confirms: Confirms | None = None
    received: bytes = b""
    where: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The names of the secret fields, `secret` first: the order of `Account.secrets`."""
        names = [one.name for one in self.form if one.secret]
        return tuple(sorted(names, key=lambda name: name != "secret"))

    @property
    def own(self) -> tuple[Field, ...]:
        """The fields by the platform's own names that are no secret: `Account.options`."""
        return tuple(one for one in self.form if one.name not in _COLUMNS and not one.secret)

    def has(self, name: str) -> bool:
        """Whether the form asks for this field."""
        return any(one.name == name for one in self.form)


_COLUMNS = ("address", "port", "tls", "login", "sender")


def kind(
    module: ModuleType, make: Make, look: Look, *, templated: bool = False, tokens: bool = False
) -> Kind:
    """The kind of a channel's module; whether it posts into a group is said by its class."""
    return Kind(
        module.NAME, module.LABEL, module.FORM, module.ADDRESS, make, look,
        to_group=bool(getattr(make, "to_group", False)), templated=templated,
        tokens=tokens, reads=getattr(module, "receipts", None), counts=getattr(module, "tallies", None),
        greets=getattr(module, "greeting", None), confirms=getattr(module, "confirmation", None),
        received=getattr(module, "RECEIVED", b""),
        where=getattr(module, "WHERE", ""),
    )  # fmt: skip


KINDS: dict[str, Kind] = {
    one.name: one
    for one in (
        kind(email, email.Email, Look.mail),
        kind(webhook, webhook.Webhook, Look.data),
        kind(wecom_robot, wecom_robot.WecomRobot, Look.chat),
        kind(dingtalk_robot, dingtalk_robot.DingtalkRobot, Look.chat),
        kind(feishu_robot, feishu_robot.FeishuRobot, Look.chat),
        kind(sms_aliyun, sms_aliyun.AliyunSms, Look.sms, templated=True),
        kind(sms_tencent, sms_tencent.TencentSms, Look.sms, templated=True),
        kind(wechat, wechat.Wechat, Look.card, tokens=True),
        kind(wechat_notice, wechat_notice.WechatNotice, Look.card, templated=True, tokens=True),
        kind(wecom_app, wecom_app.WecomApp, Look.card, tokens=True),
        kind(jpush, jpush.JPush, Look.notice),
        kind(getui, getui.Getui, Look.notice, tokens=True),
        kind(webpush, webpush.WebPush, Look.notice),
        kind(apprise_relay, apprise_relay.Apprise, Look.chat),
    )
}


def get(name: str) -> Kind:
    """The kind of this name; Invalid when there is none."""
    found = KINDS.get(name)
    if found is None:
        raise Invalid(mark("请选择推送渠道。"), field="channel")
    return found


def to_group(name: str) -> bool:
    """Whether a channel posts into a group: one delivery a push, no list of people."""
    return name in KINDS and KINDS[name].to_group


def tells_openings(name: str) -> bool:
    """Whether each recipient of a channel gets a link of their own, so that it is known who followed it."""
    one = KINDS.get(name)
    return one is not None and not one.to_group and one.look != Look.sms and _single(one)


def _single(one: Kind) -> bool:
    return getattr(one.make, "call_size", 1) == 1


def label(name: str) -> str:
    """What a channel is called, in the language in force; one that is gone by its name."""
    return gettext(KINDS[name].label) if name in KINDS else name


def english(name: str) -> str:
    """What reports in English call a channel."""
    with using_locale("en"):
        return label(name)


def channels(clock: Clock, tokens: Tokens) -> dict[str, AnyChannel]:
    """Every channel by its name, on this clock, with these access tokens."""
    return {name: one.make(clock, tokens) if one.tokens else one.make(clock) for name, one in KINDS.items()}
