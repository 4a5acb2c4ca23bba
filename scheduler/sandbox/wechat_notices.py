"""Notices of the stand-in of a 服务号: by template, and by subscription, one message for each consent."""

from collections.abc import Callable
from typing import Any

from scheduler.sandbox.core import Arrived, Sandbox
from scheduler.sandbox.wechat_box import Follower, Sent

TEMPLATES = {"sandbox-template": "活动提醒", "sandbox-template-2": "服务通知"}
_Answer = tuple[int, dict[str, Any]]


class Notices:
    """Sends one notice a call to a follower. `tell` has a callback wait, `number` gives the next number."""

    def __init__(
        self, followers: dict[str, Follower], tell: Callable[..., None], number: Callable[[], str]
    ) -> None:
        self._followers = followers
        self._tell = tell
        self._number = number
        self._seen: dict[str, Sent] = {}

    def template(self, sandbox: Sandbox, body: dict[str, Any]) -> _Answer:
        """By template; a `client_msg_id` is known again for ten minutes."""
        key = f"{body.get('client_msg_id', '')} {body.get('touser')}"
        before = self._seen.get(key)
        if before and body.get("client_msg_id") and sandbox.clock() - before.at < 600:
            return 0, {"msgid": before.number}
        code = self._wrong(body)
        if code:
            return code, {}
        openid = str(body["touser"])
        blocked = self._followers[openid].blocks_notices
        number = self._number() if blocked else self._shown(sandbox, body, str(body.get("url", "")))
        self._seen[key] = Sent(int(number), sandbox.clock())
        status = "failed:user block" if blocked else "success"
        self._tell("TEMPLATESENDJOBFINISH", openid, MsgID=int(number), Status=status)
        return 0, {"msgid": int(number)}

    def subscribe(self, sandbox: Sandbox, body: dict[str, Any]) -> _Answer:
        """By subscription: each consent is used up by one message."""
        code = self._wrong(body)
        if code:
            return code, {}
        follower = self._followers[str(body["touser"])]
        if follower.subscribed < 1:
            return 43101, {}
        follower.subscribed -= 1
        self._shown(sandbox, body, str(body.get("page", "")))
        return 0, {}

    def _wrong(self, body: dict[str, Any]) -> int:
        follower = self._followers.get(str(body.get("touser")))
        if follower is None:
            return 40003
        if body.get("template_id") not in TEMPLATES:
            return 40037
        return 0 if follower.following else 43004

    def _shown(self, sandbox: Sandbox, body: dict[str, Any], link: str) -> str:
        number = self._number()
        lines = [str(one.get("value", "")) for one in (body.get("data") or {}).values()]
        title = TEMPLATES[str(body["template_id"])]
        sandbox.accept(Arrived("wechat", str(body["touser"]), title, "\n".join(lines), link, key=number))
        return number
