"""Getui (个推), REST v2: auth, a message for a list, and the list, as docs.getui.com says.

A message under a request_id that was seen is lost: it is answered like any other and reaches nobody. Client ids that
begin with `gone` belong to nobody, with `idle` were not seen for 90 days, with `off` are offline now.
"""

import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Request, Response

from scheduler.sandbox.core import Arrived, Sandbox

NAME = "getui"
APP = "sandboxAppId8Rk2mQ"
KEY = "sandboxAppKey3Tz9wL"
SECRET = "sandbox-master-secret-of-no-value"  # noqa: S105 (it opens nothing)
_DAY = 86400.0
_STATES = {"idle": "successed_ignore", "off": "successed_offline"}
_SAID = {10001: "token is invalid", 20001: "param is invalid", 20002: "target user is invalid"}


class Getui:
    """The platform with one application."""

    name = NAME

    def __init__(self) -> None:
        self.tokens: dict[str, float] = {}
        self.targets: Counter[str] = Counter()  # devices by task
        self.clicks: Counter[str] = Counter()
        self._seen: set[str] = set()
        self._tasks: dict[str, dict[str, Any] | None] = {}

    def rules(self) -> Iterable[Rule]:
        """Auth, message, list."""
        base = "/v2/<app>"
        return [
            Rule(base + "/auth", endpoint="auth", methods=["POST"]),
            Rule(base + "/push/list/message", endpoint="message", methods=["POST"]),
            Rule(base + "/push/list/cid", endpoint="cid", methods=["POST"]),
            Rule(base + "/report/push/task/<tasks>", endpoint="report", methods=["GET"]),
        ]

    def answer(
        self, sandbox: Sandbox, endpoint: str, request: Request, values: Mapping[str, Any]
    ) -> Response:
        """One call; all but auth want a token."""
        if values["app"] != APP:
            return self.refuse(10002)
        call = json.loads(request.get_data() or b"{}")
        with sandbox.lock:
            if endpoint == "auth":
                return self._auth(sandbox, call)
            if self.tokens.get(request.headers.get("token", ""), 0.0) <= sandbox.clock():
                return self.refuse(10001)
            if endpoint == "report":
                return self._report(values["tasks"].split(","))
            return self._message(sandbox, call) if endpoint == "message" else self._list(sandbox, call)

    def refuse(self, code: Any) -> Response:
        """An error of the platform. 20002 stands here for the 20001 that is about a client id."""
        said = _SAID.get(code, "refused by the sandbox")
        status = {1: 401, 2: 400, 3: 403}.get(code // 10000, 200)
        return _said({"code": 20001 if code == 20002 else code, "msg": said}, status)

    def _auth(self, sandbox: Sandbox, call: dict[str, Any]) -> Response:
        stamp = str(call.get("timestamp", ""))
        wanted = hashlib.sha256((KEY + stamp + SECRET).encode()).hexdigest()
        late = not stamp.isdigit() or abs(int(stamp) / 1000 - sandbox.clock()) > 600
        if call.get("appkey") != KEY or call.get("sign") != wanted or late:
            return self.refuse(10001)
        token, until = uuid.uuid4().hex, sandbox.clock() + _DAY
        self.tokens[token] = until
        return _said({"code": 0, "msg": "", "data": {"token": token, "expire_time": str(int(until * 1000))}})

    def _message(self, sandbox: Sandbox, call: dict[str, Any]) -> Response:
        notice = call.get("push_message", {}).get("notification", {})
        ttl = call.get("settings", {}).get("ttl", 7_200_000)
        if not _well_formed(notice) or not -1 <= ttl <= 259_200_000:
            sandbox.breach(self.name, "a message that is not as documented")
            return self.refuse(20001)
        number, task = call.get("request_id"), f"RASL_{uuid.uuid4().hex}"
        if number is not None and not 10 <= len(number) <= 32:
            return self.refuse(20001)
        lost = number in self._seen
        if lost:
            sandbox.breach(self.name, "a request_id was used twice: the message is lost")
        if number is not None:
            self._seen.add(number)
        self._tasks[task] = None if lost else notice
        return _said({"code": 0, "msg": "", "data": {"taskid": task}})

    def _list(self, sandbox: Sandbox, call: dict[str, Any]) -> Response:
        ids, task = call.get("audience", {}).get("cid", []), call.get("taskid")
        if task not in self._tasks or not 0 < len(ids) == len(set(ids)) <= 1000:
            sandbox.breach(self.name, "a list that is not as documented")
            return self.refuse(20001)
        if any(one.startswith("gone") for one in ids):
            return self.refuse(20002)
        notice = self._tasks[task]
        self.targets[task] += len(ids)
        states = {one: _STATES.get(one.rstrip("0123456789"), "successed_online") for one in ids}
        for one, state in states.items():
            if notice is not None and state != "successed_ignore":
                link, picture = notice.get("url", ""), notice.get("big_image", "")
                sandbox.accept(Arrived(self.name, one, notice["title"], notice["body"], link, picture))
        return _said({"code": 0, "msg": "", "data": {task: {} if call.get("is_async") else states}})

    def _report(self, tasks: list[str]) -> Response:
        """Figures so far, as texts; a task that is unknown is left out."""
        if len(tasks) > 200:
            return self.refuse(20001)
        found = {
            task: {
                "total": {
                    "target_num": str(self.targets[task]), "receive_num": str(self.targets[task]),
                    "display_num": str(self.targets[task]), "click_num": str(self.clicks[task]),
                }
            }
            for task in tasks
            if task in self._tasks
        }  # fmt: skip
        return _said({"code": 0, "msg": "", "data": found})


def _well_formed(notice: dict[str, Any]) -> bool:
    """Something to say, within 50 and 256 characters, and a known click with what it needs."""
    title, text, click = notice.get("title", ""), notice.get("body", ""), notice.get("click_type")
    return (
        0 < len(title) <= 50
        and 0 < len(text) <= 256
        and click in ("url", "startapp", "none", "intent", "payload")
        and (click != "url" or 0 < len(notice.get("url", "")) <= 1024)
    )


def _said(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
