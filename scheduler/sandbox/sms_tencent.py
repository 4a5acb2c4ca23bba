"""Stand-in of Tencent Cloud SMS 2021-01-11: SendSms, the two ways to pull delivery states, and their callback.

Signatures are verified as cloud.tencent.com/document/api/382/52072 says (TC3-HMAC-SHA256), against the clock of the
machine, as SDKs sign by it. Parameters of templates are numbered: {1}, {2}.
"""

import hashlib
import hmac
import json
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Request, Response

from core import clock
from scheduler.sandbox.calling_back import Callback
from scheduler.sandbox.core import Arrived, Sandbox

NAME = "sms_tencent"
SECRET_ID, SECRET_KEY = "AKIDsandboxOfSignpost", "sandbox-key-of-no-value"
APP, SIGN = "1400006666", "路标保险"
NOTICE, PROMOTION = "1234567", "1234568"
TEMPLATES = {  # what an institution had approved
    NOTICE: "{1}：{2}详情s.example.cn/{3}退订s.example.cn/u/{4}",
    PROMOTION: "{1}s.example.cn/{2}拒收请回复R",
}
BLACKLISTED, NO_SUCH = "+8613800000403", "+8613800000404"  # unsubscribed; reported as undelivered
BAD_WORD = "赌博"
LIMITS = (  # per number; an institution may set others in its console
    (1, 30, "LimitExceeded.PhoneNumberThirtySecondLimit"),
    (5, 3600, "LimitExceeded.PhoneNumberOneHourLimit"),
    (10, 86400, "LimitExceeded.PhoneNumberDailyLimit"),
)
_CHINA = timezone(timedelta(hours=8))


@dataclass
class Record:
    """A message that was accepted for a number; its state is there once the carrier has reported."""

    phone: str
    serial: str
    context: str
    at: float
    reported: bool = False
    pulled: bool = False


class _Refused(Exception):
    """A code of Tencent's."""


class SmsTencent:
    """An application of Tencent's short message service."""

    name = NAME

    def __init__(self, limits: Iterable[tuple[int, int, str]] = LIMITS) -> None:
        self._limits = tuple(limits)
        self.records: list[Record] = []
        self._lock = threading.RLock()

    def rules(self) -> Iterable[Rule]:
        """One address for all calls."""
        return [Rule("/", endpoint="call", methods=["POST"])]

    def answer(
        self, sandbox: Sandbox, endpoint: str, request: Request, values: Mapping[str, Any]
    ) -> Response:
        """Judge a call; its action is a header."""
        try:
            _verify(request)
            given = json.loads(request.get_data())
            actions = {
                "SendSms": self._send,
                "PullSmsSendStatus": self._pull,
                "PullSmsSendStatusByPhoneNumber": self._pull_number,
            }
            action = actions.get(request.headers.get("X-TC-Action", ""))
            if action is None or request.headers.get("X-TC-Version") != "2021-01-11":
                raise _Refused("InvalidAction")
            if given.get("SmsSdkAppId") != APP:
                raise _Refused("InvalidParameterValue.SdkAppIdNotExist")
            with self._lock:
                return _json(action(sandbox, given))
        except _Refused as refused:
            return self.refuse(refused.args[0])

    def refuse(self, code: Any) -> Response:
        """One of Tencent's codes for the whole call; HTTP says 200."""
        return _json({"Error": {"Code": str(code), "Message": str(code)}})

    def waiting(self, sandbox: Sandbox) -> list[Callback]:
        """What the carriers reported since the last time, to be called back."""
        with self._lock:
            new = any(not one.reported for one in self.records)
        return [Callback(self.report(), wanted=b'"result":0')] if new else []

    def report(self) -> bytes:
        """The carriers report: the body of the next callback."""
        with self._lock:
            waiting = [one for one in self.records if not one.reported]
            for one in waiting:
                one.reported = True
        return json.dumps([_called_back(one) for one in waiting], ensure_ascii=False).encode()

    def _send(self, sandbox: Sandbox, given: Mapping[str, Any]) -> dict[str, Any]:
        phones = given.get("PhoneNumberSet") or []
        if not phones:
            raise _Refused("MissingParameter.EmptyPhoneNumberSet")
        if len(phones) > 200:
            sandbox.breach(NAME, "more than 200 numbers in SendSms")
            raise _Refused("LimitExceeded.PhoneNumberCountLimit")
        if len({one.startswith("+86") for one in phones}) > 1:
            raise _Refused("UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber")
        if given.get("SignName") != SIGN:
            raise _Refused("FailedOperation.SignatureIncorrectOrUnapproved")
        context = given.get("SessionContext") or ""
        if len(context.encode()) >= 512:
            raise _Refused("InvalidParameter.InvalidParameters")
        text = f"【{SIGN}】{_filled(given)}"
        return {"SendStatusSet": [self._one(sandbox, phone, text, context) for phone in phones]}

    def _one(self, sandbox: Sandbox, phone: str, text: str, context: str) -> dict[str, Any]:
        code = self._judged(sandbox, phone)
        serial = f"2026:{len(self.records) + 1:012d}" if code == "Ok" else ""
        if code == "Ok":
            self.records.append(Record(phone, serial, context, sandbox.clock()))
            sandbox.accept(Arrived(NAME, phone, SIGN, text, _link(text), key=context))
        return {
            "SerialNo": serial, "PhoneNumber": phone, "Fee": int(code == "Ok"), "SessionContext": context,
            "Code": code, "Message": "send success" if code == "Ok" else code, "IsoCode": "CN",
        }  # fmt: skip

    def _judged(self, sandbox: Sandbox, phone: str) -> str:
        """What is said of one number."""
        if not re.fullmatch(r"\+861[3-9]\d{9}", phone):
            return "InvalidParameterValue.IncorrectPhoneNumber"
        if phone == BLACKLISTED:
            return "FailedOperation.PhoneNumberInBlacklist"
        for times, seconds, code in self._limits:
            if not sandbox.allows(NAME, phone, times, seconds):
                return code
        return "Ok"

    def _pull(self, sandbox: Sandbox, given: Mapping[str, Any]) -> dict[str, Any]:
        waiting = [one for one in self.records if one.reported and not one.pulled]
        found = waiting[: min(int(given["Limit"]), 100)]
        for one in found:
            one.pulled = True
        return {"PullSmsSendStatusSet": [_pulled(one) for one in found]}

    def _pull_number(self, sandbox: Sandbox, given: Mapping[str, Any]) -> dict[str, Any]:
        if given["BeginTime"] < sandbox.clock() - 7 * 86400:
            raise _Refused("InvalidParameterValue.BeginTimeVerifyFail")
        if given["EndTime"] <= given["BeginTime"]:
            raise _Refused("InvalidParameterValue.EndTimeVerifyFail")
        if given["Limit"] > 100 or given["Offset"] != 0:
            raise _Refused("InvalidParameterValue.LimitVerifyFail")
        held = [
            one
            for one in self.records
            if one.reported
            and one.phone == given["PhoneNumber"]
            and given["BeginTime"] <= one.at <= given["EndTime"]
        ]
        return {"PullSmsSendStatusSet": [_pulled(one) for one in held[: given["Limit"]]]}


def signature(request: Request, date: str, signed: str, secret: str) -> str:
    """The signature a request should carry; every byte of the body counts."""
    headers = "".join(
        f"{name}:{request.headers.get(name, '').strip().lower()}\n" for name in signed.split(";")
    )
    payload = hashlib.sha256(request.get_data(cache=True)).hexdigest()
    query = request.query_string.decode()
    canonical = "\n".join((request.method, "/", query, headers, signed, payload))
    scope = f"{date}/sms/tc3_request"
    stamp = request.headers.get("X-TC-Timestamp", "")
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    key = b"TC3" + secret.encode()
    for part in (date, "sms", "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = "\n".join(("TC3-HMAC-SHA256", stamp, scope, hashed))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _verify(request: Request) -> None:
    found = re.fullmatch(
        r"TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/sms/tc3_request, "
        r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})",
        request.headers.get("Authorization", ""),
    )
    stamp = request.headers.get("X-TC-Timestamp", "")
    if found is None or not {"content-type", "host"} <= set(found[3].split(";")) or not stamp.isdigit():
        raise _Refused("AuthFailure.SignatureFailure")
    if found[1] != SECRET_ID:
        raise _Refused("AuthFailure.SecretIdNotFound")
    if abs(clock.now().timestamp() - int(stamp)) > 300:
        raise _Refused("AuthFailure.SignatureExpire")
    same_day = f"{datetime.fromtimestamp(int(stamp), UTC):%Y-%m-%d}" == found[2]
    if not same_day or not hmac.compare_digest(signature(request, found[2], found[3], SECRET_KEY), found[4]):
        raise _Refused("AuthFailure.SignatureFailure")


def _filled(given: Mapping[str, Any]) -> str:
    """The content; as many parameters as the template has places, and no address among them."""
    text, values = TEMPLATES.get(given.get("TemplateId", "")), given.get("TemplateParamSet") or []
    if text is None:
        raise _Refused("FailedOperation.TemplateUnapprovedOrNotExist")
    if len(values) != len(re.findall(r"\{\d+\}", text)):
        raise _Refused("FailedOperation.TemplateParamSetNotMatchApprovedTemplate")
    for place, value in enumerate(values, 1):
        if re.search(r"https?://|www\.", value):
            raise _Refused("InvalidParameterValue.ProhibitedUseUrlInTemplateParameter")
        if BAD_WORD in value:
            raise _Refused("FailedOperation.ContainSensitiveWord")
        text = text.replace(f"{{{place}}}", value)
    return text


def _link(text: str) -> str:
    found = re.search(r"s\.example\.cn/[\x21-\x7e]+", text)
    return f"https://{found[0]}" if found else ""


def _state(one: Record) -> tuple[str, str, str]:
    if one.phone == NO_SUCH:
        return "FAIL", "MK:0001", "空号"
    return "SUCCESS", "DELIVRD", "用户短信送达成功"


def _called_back(one: Record) -> dict[str, Any]:
    status, code, text = _state(one)
    return {
        "user_receive_time": f"{datetime.fromtimestamp(one.at, _CHINA):%Y-%m-%d %H:%M:%S}", "nationcode": "86",
        "mobile": one.phone[3:], "report_status": status, "errmsg": code, "description": text, "sid": one.serial,
    }  # fmt: skip


def _pulled(one: Record) -> dict[str, Any]:
    status, _code, text = _state(one)
    return {
        "UserReceiveTime": int(one.at), "CountryCode": "86", "SubscriberNumber": one.phone[3:],
        "PhoneNumber": one.phone, "SerialNo": one.serial, "ReportStatus": status, "Description": text,
        "SessionContext": one.context,
    }  # fmt: skip


def _json(body: Mapping[str, Any]) -> Response:
    text = json.dumps({"Response": {**body, "RequestId": "sandbox"}}, ensure_ascii=False)
    return Response(text, content_type="application/json")
