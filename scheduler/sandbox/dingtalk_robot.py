"""Robots of a DingTalk group: signature, keyword, twenty messages a minute and then ten minutes of nothing."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from werkzeug.routing import Rule
from werkzeug.wrappers import Request, Response

from scheduler.sandbox.core import Arrived, Sandbox, answered, told

NAME = "dingtalk_robot"
GROUP = "钉钉示范群"
TOKEN, SECRET = "5a4d5031ding", "SEC5a4d5031ding"  # of no value
WORD_TOKEN, WORD = "5a4d5031word", "路标"
_BODY, _BLOCKED, _VALID = 20 * 1024, 600, 3600  # bytes, seconds, seconds
_SAID = {
    -1: "system busy",
    40035: "invalid parameter",
    130101: "send too fast, exceed 20 times per minute",
    660026: "send too fast, exceed 20 times per minute",
    300005: "token is not exist",
    310000: "sign not match, more: [https://open.dingtalk.com]",
}


class _Robot(NamedTuple):
    secret: str = ""
    word: str = ""


_ROBOTS = {TOKEN: _Robot(secret=SECRET), WORD_TOKEN: _Robot(word=WORD)}


class DingtalkRobot:
    """One group with two robots, one that wants signatures and one that wants a word. HTTP is always 200."""

    name = NAME

    def __init__(self) -> None:
        self._blocked: dict[str, float] = {}  # until when, by token

    def rules(self) -> Iterable[Rule]:
        """The webhook."""
        return [Rule("/robot/send", endpoint="send", methods=["POST"])]

    def answer(
        self, sandbox: Sandbox, endpoint: str, request: Request, values: Mapping[str, Any]
    ) -> Response:
        """Post into the group."""
        token = request.args.get("access_token", "")
        robot = _ROBOTS.get(token)
        if robot is None:
            return self.refuse(300005)
        if robot.secret and not _signed(request, robot.secret, sandbox.clock()):
            return self.refuse(310000)
        if not self._room(sandbox, token):
            return self.refuse(130101)
        arrived = _read(told(request)) if len(request.get_data()) <= _BODY else "body exceeds 20 KB"
        if isinstance(arrived, str):
            sandbox.breach(NAME, arrived)
            return self.refuse(40035)
        if robot.word not in arrived.title + arrived.text:
            return answered({"errcode": 310000, "errmsg": "keywords not in content"})
        sandbox.accept(arrived)
        return answered({"errcode": 0, "errmsg": "ok"})

    def _room(self, sandbox: Sandbox, token: str) -> bool:
        with sandbox.lock:
            if sandbox.clock() < self._blocked.get(token, 0):
                return False
            if sandbox.allows(NAME, token, 20, 60):
                return True
            self._blocked[token] = sandbox.clock() + _BLOCKED
            return False

    def refuse(self, code: Any) -> Response:
        """An answer with an error code."""
        return answered({"errcode": code, "errmsg": _SAID.get(code, "error")})


def _signed(request: Request, secret: str, now: float) -> bool:
    stamp = request.args.get("timestamp", "")
    if not stamp.isdigit() or abs(int(stamp) / 1000 - now) > _VALID:
        return False
    text = stamp + "\n" + secret
    right = base64.b64encode(hmac.digest(secret.encode(), text.encode(), hashlib.sha256))
    return hmac.compare_digest(right, request.args.get("sign", "").encode())


def _read(body: Mapping[str, Any]) -> Arrived | str:
    """What the group sees, or what is wrong with it."""
    kind = body.get("msgtype")
    said = body.get(str(kind)) or {}
    if kind == "text" and said.get("content"):
        return Arrived(NAME, GROUP, "", said["content"])
    if kind == "markdown" and said.get("title") and said.get("text"):
        return Arrived(NAME, GROUP, said["title"], said["text"])
    if kind == "link" and said.get("title") and said.get("text") and said.get("messageUrl"):
        return Arrived(NAME, GROUP, said["title"], said["text"], said["messageUrl"], said.get("picUrl", ""))
    return f"msgtype {kind} lacks what it needs"
