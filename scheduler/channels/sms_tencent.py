"""SMS by Tencent Cloud (SendSms 2021-01-11), with its official SDK: up to 200 numbers with the same parameters a call.

Facts: cloud.tencent.com/document/api/382/55981, …/382/59177 (codes), …/382/43547 (callback). Each number has its own
status in the answer. It recognises no keys: after a silence only its records tell (`poll`), and those name the key
only where 回传 SessionContext was opened for the account.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
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

NAME = "sms_tencent"
LABEL = mark("短信（腾讯云）")
ADDRESS = "https://sms.tencentcloudapi.com"
FORM = (
    Field("address", mark("接口地址"), mark("一般不用改。"), ADDRESS),
    Field("login", "SecretId", mark("访问管理（CAM）里的密钥，授予 QcloudSMSFullAccess。")),
    Field("secret", "SecretKey", mark("与 SecretId 一起生成，只显示一次。"), secret=True),
    Field("sdk_app_id", "SdkAppId", mark("短信控制台的应用列表里，形如 1400006666。")),
    Field("sign_name", mark("短信签名"), mark("已审核并完成实名制报备的签名，不带【】。")),
    Field("region", mark("地域"), mark("一般不用改。"), "ap-guangzhou", required=False),
    Field("pull", mark("拉取回执"), mark("在腾讯云开通了拉取的，填 yes；用回调的不填。"), required=False),
)
RECEIVED = b'{"result":0,"errmsg":"OK"}'  # what a callback is answered with
WHERE = mark("短信控制台 › 应用管理 › 应用列表 › 这个应用 › 事件回调配置：填入“短信下发状态通知”的地址。")
_TIMEOUT = (5.0, 15.0)
_MANY = 200  # numbers in a call
_PULLED = 100  # records in an answer
_AFTER = timedelta(days=3)  # a carrier reports within 72 hours
_SDK = "tencentcloud.sms.v20210111"

_MONEY = mark("腾讯云短信套餐包用完或账户欠费，请充值后继续。")
_QUOTA = mark("已到腾讯云控制台里设置的应用发送上限。请调高上限，或等次日恢复后继续。")
_SIGN = mark("短信签名不对或未通过审核：请在腾讯云控制台检查签名与实名制报备，以及渠道账号里的签名。")
_TEMPLATE = mark("短信模板不存在、未通过审核或变量个数不符，请检查推送计划里的模板。")
_CONTENT = mark("短信含有敏感词，请修改后再发。")
_URL = mark("腾讯云不许模板变量里有网址，请把域名写进模板再送审。")
_APP = mark("SdkAppId 不对或已停用，请检查渠道账号。")
_RIGHTS = mark("密钥没有发短信的权限，或这台服务器的 IP 地址不在白名单里，请在腾讯云控制台放行。")
_KEY = mark("SecretId 或 SecretKey 不对，请检查渠道账号。")
_CLOCK = mark("腾讯云说请求时间不对，请校准服务器时钟。")
_OPERATOR = {
    "FailedOperation.InsufficientBalanceInSmsPackage": _MONEY,
    "UnauthorizedOperation.ServiceSuspendDueToArrears": _MONEY,
    "LimitExceeded.AppDailyLimit": _QUOTA,
    "LimitExceeded.AppGlobalDailyLimit": _QUOTA,
    "LimitExceeded.AppMainlandChinaDailyLimit": _QUOTA,
    "LimitExceeded.AppCountryOrRegionDailyLimit": _QUOTA,
    "LimitExceeded.DailyLimit": _QUOTA,
    "FailedOperation.SignatureIncorrectOrUnapproved": _SIGN,
    "FailedOperation.MissingSignature": _SIGN,
    "FailedOperation.TemplateIncorrectOrUnapproved": _TEMPLATE,
    "FailedOperation.TemplateUnapprovedOrNotExist": _TEMPLATE,
    "FailedOperation.TemplateIdNotExist": _TEMPLATE,
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": _TEMPLATE,
    "FailedOperation.ContainSensitiveWord": _CONTENT,
    "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter": _URL,
    "InvalidParameterValue.SdkAppIdNotExist": _APP,
    "UnauthorizedOperation.SdkAppIdIsDisabled": _APP,
    "UnauthorizedOperation.SmsSdkAppIdVerifyFail": _APP,
    "UnauthorizedOperation.RequestIpNotInWhitelist": _RIGHTS,
    "UnauthorizedOperation.RequestPermissionDeny": _RIGHTS,
    "UnauthorizedOperation.IndividualUserMarketingSmsPermissionDeny": _RIGHTS,
    "AuthFailure.UnauthorizedOperation": _RIGHTS,
    "AuthFailure.SignatureFailure": _KEY,
    "AuthFailure.SecretIdNotFound": _KEY,
    "AuthFailure.InvalidSecretId": _KEY,
    "AuthFailure.SignatureExpire": _CLOCK,
    "InternalError.RequestTimeException": _CLOCK,
}
_NO_NUMBER = mark("平台说手机号不对。")
_OF_ONE: dict[str, tuple[str, Closed | None]] = {
    "FailedOperation.PhoneNumberInBlacklist": (
        mark("对方已退订短信，或在平台的黑名单里。"),
        Closed.withdrawn,
    ),
    "InvalidParameterValue.IncorrectPhoneNumber": (_NO_NUMBER, Closed.gone),
    "FailedOperation.PhoneNumberParseFail": (_NO_NUMBER, Closed.gone),
    "InvalidParameterValue.TemplateParameterLengthLimit": (mark("填进模板的内容太长。"), None),
    "InvalidParameterValue.TemplateParameterFormatError": (mark("填进模板的内容格式不对。"), None),
    "InvalidParameterValue.ContentLengthLimit": (mark("短信太长。"), None),
}
_LATER = {
    "LimitExceeded.PhoneNumberThirtySecondLimit": 30.0,
    "LimitExceeded.DeliveryFrequencyLimit": 60.0,
    "LimitExceeded.PhoneNumberOneHourLimit": 3600.0,
    "LimitExceeded.PhoneNumberDailyLimit": 86400.0,
    "LimitExceeded.PhoneNumberSameContentDailyLimit": 86400.0,
}
_LATER_ALL = {
    "RequestLimitExceeded": 1.0,
    "LimitExceeded.GlobalSmsSendingRateLimit": 1.0,
    "FailedOperation.MarketingSendTimeConstraint": 3600.0,  # promotions go out from 8 to 22 only
}


class TencentSms:
    """SMS of an application at Tencent Cloud. The limits per number are those an application begins with."""

    name = NAME
    batch_size = 10 * _MANY
    group = _MANY
    idempotent = False
    call_size = _MANY
    rates: tuple[Rate, ...] = (
        Rate(3000, 1),
        Rate(1, 30, "address"),
        Rate(5, 3600, "address"),
        Rate(10, 86400, "address"),
    )

    def __init__(self, clock: Callable[[], datetime], timeout: tuple[float, float] = _TIMEOUT) -> None:
        self._clock = clock
        self._timeout = timeout

    @contextmanager
    def connect(self, account: Account) -> Iterator["TencentLine"]:
        """A kept-alive line; DeliveryError without the SDK or with half an account."""
        wanted = (account.options.get("sign_name"), account.options.get("sdk_app_id"))
        if not (account.login and account.secrets and all(wanted)):
            raise DeliveryError(
                mark("短信渠道账号没有填完整（密钥、SdkAppId、签名），请补全后继续。"),
                permanent=True,
                everyone=True,
            )
        way = OneWay(account.address or ADDRESS, self._timeout)
        try:
            yield TencentLine(_client(way, account), way, account)
        finally:
            way.close()

    def poll(self, account: Account, doubts: Sequence[Doubt]) -> list[Receipt]:
        """What Tencent's records (7 days) say of messages in doubt, by the key in their SessionContext; nothing for
        one they do not hold: a record exists once the carrier has reported."""
        now = self._clock()
        with self.connect(account) as line:
            return [one for found in doubts for one in line.record(found, min(found.at + _AFTER, now))]

    def pull(self, account: Account, settle: Callable[[Sequence[Receipt]], None]) -> int:
        """Fetch receipts, where pulling was opened instead of callbacks; each comes once, so each page is settled."""
        with self.connect(account) as line:
            return line.pull(settle)


class TencentLine:
    """A client of the SDK for one batch."""

    def __init__(self, client: Any, way: OneWay, account: Account) -> None:
        self._client = client
        self._way = way
        self._options = account.options
        self._models = library(f"{_SDK}.models")

    def send(self, message: Message) -> str:
        """Hand one over; its SerialNo."""
        return raised(self.send_many(message.key, [message])[0])

    def send_many(self, key: str, messages: Sequence[Message]) -> Sequence[Result]:
        """Hand over what came of each; those whose parameters are the same go in one call."""
        found = Round(messages)
        for places in found.groups(lambda one: (one.template, _values(one), foreign(one))):
            for start in range(0, len(places), _MANY):
                found.call(places[start : start + _MANY], lambda part: self._call(key, part))
        return found.results()

    def _call(self, key: str, messages: list[Message]) -> Sequence[Result]:
        request = self._models.SendSmsRequest()
        request.PhoneNumberSet = [_number(one.address) for one in messages]
        request.SmsSdkAppId = self._options["sdk_app_id"]
        request.SignName = self._options["sign_name"]
        request.TemplateId = messages[0].template
        request.TemplateParamSet = list(_values(messages[0]))
        request.SessionContext = messages[0].key if len(messages) == 1 else key
        try:
            answer = self._way.asked(lambda: self._client.SendSms(request), _refusal)
        except DeliveryError as error:
            if len(messages) > 1:
                error.closes = None  # said of the call, it names nobody
            raise
        found = {one.PhoneNumber: one for one in answer.SendStatusSet or []}
        return [_judged(found.get(number)) for number in request.PhoneNumberSet]

    def record(self, asked: Doubt, until: datetime) -> list[Receipt]:
        """What is known of one message in doubt: at most one receipt."""
        request = self._models.PullSmsSendStatusByPhoneNumberRequest()
        request.BeginTime = int(asked.at.timestamp()) - 60
        request.EndTime = int(until.timestamp()) + 60
        request.Offset, request.Limit = 0, _PULLED
        request.PhoneNumber = _number(asked.address)
        request.SmsSdkAppId = self._options["sdk_app_id"]
        call = self._client.PullSmsSendStatusByPhoneNumber
        answer = self._way.asked(lambda: call(request), _refusal)
        held = [one for one in answer.PullSmsSendStatusSet or [] if one.SessionContext in asked.keys]
        return [_receipt(asked.key, asked.address, one) for one in held[:1]]

    def pull(self, settle: Callable[[Sequence[Receipt]], None]) -> int:
        """Settle the receipts that wait, page by page; how many there were."""
        request = self._models.PullSmsSendStatusRequest()
        request.Limit, request.SmsSdkAppId = _PULLED, self._options["sdk_app_id"]
        many = 0
        while True:
            answer = self._way.asked(lambda: self._client.PullSmsSendStatus(request), _refusal)
            held = answer.PullSmsSendStatusSet or []
            settle([_receipt(one.SerialNo or "", normal_phone(one.PhoneNumber or ""), one) for one in held])
            many += len(held)
            if len(held) < _PULLED:
                return many


def receipts(
    account: Account, body: bytes, _headers: Mapping[str, str], query: Mapping[str, str]
) -> list[Receipt]:
    """A callback of delivery states: a list of reports; the answer to it is `RECEIVED`."""
    return [
        Receipt(
            str(one.get("sid", "")),
            normal_phone(f"+{one.get('nationcode', '86')}{one.get('mobile', '')}"),
            None
            if one.get("report_status") == "SUCCESS"
            else undelivered(str(one.get("errmsg", "")), str(one.get("description", ""))),
        )
        for one in reports(account, body, query)
    ]


def _client(way: OneWay, account: Account) -> Any:
    """The SDK's client, whose session is ours: its own would take proxies from the environment and follow redirects."""
    profiles = library("tencentcloud.common.profile.client_profile")
    http = library("tencentcloud.common.profile.http_profile").HttpProfile(
        protocol=way.scheme, endpoint=way.host, keepAlive=True
    )
    credential = library("tencentcloud.common.credential").Credential(
        account.login.strip(), account.secrets[0].strip()
    )
    client = library(f"{_SDK}.sms_client").SmsClient(
        credential,
        account.options.get("region") or "ap-guangzhou",
        profiles.ClientProfile(httpProfile=http, disable_region_breaker=True),
    )
    client.request.conn._session.close()
    client.request.conn._session, client.request.conn.proxy = way, None
    return client


def _number(address: str) -> str:
    """E.164."""
    number = normal_phone(address)
    return number if number.startswith("+") else f"+86{number}"


def _values(message: Message) -> tuple[str, ...]:
    return tuple(value for _name, value in message.parameters)


def _judged(status: Any) -> Result:
    """What came of one number; a number without a status was perhaps sent to."""
    if status is None or not status.Code:
        return DeliveryError(mark("平台没有说这个号码的结果，不知道是否收到。"), unknown=True)
    return str(status.SerialNo or "") if status.Code == "Ok" else _refusal(status.Code, "")


def _receipt(reference: str, address: str, record: Any) -> Receipt:
    done = record.ReportStatus == "SUCCESS"
    return Receipt(reference, address, None if done else undelivered("", record.Description or ""))


def _refusal(code: str, _text: str) -> DeliveryError:
    """What a code means: for everyone, for this number, for now, or that nobody knows."""
    if code in _OPERATOR:
        return DeliveryError(_OPERATOR[code], permanent=True, everyone=True)
    if code in _OF_ONE:
        said, closes = _OF_ONE[code]
        return DeliveryError(said, permanent=True, closes=closes)
    if code in _LATER:
        return DeliveryError(mark("这个号码收短信太频繁，平台要求过后再发。"), retry_after=_LATER[code])
    if code in _LATER_ALL:
        return DeliveryError(
            mark("平台现在不收，要求过后再发。"), retry_after=_LATER_ALL[code], everyone=True
        )
    if code.startswith(("InternalError", "ServerNetworkError", "ClientNetworkError")):
        return doubt()  # the platform lost sight of it on the way to the carrier
    return DeliveryError(f"Tencent {code[:80]}", permanent=True)
