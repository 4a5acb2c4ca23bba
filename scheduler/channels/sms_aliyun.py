"""SMS by Aliyun (dysmsapi 2017-05-25), with its official SDK: one content for many numbers, or each its own.

Facts: help.aliyun.com …/api-dysmsapi-2017-05-25-sendsms, …-sendbatchsms, …/api-error-codes, …/smsreport-2. A call gets
one answer for all its numbers. It recognises no keys: after a silence only its records tell (`poll`).
"""

import itertools
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

from core.i18n import mark
from core.privacy import normal_phone
from scheduler.channels.base import Account, Closed, DeliveryError, Field, Message, Rate, Receipt
from scheduler.channels.base_sms import (
    Doubt,
    OneWay,
    Result,
    Round,
    doubt,
    foreign,
    library,
    raised,
    reports,
    undelivered,
)

NAME = "sms_aliyun"
LABEL = mark("短信（阿里云）")
ADDRESS = "https://dysmsapi.aliyuncs.com"
FORM = (
    Field("address", mark("接口地址"), mark("一般不用改。"), ADDRESS),
    Field("login", "AccessKey ID", mark("访问控制（RAM）里的用户，授予 AliyunDysmsFullAccess。")),
    Field("secret", "AccessKey Secret", mark("与 AccessKey ID 一起生成，只显示一次。"), secret=True),
    Field("sign_name", mark("短信签名"), mark("已审核并完成实名制报备的签名，不带【】。")),
    Field("region", mark("地域"), mark("一般不用改。"), "cn-hangzhou", required=False),
)
RECEIVED = b'{"code":0,"msg":"\xe6\x88\x90\xe5\x8a\x9f"}'  # what a callback is answered with
WHERE = mark(
    "短信服务控制台 › 系统设置 › 通用设置 › 消息回执：打开“批量推送”，填入状态报告接收地址（SmsReport）。"
)
_TIMEOUT = (5.0, 15.0)
_SAME, _OWN = 1000, 100  # numbers in a SendSms, in a SendBatchSms
_CHINA = timezone(timedelta(hours=8))
_PAGE = 50
_NUMBERS = itertools.count(1_000_000)

_MONEY = mark("阿里云短信账户停用或余额不足，请充值或联系阿里云后继续。")
_QUOTA = mark("已到阿里云控制台里设置的日或月发送限额。请调高限额，或等限额恢复后继续。")
_SIGN = mark("短信签名不可用：请在阿里云控制台检查签名的审核与实名制报备，以及渠道账号里的签名。")
_SCENE = mark("短信签名与模板类型不符（验证码签名不能发通知或推广），请换签名或模板。")
_TEMPLATE = mark("短信模板不存在、未通过审核或变量对不上，请检查推送计划里的模板。")
_CONTENT = mark("短信含有平台禁止的内容，请修改后再发。")
_WHERE = mark("阿里云不接受这台服务器所在地区的 IP 地址，请改从境内服务器发送。")
_RIGHTS = mark("AccessKey 没有发短信的权限，请给它授予 AliyunDysmsFullAccess。")
_KEY = mark("AccessKey 不对或已停用，请检查渠道账号。")
_CLOCK = mark("阿里云说请求时间不对，请校准服务器时钟。")
_OURS = mark("阿里云不接受请求的参数，请检查渠道账号与模板。")
_OPERATOR = {
    "isv.OUT_OF_SERVICE": _MONEY,
    "isv.AMOUNT_NOT_ENOUGH": _MONEY,
    "isv.ACCOUNT_ABNORMAL": _MONEY,
    "isv.ACCOUNT_NOT_EXISTS": _MONEY,
    "isv.PRODUCT_UN_SUBSCRIPT": _MONEY,
    "isv.PRODUCT_UNSUBSCRIBE": _MONEY,
    "isv.DAY_LIMIT_CONTROL": _QUOTA,
    "isv.MONTH_LIMIT_CONTROL": _QUOTA,
    "isv.SIGN_STATE_ILLEGAL": _SIGN,
    "isv.SMS_SIGN_ILLEGAL": _SIGN,
    "isv.SMS_SIGNATURE_ILLEGAL": _SIGN,
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL": _SCENE,
    "isv.SMS_TEMPLATE_ILLEGAL": _TEMPLATE,
    "isv.TEMPLATE_MISSING_PARAMETERS": _TEMPLATE,
    "isv.SMS_CONTENT_ILLEGAL": _CONTENT,
    "isv.DENY_IP_RANGE": _WHERE,
    "isp.RAM_PERMISSION_DENY": _RIGHTS,
    "Forbidden.RAM": _RIGHTS,
    "NoPermission": _RIGHTS,
    "InvalidAccessKeyId.NotFound": _KEY,
    "InvalidAccessKeyId.Inactive": _KEY,
    "SignatureDoesNotMatch": _KEY,
    "IncompleteSignature": _KEY,
    "InvalidTimeStamp.Expired": _CLOCK,
    "isv.INVALID_PARAMETERS": _OURS,
    "isv.INVALID_JSON_PARAM": _OURS,
    "isv.EXTEND_CODE_ERROR": _OURS,
    "isv.MOBILE_COUNT_OVER_LIMIT": _OURS,
}
_OF_ONE = {
    "isv.MOBILE_NUMBER_ILLEGAL": mark("平台说手机号不对。"),
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": mark("国际短信模板不能发给境内号码。"),
    "isv.BLACK_KEY_CONTROL_LIMIT": mark("填进模板的内容里有平台禁止的词。"),
    "isv.TEMPLATE_PARAMS_ILLEGAL": mark("填进模板的内容里有平台禁止的词。"),
    "isv.PARAM_LENGTH_LIMIT": mark("填进模板的内容太长。"),
    "isv.PARAM_NOT_SUPPORT_URL": mark("这个模板的变量里不能有网址，请把域名写进模板再送审。"),
}
_LEVELS = (("分钟", 60.0), ("小时", 3600.0), ("天级", 86400.0))


class AliyunSms:
    """SMS of an Aliyun account."""

    name = NAME
    batch_size = 10 * _SAME
    group = _SAME
    idempotent = False
    call_size = _SAME
    rates: tuple[Rate, ...] = (Rate(5000, 1), Rate(50, 86400, "address"))

    def __init__(self, clock: Callable[[], datetime], timeout: tuple[float, float] = _TIMEOUT) -> None:
        self._clock = clock
        self._timeout = timeout

    @contextmanager
    def connect(self, account: Account) -> Iterator["AliyunLine"]:
        """A kept-alive line; DeliveryError without the SDK or with half an account."""
        if not (account.login and account.secrets and account.options.get("sign_name")):
            raise DeliveryError(
                mark("短信渠道账号没有填完整（密钥、签名），请补全后继续。"), permanent=True, everyone=True
            )
        way = OneWay(account.address or ADDRESS, self._timeout)
        try:
            with _client(way, account) as client:
                yield AliyunLine(client, way, account)
        finally:
            way.close()

    def poll(self, account: Account, doubts: Sequence[Doubt]) -> list[Receipt]:
        """What Aliyun's records (30 days) say of messages in doubt, by their key; nothing for one they do not hold:
        for that one nothing was accepted, or not yet."""
        with self.connect(account) as line:
            return [one for found in doubts for one in line.record(found)]


class AliyunLine:
    """A client of the SDK for one batch."""

    def __init__(self, client: Any, way: OneWay, account: Account) -> None:
        self._client = client
        self._way = way
        self._sign = account.options["sign_name"]
        self._models = library("alibabacloud_dysmsapi20170525.models")

    def send(self, message: Message) -> str:
        """Hand one over; the call's BizId."""
        return raised(self.send_many(message.key, [message])[0])

    def send_many(self, key: str, messages: Sequence[Message]) -> Sequence[Result]:
        """Hand over what came of each: one SendSms for up to a thousand with the same parameters, else SendBatchSms."""
        found = Round(messages)
        for places in found.groups(lambda one: (one.template, foreign(one))):
            own = len({messages[place].parameters for place in places}) > 1
            size = _OWN if own else _SAME
            for start in range(0, len(places), size):
                piece = places[start : start + size]
                found.call(piece, lambda part: self._call(key, part), halve=True)
        return found.results()

    def _call(self, key: str, messages: list[Message]) -> Sequence[Result]:
        same = len({one.parameters for one in messages}) == 1
        key = messages[0].key if len(messages) == 1 else key
        body = self._asked(lambda: self._same(key, messages) if same else self._each(key, messages))
        return [str(body.biz_id or "")] * len(messages)

    def _same(self, key: str, messages: list[Message]) -> Any:
        return self._client.send_sms(
            self._models.SendSmsRequest(
                phone_numbers=",".join(_number(one.address) for one in messages),
                sign_name=self._sign,
                template_code=messages[0].template,
                template_param=_filled(messages[0]),
                out_id=key,
            )
        )

    def _each(self, key: str, messages: list[Message]) -> Any:
        return self._client.send_batch_sms(
            self._models.SendBatchSmsRequest(
                phone_number_json=json.dumps([_number(one.address) for one in messages]),
                sign_name_json=json.dumps([self._sign] * len(messages), ensure_ascii=False),
                template_code=messages[0].template,
                template_param_json="[" + ",".join(_filled(one) for one in messages) + "]",
                out_id=key,
            )
        )

    def record(self, asked: Doubt) -> list[Receipt]:
        """What is known of one message in doubt: at most one receipt, without error once it was accepted."""
        for page in itertools.count(1):
            body = self._asked(partial(self._details, asked, page))
            held = (body.sms_send_detail_dtos and body.sms_send_detail_dtos.sms_send_detail_dto) or []
            for one in held:
                if one.out_id in asked.keys:
                    return _judged(asked, one)
            if len(held) < _PAGE:
                break
        return []

    def _details(self, asked: Doubt, page: int) -> Any:
        return self._client.query_send_details(
            self._models.QuerySendDetailsRequest(
                phone_number=_number(asked.address),
                send_date=asked.at.astimezone(_CHINA).strftime("%Y%m%d"),
                page_size=_PAGE,
                current_page=page,
            )
        )

    def _asked(self, call: Callable[[], Any]) -> Any:
        """The body of an answer that says OK."""
        body = self._way.asked(call, _refusal).body
        if body is None or not body.code:
            raise doubt()
        if body.code != "OK":
            raise _refusal(body.code, body.message or "")
        return body


def receipts(
    account: Account, body: bytes, _headers: Mapping[str, str], query: Mapping[str, str]
) -> list[Receipt]:
    """A SmsReport callback: a list of reports; the answer to it is `RECEIVED`."""
    return [
        Receipt(
            str(one.get("biz_id", "")),
            normal_phone(str(one.get("phone_number", ""))),
            None
            if one.get("success") is True
            else undelivered(str(one.get("err_code", "")), str(one.get("err_msg", ""))),
            key=str(one.get("out_id") or ""),
        )
        for one in reports(account, body, query)
    ]


@contextmanager
def _client(way: OneWay, account: Account) -> Iterator[Any]:
    """The SDK's client, whose session is ours: its own would take proxies from the environment and follow redirects.

    It keeps sessions in a table by address and pool size; a size nobody else has makes the place our own.
    """
    core = library("darabonba.core").DaraCore
    logging.getLogger("darabonba-core").disabled = True  # with DEBUG=sdk it would write the numbers down
    size = next(_NUMBERS)
    config = library("alibabacloud_tea_openapi.utils_models").Config(
        access_key_id=account.login,
        access_key_secret=account.secrets[0],
        endpoint=way.host,
        protocol=way.scheme,
        region_id=account.options.get("region") or "cn-hangzhou",
        user_agent="Signpost",
        max_idle_conns=size,
    )
    place = f"{way.scheme}://{way.host}:80:pool={size}"
    core._sessions[place] = way
    try:
        yield library("alibabacloud_dysmsapi20170525.client").Client(config)
    finally:
        core._sessions.pop(place, None)


def _number(address: str) -> str:
    return normal_phone(address).lstrip("+")


def _filled(message: Message) -> str:
    return json.dumps(dict(message.parameters), ensure_ascii=False)


def _judged(asked: Doubt, detail: Any) -> list[Receipt]:
    """SendStatus 1: accepted, the carrier has not reported yet; 2: not delivered; 3: delivered."""
    if detail.send_status == 2:
        return [Receipt(asked.key, asked.address, undelivered(detail.err_code or "", ""))]
    return [Receipt(asked.key, asked.address)] if detail.send_status in (1, 3) else []


def _refusal(code: str, text: str) -> DeliveryError:
    """What a code means: for everyone, for this number, or for now (the level of a limit is in the words)."""
    if code in _OPERATOR:
        return DeliveryError(_OPERATOR[code], permanent=True, everyone=True)
    if code in _OF_ONE:
        closes = Closed.gone if code == "isv.MOBILE_NUMBER_ILLEGAL" else None
        return DeliveryError(_OF_ONE[code], permanent=True, closes=closes)
    if code == "isv.BUSINESS_LIMIT_CONTROL":
        wait = next((seconds for word, seconds in _LEVELS if word in text), 3600.0)
        return DeliveryError(mark("这个号码收短信太频繁，平台要求过后再发。"), retry_after=wait)
    if code.startswith(("Throttling", "ServiceUnavailable", "InternalError", "isp.")):
        return DeliveryError(f"Aliyun {code[:60]}", retry_after=60.0, everyone=True)
    return DeliveryError(f"Aliyun {code[:60]}", permanent=True)
