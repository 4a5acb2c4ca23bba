"""JPush (极光), REST v3: push, cid and figures, as docs.jiguang.cn says.

Registration ids that begin with `gone` belong to nobody, with `off` to devices that are switched off; `ios` and `hmos`
have a message by way of their makers. A call reaches whom it can; 1011 only when that is nobody.
"""

import base64
import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Request, Response

from scheduler.sandbox.core import Arrived, Sandbox

NAME = "jpush"
APP = "8103a4c628a0b98994ec1949"
SECRET = "sandbox-master-secret-of-no-value"  # noqa: S105 (it opens nothing)
_DAY = 86400.0
_WAYS, _COMMON = {"ios": "ios_apns_received", "hmos": "hmos_hmpns_received"}, "jpush_received"
_STATUS = {1004: 401, 2002: 429, 1000: 500, 1030: 503, 2003: 403}


class JPush:
    """The platform with one application."""

    name = NAME

    def __init__(self) -> None:
        self._cids: dict[str, float] = {}
        self._known: dict[str, dict[str, Any]] = {}
        self._had: dict[str, Counter[str]] = {}

    def rules(self) -> Iterable[Rule]:
        """Push, cids for it, and how many devices had a message."""
        return [
            Rule("/v3/push", endpoint="push", methods=["POST"]),
            Rule("/v3/push/cid", endpoint="cid", methods=["GET"]),
            Rule("/v3/report/received/detail", endpoint="figures", methods=["GET"]),
        ]

    def answer(
        self, sandbox: Sandbox, endpoint: str, request: Request, values: Mapping[str, Any]
    ) -> Response:
        """One call, after who it is and how often."""
        wanted = "Basic " + base64.b64encode(f"{APP}:{SECRET}".encode()).decode()
        if request.headers.get("Authorization") != wanted:
            return self.refuse(1004)
        if not sandbox.allows(self.name, "all", 600, 60):
            return self.refuse(2002)
        if endpoint == "cid":
            return self._give(sandbox, request)
        if endpoint == "figures":
            return self._count(request)
        with sandbox.lock:
            return self._push(sandbox, json.loads(request.get_data()))

    def refuse(self, code: Any) -> Response:
        """An error of the platform; 429 says when there is room again."""
        status = _STATUS.get(code, 400)
        headers = {"X-Rate-Limit-Reset": "60"} if status == 429 else {}
        body = json.dumps({"error": {"code": code, "message": "refused by the sandbox"}})
        return Response(body, status, headers, content_type="application/json")

    def _give(self, sandbox: Sandbox, request: Request) -> Response:
        count = min(10, int(request.args.get("count", "1")))
        given = [f"{APP}-{uuid.uuid4()}" for _ in range(count)]
        with sandbox.lock:
            self._cids |= dict.fromkeys(given, sandbox.clock())
        return _said({"cidlist": given})

    def _count(self, request: Request) -> Response:
        """Devices by the way their message took; null for a way that none took, nothing of a message it forgot."""
        numbers = request.args.get("msg_ids", "").split(",")
        if not numbers[0] or len(numbers) > 100:
            return self.refuse(1003)
        known = [(one, self._had[one]) for one in numbers if one in self._had]
        rows = [
            {"msg_id": one} | {way: had.get(way) for way in (*_WAYS.values(), _COMMON)} for one, had in known
        ]
        return Response(json.dumps(rows), content_type="application/json")

    def _push(self, sandbox: Sandbox, call: dict[str, Any]) -> Response:
        cid = call.get("cid")
        if cid is not None:
            if sandbox.clock() - self._cids.get(cid, -_DAY) >= _DAY:
                return self.refuse(1003)
            if cid in self._known:
                return _said(self._known[cid])
        ids = call.get("audience", {}).get("registration_id", [])
        notice = call.get("notification", {})
        if not _well_formed(call, ids):
            sandbox.breach(self.name, "a call that is not as documented")
            return self.refuse(1003)
        reached = [one for one in ids if not one.startswith("gone")]
        if not reached:
            return self.refuse(1011)
        for one in reached:
            shown = notice["android"]
            sandbox.accept(
                Arrived(
                    self.name,
                    one,
                    shown["title"],
                    shown["alert"],
                    shown.get("extras", {}).get("link", ""),
                    shown.get("big_pic_path", ""),
                )
            )
        said = {"sendno": "0", "msg_id": str(uuid.uuid4().int % 10**17)}
        ways = (_way(one) for one in reached if not one.startswith("off"))
        self._had[said["msg_id"]] = Counter(ways)
        if cid is not None:
            self._known[cid] = said
        return _said(said)


def _way(device: str) -> str:
    return next((way for kind, way in _WAYS.items() if device.startswith(kind)), _COMMON)


def _well_formed(call: dict[str, Any], ids: Any) -> bool:
    """A platform, at most a thousand different devices, something to say on each system, days to keep it."""
    notice = call.get("notification", {})
    apple = notice.get("ios", {}).get("alert", {})
    return (
        call.get("platform") == "all"
        and isinstance(ids, list)
        and 0 < len(ids) == len(set(ids)) <= 1000
        and all(notice.get(system, {}).get("alert") for system in ("android", "hmos"))
        and bool(apple.get("body"))
        and isinstance(notice.get("hmos", {}).get("intent"), dict)
        and 0 <= call.get("options", {}).get("time_to_live", 86400) <= 864000
    )


def _said(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), content_type="application/json")
