"""Robots of a Feishu group: signature, keyword, five messages a second and a hundred a minute."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from werkzeug.routing import Rule
from werkzeug.wrappers import Request, Response

from scheduler.sandbox.core import Arrived, Sandbox, answered, told

NAME = "feishu_robot"
GROUP = "飞书示范群"
KEY, SECRET = "5a4d5031-feishu-sign", "5a4d5031feishu"  # of no value
WORD_KEY, WORD = "5a4d5031-feishu-word", "路标"
_BODY, _VALID = 20 * 1024, 3600  # bytes, seconds
_SAID = {
    9499: "Bad Request",
    11232: "frequency limited",
    19001: "param invalid: incoming webhook access token invalid",
    19021: "sign match fail or timestamp is not within one hour from current time",
    19022: "Ip Not Allowed",
    19024: "Key Words Not Found",
}


class _Robot(NamedTuple):
    secret: str = ""
    word: str = ""


_ROBOTS = {KEY: _Robot(secret=SECRET), WORD_KEY: _Robot(word=WORD)}


class FeishuRobot:
    """One group with two robots, one that wants signatures and one that wants a word. HTTP is always 200."""

    name = NAME

    def rules(self) -> Iterable[Rule]:
        """The webhook."""
        return [Rule("/open-apis/bot/v2/hook/<key>", endpoint="send", methods=["POST"])]

    def answer(
        self, sandbox: Sandbox, endpoint: str, request: Request, values: Mapping[str, Any]
    ) -> Response:
        """Post into the group."""
        robot, body = _ROBOTS.get(values["key"]), told(request)
        if robot is None:
            return self.refuse(19001)
        if robot.secret and not _signed(body, robot.secret, sandbox.clock()):
            return self.refuse(19021)
        with sandbox.lock:
            room = sandbox.allows(NAME, values["key"], 5, 1) and sandbox.allows(NAME, values["key"], 100, 60)
        if not room:
            return self.refuse(11232)
        arrived = _read(body) if len(request.get_data()) <= _BODY else "body exceeds 20 KB"
        if isinstance(arrived, str):
            sandbox.breach(NAME, arrived)
            return self.refuse(9499)
        if robot.word not in arrived.title + arrived.text:
            return self.refuse(19024)
        sandbox.accept(arrived)
        return answered(
            {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}
        )

    def refuse(self, code: Any) -> Response:
        """An answer with an error code."""
        return answered({"code": code, "data": {}, "msg": _SAID.get(code, "error")})


def _signed(body: Mapping[str, Any], secret: str, now: float) -> bool:
    stamp = str(body.get("timestamp", ""))
    if not stamp.isdigit() or abs(int(stamp) - now) > _VALID:
        return False
    right = base64.b64encode(hmac.digest((stamp + "\n" + secret).encode(), b"", hashlib.sha256))
    return hmac.compare_digest(right, str(body.get("sign", "")).encode())


def _read(body: Mapping[str, Any]) -> Arrived | str:
    """What the group sees, or what is wrong with it."""
    kind = body.get("msg_type")
    if kind == "text":
        text = (body.get("content") or {}).get("text")
        return Arrived(NAME, GROUP, "", text) if text else "content.text is empty"
    if kind != "interactive":
        return f"msg_type {kind} is unknown"
    card = body.get("card") or {}
    title = ((card.get("header") or {}).get("title") or {}).get("content")
    elements = card.get("elements") or []
    texts = [one["text"]["content"] for one in elements if one.get("tag") == "div"]
    links = [
        button["url"] for one in elements if one.get("tag") == "action" for button in one.get("actions", [])
    ]
    if not title or not elements:
        return "a card needs a title and elements"
    return Arrived(NAME, GROUP, title, "\n".join(texts), "".join(links[:1]))
