"""Stand-in of Aliyun SMS: SendSms, SendBatchSms, QuerySendDetails and the SmsReport callback.

Signatures are verified as help.aliyun.com “V3版本请求体&签名机制” says (ACS3-HMAC-SHA256), against the clock of the
machine, as SDKs sign by it.
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
from urllib.parse import parse_qsl, quote

from werkzeug.routing import Rule
from werkzeug.wrappers import Request, Response

from core import clock
from scheduler.sandbox.calling_back import Callback
from scheduler.sandbox.core import Arrived, Sandbox

NAME = "sms_aliyun"
ACCESS_KEY, SECRET = "LTAI5tSandboxOfSignpost", "sandbox-secret-of-no-value"
SIGN, CODE_SIGN, BLOCKED_SIGN = "路标保险", "路标验证", "未报备"
NOTICE, PROMOTION, CODE, EVENT = "SMS_270000001", "SMS_270000002", "SMS_270000003", "SMS_270000004"
TEMPLATES = {  # kind, text: what an institution had approved
    NOTICE: ("notice", "${title}：${summary}详情${link}退订${unsubscribe}"),
    PROMOTION: ("promotion", "${title}${link}拒收请回复R"),
    EVENT: ("notice", "${event}，${when}，${where}。签到码${code}，改约或取消${link}"),
    CODE: ("code", "验证码${code}，五分钟内有效。"),
}
BLACKLISTED, NO_SUCH = "13800000403", "13800000404"  # reported as undelivered
BAD_WORD = "赌博"
_LIMITS = {
    "notice": ((50, 86400, "天"),),
    "promotion": ((50, 86400, "天"),),
    "code": ((1, 60, "分钟"), (5, 3600, "小时"), (10, 86400, "天")),
}
_CHINA = timezone(timedelta(hours=8))
_SIGNED = {
    "host",
    "x-acs-action",
    "x-acs-version",
    "x-acs-date",
    "x-acs-content-sha256",
    "x-acs-signature-nonce",
}
_FAILED = {BLACKLISTED: ("BLACKLIST", "号码在黑名单里"), NO_SUCH: ("MK:0001", "空号")}


@dataclass
class Record:
    """A message that was accepted for a number."""

    phone: str
    content: str
    template: str
    biz_id: str
    out_id: str
    at: datetime
    reported: bool = False


class _Refused(Exception):
    """A code, and the words that come with it."""


class SmsAliyun:
    """An account of Aliyun's short message service."""

    name = NAME

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._nonces: set[str] = set()
        self._lock = threading.RLock()

    def rules(self) -> Iterable[Rule]:
        """One address for all calls."""
        return [Rule("/", endpoint="call", methods=["POST"])]

    def answer(
        self, sandbox: Sandbox, endpoint: str, request: Request, values: Mapping[str, Any]
    ) -> Response:
        """Judge a call; its action is a header."""
        try:
            self._verify(request)
            given = {**dict(_query(request)), **request.form.to_dict()}
            actions = {
                "SendSms": self._send,
                "SendBatchSms": self._send_batch,
                "QuerySendDetails": self._details,
            }
            action = actions.get(request.headers["x-acs-action"])
            if action is None or request.headers["x-acs-version"] != "2017-05-25":
                raise _Refused("InvalidAction.NotFound", "Specified api is not found.")
            with self._lock:
                return _json({"Code": "OK", "Message": "OK", **action(sandbox, given)})
        except _Refused as refused:
            return self.refuse(" ".join(refused.args))

    def refuse(self, code: Any) -> Response:
        """One of Aliyun's codes, with its words after a blank; codes of the gateway come with 400."""
        code, _, text = str(code).partition(" ")
        status = 200 if code.startswith(("isv.", "isp.")) else 400
        return _json({"Code": code, "Message": text or code}, status)

    def waiting(self, sandbox: Sandbox) -> list[Callback]:
        """What the carriers reported since the last time, to be called back."""
        with self._lock:
            new = any(not one.reported for one in self.records)
        return [Callback(self.report(), wanted=b'"code":0')] if new else []

    def report(self) -> bytes:
        """The body of the next callback: every message that was not reported yet."""
        with self._lock:
            waiting = [one for one in self.records if not one.reported]
            for one in waiting:
                one.reported = True
        return json.dumps([_reported(one) for one in waiting], ensure_ascii=False).encode()

    def _verify(self, request: Request) -> None:
        found = re.fullmatch(
            r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})",
            request.headers.get("Authorization", ""),
        )
        if found is None or not set(found[2].split(";")) >= _SIGNED:
            raise _Refused("IncompleteSignature", "The request signature does not conform to standards.")
        if found[1] != ACCESS_KEY:
            raise _Refused("InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        if not hmac.compare_digest(signature(request, found[2], SECRET), found[3]):
            raise _Refused("SignatureDoesNotMatch", "Specified signature does not match our calculation.")
        said = datetime.strptime(request.headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        if abs(clock.now() - said) > timedelta(minutes=15):
            raise _Refused("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
        with self._lock:
            if request.headers["x-acs-signature-nonce"] in self._nonces:
                raise _Refused("SignatureNonceUsed", "Specified signature nonce was used already.")
            self._nonces.add(request.headers["x-acs-signature-nonce"])

    def _send(self, sandbox: Sandbox, given: Mapping[str, str]) -> dict[str, Any]:
        phones = given.get("PhoneNumbers", "").split(",")
        if len(phones) > 1000:
            sandbox.breach(NAME, "more than 1000 numbers in SendSms")
            raise _Refused("isv.MOBILE_COUNT_OVER_LIMIT", "手机号码数量超过限制")
        filled = [given.get("TemplateParam") or "{}"] * len(phones)
        return self._accept(sandbox, given, phones, [given.get("SignName", "")] * len(phones), filled)

    def _send_batch(self, sandbox: Sandbox, given: Mapping[str, str]) -> dict[str, Any]:
        lists = [given.get(name, "[]") for name in ("PhoneNumberJson", "SignNameJson", "TemplateParamJson")]
        phones, signs, filled = (_list(one) for one in lists)
        if len(phones) > 100:
            sandbox.breach(NAME, "more than 100 numbers in SendBatchSms")
            raise _Refused("isv.MOBILE_COUNT_OVER_LIMIT", "手机号码数量超过限制")
        if not len(phones) == len(signs) == len(filled):
            raise _Refused("isv.INVALID_PARAMETERS", "参数异常")
        return self._accept(sandbox, given, phones, signs, [json.dumps(one) for one in filled])

    def _accept(
        self,
        sandbox: Sandbox,
        given: Mapping[str, str],
        phones: list[str],
        signs: list[str],
        filled: list[str],
    ) -> dict[str, Any]:
        """One answer for all: a single bad number has all refused. What is counted is the submission."""
        template = given.get("TemplateCode", "")
        kind, text = TEMPLATES.get(template, ("", ""))
        if not kind:
            raise _Refused("isv.SMS_TEMPLATE_ILLEGAL", "该账号下找不到对应模板")
        plain = [_plain(one) for one in phones]
        bodies = [
            f"【{sign}】{_filled(text, one)}" for sign, one in zip(_signs(signs, kind), filled, strict=True)
        ]
        for phone, sign in zip(plain, signs, strict=True):
            for times, seconds, word in _LIMITS[kind]:
                if not sandbox.allows(NAME, f"{phone} {sign} {template}", times, seconds):
                    raise _Refused("isv.BUSINESS_LIMIT_CONTROL", f"触发{word}级流控Permits:{times}")
        biz_id = f"{len(self.records) + 1:012d}^0"
        at = datetime.fromtimestamp(sandbox.clock(), _CHINA)
        for phone, sign, body in zip(plain, signs, bodies, strict=True):
            self.records.append(Record(phone, body, template, biz_id, given.get("OutId", ""), at))
            sandbox.accept(Arrived(NAME, phone, sign, body, _link(body), key=given.get("OutId", "")))
        return {"BizId": biz_id, "RequestId": biz_id}

    def _details(self, sandbox: Sandbox, given: Mapping[str, str]) -> dict[str, Any]:
        size, page = int(given.get("PageSize", 10)), int(given.get("CurrentPage", 1))
        if size > 50:
            raise _Refused("isv.INVALID_PARAMETERS", "PageSize")
        phone, day = _plain(given.get("PhoneNumber", "")), given.get("SendDate", "")
        held = [one for one in self.records if one.phone == phone and f"{one.at:%Y%m%d}" == day]
        shown = [_detail(one) for one in held[(page - 1) * size : page * size]]
        return {"TotalCount": len(held), "SmsSendDetailDTOs": {"SmsSendDetailDTO": shown}}


def signature(request: Request, signed: str, secret: str) -> str:
    """The signature a request should carry; every byte of the body counts."""
    payload = hashlib.sha256(request.get_data(cache=True)).hexdigest()
    query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in sorted(_query(request))
    )
    headers = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in signed.split(";"))
    canonical = "\n".join((request.method, "/", query, headers, signed, payload))
    if request.headers.get("x-acs-content-sha256") != payload:
        return ""
    text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def _query(request: Request) -> list[tuple[str, str]]:
    return parse_qsl(request.query_string.decode(), keep_blank_values=True)


def _signs(signs: list[str], kind: str) -> list[str]:
    for sign in signs:
        if sign == BLOCKED_SIGN:
            raise _Refused("isv.SIGN_STATE_ILLEGAL", "签名状态为“不可用”")
        if sign not in (SIGN, CODE_SIGN):
            raise _Refused("isv.SMS_SIGNATURE_ILLEGAL", "该账号下找不到对应签名")
        if sign == CODE_SIGN and kind != "code":
            raise _Refused("isv.SMS_SIGNATURE_SCENE_ILLEGAL", "签名和模板类型不一致")
    return signs


def _filled(text: str, given: str) -> str:
    """The content; every variable must be given, as a text."""
    values = _object(given)
    for name in re.findall(r"\$\{(\w+)\}", text):
        if name not in values:
            raise _Refused("isv.TEMPLATE_MISSING_PARAMETERS", "模板缺少变量")
        if BAD_WORD in values[name]:
            raise _Refused("isv.BLACK_KEY_CONTROL_LIMIT", "变量中有黑名单关键字")
        text = text.replace(f"${{{name}}}", values[name])
    return text


def _object(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise _Refused("isv.INVALID_JSON_PARAM", "JSON参数不合法,只接受字符串值")
    return found


def _list(text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise _Refused("isv.INVALID_JSON_PARAM", "JSON参数不合法")
    return found


def _plain(phone: str) -> str:
    """A domestic number in eleven digits; + 86 and 0086 may stand before it."""
    digits = re.sub(r"^(\+?86|0086|\+)(?=1\d{10}$)", "", phone)
    if not re.fullmatch(r"1[3-9]\d{9}", digits):
        raise _Refused("isv.MOBILE_NUMBER_ILLEGAL", "非法手机号")
    return digits


def _link(text: str) -> str:
    found = re.search(r"https?://[\x21-\x7e]+", text)
    return found[0] if found else ""


def _state(one: Record) -> tuple[int, str]:
    if not one.reported:
        return 1, ""
    return (2, _FAILED[one.phone][0]) if one.phone in _FAILED else (3, "DELIVERED")


def _detail(one: Record) -> dict[str, Any]:
    state, code = _state(one)
    at = f"{one.at:%Y-%m-%d %H:%M:%S}"
    return {
        "PhoneNum": one.phone, "SendStatus": state, "ErrCode": code, "TemplateCode": one.template,
        "Content": one.content, "SendDate": at, "ReceiveDate": at, "OutId": one.out_id,
    }  # fmt: skip


def _reported(one: Record) -> dict[str, Any]:
    code, text = _FAILED.get(one.phone, ("DELIVERED", "用户接收成功"))
    at = f"{one.at:%Y-%m-%d %H:%M:%S}"
    return {
        "phone_number": one.phone, "send_time": at, "report_time": at, "success": one.phone not in _FAILED,
        "err_code": code, "err_msg": text, "sms_size": "1", "biz_id": one.biz_id, "out_id": one.out_id,
    }  # fmt: skip


def _json(body: Mapping[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, content_type="application/json")
