"""Stand-in of WeCom application messages: tokens, members, the same call recognised, what is too much dropped."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Request, Response

from scheduler.sandbox import wechat_box as box
from scheduler.sandbox.calling_back import Callback
from scheduler.sandbox.core import Arrived, Sandbox

NAME = "wecom_app"
CORP, SECRET, AGENT = "wwsandbox0000000", "sandbox-wecom-secret-of-no-value", 1000002
_HOLDS = 7200
_LIMITS = {"text": (("content", 2048),), "textcard": (("title", 128), ("description", 512), ("url", 2048))}
_ARTICLE = (("title", 128), ("description", 512), ("url", 2048))
_Answer = tuple[int, dict[str, Any]]


class WecomApp:
    """One application of one corporation."""

    name = NAME

    def __init__(self) -> None:
        self.trusted = True  # the caller's address is one of the application's
        self.visible = {f"member{number}" for number in range(1, 31)} | {"ZhangSan"}
        self.unlicensed = {"member30"}
        self.fetched = 0
        self.dropped = 0
        self.events: list[dict[str, Any]] = []
        self._token, self._until = "", 0.0
        self._seen: dict[str, float] = {}

    def rules(self) -> Iterable[Rule]:
        """The addresses it answers."""
        return [
            Rule("/cgi-bin/gettoken", endpoint="token", methods=["GET"]),
            Rule("/cgi-bin/message/send", endpoint="send", methods=["POST"]),
        ]

    def refuse(self, code: Any) -> Response:
        """An error code of the platform."""
        return _json({"errcode": code, "errmsg": "as asked for, hint: [0]"})

    def expire(self) -> None:
        """Let the token that was given out end now."""
        self._until = 0.0

    def see(self, member: str, sees: bool) -> None:
        """A member comes into the application's sight, or out of it."""
        (self.visible.add if sees else self.visible.discard)(member)
        event = "subscribe" if sees else "unsubscribe"
        self.events.append({"FromUserName": member, "MsgType": "event", "Event": event, "AgentID": AGENT})

    def waiting(self, sandbox: Sandbox) -> list[Callback]:
        """Events to be called back, under the key."""
        with sandbox.lock:
            waiting, self.events = self.events, []
        return [Callback(*box.sealed_callback(one, sandbox.clock(), CORP), "text/xml") for one in waiting]

    def greeting(self, sandbox: Sandbox) -> Callback:
        """Whether an address is the application's: it must say back what only who has the key can read."""
        query, said = box.sealed_greeting(sandbox.clock(), CORP)
        return Callback(b"", query, wanted=said)

    def answer(
        self, sandbox: Sandbox, endpoint: str, request: Request, values: Mapping[str, Any]
    ) -> Response:
        """Judge a call as the platform would."""
        with sandbox.lock:
            if endpoint == "token":
                code, more = self._token_for(sandbox, request)
            else:
                code, more = self._send(sandbox, request)
        return _json({"errcode": code, "errmsg": "refused, hint: [0]" if code else "ok", **more})

    def _token_for(self, sandbox: Sandbox, request: Request) -> _Answer:
        if request.args.get("corpid") != CORP:
            return 40013, {}
        if request.args.get("corpsecret") != SECRET:
            return 40001, {}
        if self._until <= sandbox.clock():
            self.fetched += 1
            self._token, self._until = f"sandbox-app-token-{self.fetched}", sandbox.clock() + _HOLDS
        return 0, {"access_token": self._token, "expires_in": int(self._until - sandbox.clock())}

    def _send(self, sandbox: Sandbox, request: Request) -> _Answer:
        try:
            call = json.loads(request.get_data())
        except ValueError:
            return 40058, {}
        code = self._barred(sandbox, request.args.get("access_token", ""), call)
        if code:
            return code, {}
        wanted = [one for one in str(call.get("touser", "")).split("|") if one]
        known = {one.lower(): one for one in self.visible}
        invalid = [one for one in wanted if one.lower() not in known]
        if len(invalid) == len(wanted):
            return 81013, {"invaliduser": "|".join(invalid).lower()}
        unlicensed = [one for one in wanted if one in self.unlicensed]
        fit = [known[one.lower()] for one in wanted if one not in invalid and one not in unlicensed]
        if not self._same(sandbox, call):
            for member in fit:
                self._reach(sandbox, member, call)
        more = {"invaliduser": "|".join(invalid).lower(), "unlicenseduser": "|".join(unlicensed)}
        return 0, {**more, "msgid": f"msg-{len(self._seen)}-{len(fit)}"}

    def _barred(self, sandbox: Sandbox, token: str, call: dict[str, Any]) -> int:
        """The code of a call that is refused as a whole; 0 for one that is not."""
        members = [one for one in str(call.get("touser", "")).split("|") if one]
        rules = (
            (token == self._token and token, 40014),
            (self._until > sandbox.clock(), 42001),
            (self.trusted, 60020),
            (call.get("agentid") == AGENT, 40056),
            (len(members) <= 1000, 40058),
            (_fits(call), 40058),
        )
        code = next((code for kept, code in rules if not kept), 0)
        if not code and not sandbox.allows(NAME, "calls", 10_000, 60):
            code = 45009
        return code

    def _same(self, sandbox: Sandbox, call: dict[str, Any]) -> bool:
        """Whether the same call came before, within the time the caller set (half an hour unless said, four at most)."""
        if not call.get("enable_duplicate_check"):
            return False
        text, now = json.dumps(call, sort_keys=True), sandbox.clock()
        before = self._seen.get(text)
        if before is not None and now - before < min(int(call.get("duplicate_check_interval", 1800)), 14_400):
            return True
        self._seen[text] = now
        return False

    def _reach(self, sandbox: Sandbox, member: str, call: dict[str, Any]) -> None:
        """Show it to a member; what is more than one member takes disappears, and nobody is told."""
        minute = sandbox.allows(NAME, f"member {member}", 30, 60)
        if not minute or not sandbox.allows(NAME, f"member {member}", 1000, 3600):
            self.dropped += 1
            return
        kind = call["msgtype"]
        if kind == "text":
            sandbox.accept(Arrived(NAME, member, "", call["text"]["content"]))
            return
        card = call["news"]["articles"][0] if kind == "news" else call["textcard"]
        picture = card.get("picurl", "")
        sandbox.accept(Arrived(NAME, member, card["title"], card["description"], card["url"], picture))


def _fits(call: dict[str, Any]) -> bool:
    """Whether the content is of a known kind and within its bytes."""
    kind = call.get("msgtype")
    parts = call.get(str(kind))
    if not isinstance(parts, dict):
        return False
    if kind != "news":
        return kind in _LIMITS and _within(parts, _LIMITS[str(kind)])
    articles = parts.get("articles")
    return (
        isinstance(articles, list)
        and 1 <= len(articles) <= 8
        and all(_within(one, _ARTICLE) for one in articles)
    )


def _within(part: dict[str, Any], limits: Iterable[tuple[str, int]]) -> bool:
    return all(len(str(part.get(name, "")).encode()) <= most for name, most in limits) and any(part.values())


def _json(answer: dict[str, Any]) -> Response:
    return Response(json.dumps(answer, ensure_ascii=False), content_type="application/json; charset=utf-8")
