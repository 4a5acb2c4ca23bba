"""Stand-in of WeChat official accounts: tokens, material, drafts, mass sending, notices, callbacks, figures.

It judges by the documentation (developers.weixin.qq.com/doc/service) and knows nothing of the channel's code.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Request, Response

from scheduler.sandbox import wechat_box as box
from scheduler.sandbox.calling_back import Callback
from scheduler.sandbox.core import Arrived, Sandbox
from scheduler.sandbox.wechat_box import APP, SECRET, Sent
from scheduler.sandbox.wechat_notices import Notices

NAME = "wechat"
_HOLDS, _DAY = 7200, 86400
_POSTS = {
    "stable": "/cgi-bin/stable_token",
    "material": "/cgi-bin/material/add_material",
    "picture": "/cgi-bin/media/uploadimg",
    "draft": "/cgi-bin/draft/add",
    "publish": "/cgi-bin/freepublish/submit",
    "publication": "/cgi-bin/freepublish/get",
    "sendall": "/cgi-bin/message/mass/sendall",
    "send": "/cgi-bin/message/mass/send",
    "ended": "/cgi-bin/message/mass/get",
    "users": "/cgi-bin/user/info/batchget",
    "template": "/cgi-bin/message/template/send",
    "subscribe": "/cgi-bin/message/subscribe/bizsend",
    "figures": "/datacube/<kind>",
}
_FIGURES = ("getarticleread", "getarticleshare", "getbizsummary", "getarticletotaldetail")
_Answer = tuple[int, dict[str, Any]]


class Wechat:
    """One account. `kind`: service (four mass messages a follower and month) or subscription (one a day)."""

    name = NAME

    def __init__(self, kind: str = "service", monthly: int = 4) -> None:
        self.kind = kind
        self.monthly = monthly
        self.listed = True  # the caller's address is on the list of the account
        self.allowed = True  # the account has the power to publish and send (48001)
        self.followers = box.cast()
        self.fetched = 0  # tokens that were given out anew
        self.delayed = False
        self.sealed = False  # callbacks under the account's key
        self.figures: dict[tuple[str, str], list[Any]] = {}
        self.files: dict[str, bytes] = {}
        self.drafts: dict[str, dict[str, Any]] = {}
        self.published: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self._token, self._until = "", 0.0
        self._seen: dict[str, Sent] = {}
        self._notices = Notices(self.followers, self._tell, self._next)
        self._count = 1000

    def rules(self) -> Iterable[Rule]:
        """The addresses it answers."""
        return [
            Rule("/cgi-bin/token", endpoint="token", methods=["GET"]),
            Rule("/picture/<number>", endpoint="show", methods=["GET"]),
            *(Rule(path, endpoint=name, methods=["POST"]) for name, path in _POSTS.items()),
        ]

    def refuse(self, code: Any) -> Response:
        """An error code of the platform."""
        return _json({"errcode": code, "errmsg": "as asked for rid: 0"})

    def expire(self) -> None:
        """Let the token that was given out end now."""
        self._until = 0.0

    def callbacks(self, sandbox: Sandbox, sealed: bool = False) -> list[tuple[bytes, dict[str, str]]]:
        """Body and query of each callback that waits, signed as the platform does; then none waits any more."""
        with sandbox.lock:
            waiting, self.events = self.events, []
        return [box.callback(one, sandbox.clock(), sealed) for one in waiting]

    def waiting(self, sandbox: Sandbox) -> list[Callback]:
        """The same as calls to be made."""
        return [Callback(*one, "text/xml", b"success") for one in self.callbacks(sandbox, self.sealed)]

    def greeting(self, sandbox: Sandbox) -> Callback:
        """Whether an address is the account's: it must say back what only who knows the token lets pass."""
        query, said = box.greeting(sandbox.clock())
        return Callback(b"", query, wanted=said)

    def follow(self, openid: str, following: bool) -> None:
        """Somebody begins to follow, or leaves."""
        self.followers.setdefault(openid, box.Follower()).following = following
        self._tell("subscribe" if following else "unsubscribe", openid)

    def answer(
        self, sandbox: Sandbox, endpoint: str, request: Request, values: Mapping[str, Any]
    ) -> Response:
        """Judge a call as the platform would."""
        if endpoint == "show":
            return Response(self.files.get(values["number"], b""), content_type="image/jpeg")
        with sandbox.lock:
            code, said = self._answered(sandbox, endpoint, request, values)
        return _json({"errcode": code, "errmsg": "ok" if not code else "refused rid: 0", **said})

    def _answered(
        self, sandbox: Sandbox, endpoint: str, request: Request, values: Mapping[str, Any]
    ) -> _Answer:
        if endpoint in ("token", "stable") and self.listed:
            return self._token_for(sandbox, request, stable=endpoint == "stable")
        barred = self._barred(sandbox, endpoint, request.args.get("access_token", ""))
        if barred:
            return barred, {}
        if endpoint in ("material", "picture"):
            return self._file(endpoint, request)
        return self._asked(sandbox, endpoint, request, values)

    def _barred(self, sandbox: Sandbox, endpoint: str, token: str) -> int:
        """The code of who may not call; 0 for who may."""
        rules = (
            (self.listed, 40164),
            (token == self._token and token, 40001),
            (self._until > sandbox.clock(), 42001),
            (self.allowed or endpoint not in ("publish", "send", "sendall"), 48001),
        )
        return next((code for kept, code in rules if not kept), 0)

    def _asked(self, sandbox: Sandbox, endpoint: str, request: Request, values: Mapping[str, Any]) -> _Answer:
        try:
            body = json.loads(request.get_data())
        except ValueError:
            return 47001, {}
        if b"\\u" in request.get_data():
            sandbox.breach(NAME, "text is not sent as UTF-8")
        todo: dict[str, Callable[[Sandbox, dict[str, Any]], _Answer]] = {
            "draft": self._draft, "publish": self._publish, "publication": self._publication, "send": self._send,
            "sendall": self._send_all, "users": self._users, "template": self._notices.template, "subscribe": self._notices.subscribe,
            "ended": self._ended,
        }  # fmt: skip
        if endpoint == "figures":
            return self._figures(sandbox, str(values["kind"]), body)
        body["_host"] = request.host_url
        return todo[endpoint](sandbox, body)

    def _token_for(self, sandbox: Sandbox, request: Request, *, stable: bool) -> _Answer:
        asked = json.loads(request.get_data()) if stable else request.args
        if asked.get("appid") != APP:
            return 40013, {}
        if asked.get("secret") != SECRET or asked.get("grant_type") != "client_credential":
            return 40125, {}
        held = self._until > sandbox.clock()
        if not (stable and held) or asked.get("force_refresh") is True:
            self.fetched += 1
            self._token, self._until = f"sandbox-token-{self.fetched}", sandbox.clock() + _HOLDS
        return 0, {"access_token": self._token, "expires_in": int(self._until - sandbox.clock())}

    def _file(self, endpoint: str, request: Request) -> _Answer:
        file = request.files.get("media")
        data = file.read() if file else b""
        request.close()
        known = data.startswith((b"\xff\xd8\xff", b"\x89PNG"))
        if not known:
            return 40113, {}
        if len(data) > (1_000_000 if endpoint == "picture" else 10_000_000):
            return 40006, {}
        number = self._next()
        self.files[number] = data
        if endpoint == "picture":
            return 0, {"url": f"{box.PICTURES}{number}"}
        return 0, {"media_id": number, "url": f"{box.PICTURES}{number}"}

    def _draft(self, sandbox: Sandbox, body: dict[str, Any]) -> _Answer:
        articles = body.get("articles") or [{}]
        for one in articles:
            code = box.wrong_with(one, self.files)
            if code:
                sandbox.breach(NAME, f"a draft that is refused ({code})")
                return code, {}
            one["content"], foreign = box.as_published(str(one.get("content", "")))
            if foreign:
                sandbox.breach(NAME, "a foreign picture in a draft")
        number = self._next()
        self.drafts[number] = articles[0]
        return 0, {"media_id": number}

    def _publish(self, sandbox: Sandbox, body: dict[str, Any]) -> _Answer:
        draft = self.drafts.pop(str(body.get("media_id")), None)
        if draft is None:
            return 40007, {}
        number = self._next()
        self.published[number] = draft
        self._tell("PUBLISHJOBFINISH", PublishEventInfo={"publish_id": number, "publish_status": 0})
        return 0, {"publish_id": number}

    def _publication(self, sandbox: Sandbox, body: dict[str, Any]) -> _Answer:
        number = str(body.get("publish_id"))
        if number not in self.published:
            return 53600, {}
        item = {"idx": 1, "article_url": f"https://mp.weixin.qq.com/s/{number}"}
        return 0, {
            "publish_id": number, "publish_status": 0, "article_id": f"a{number}",
            "article_detail": {"count": 1, "item": [item]},
        }  # fmt: skip

    def _send(self, sandbox: Sandbox, body: dict[str, Any]) -> _Answer:
        openids = body.get("touser")
        if not isinstance(openids, list) or not 2 <= len(openids) <= 10_000:
            sandbox.breach(NAME, "mass sending takes 2 to 10 000 openids")
            return 40130, {}
        if any(one not in self.followers for one in openids):
            return 40003, {}
        return self._mass(sandbox, body, openids)

    def _send_all(self, sandbox: Sandbox, body: dict[str, Any]) -> _Answer:
        scope = body.get("filter") or {}
        everybody = [openid for openid, one in self.followers.items() if one.following]
        if not scope.get("is_to_all"):
            everybody = [one for one in everybody if scope.get("tag_id") in self.followers[one].tags]
        return self._mass(sandbox, body, everybody)

    def _mass(self, sandbox: Sandbox, body: dict[str, Any], openids: list[str]) -> _Answer:
        key, now = str(body.get("clientmsgid", "")), sandbox.clock()
        if len(key.encode()) > 64:
            return 45067, {}
        before = self._seen.get(key) if key else None
        if before and now - before.at < _DAY:
            return 45065, {"msg_id": before.number}
        if not sandbox.allows(NAME, "mass", 60, 60):
            return 45011, {}
        if self.kind == "subscription" and not sandbox.allows(NAME, f"{box.local(now):%j}", 1, _DAY):
            return 45028, {}
        article = self.drafts.pop(str((body.get("mpnews") or {}).get("media_id")), None)
        if article is None or body.get("msgtype") != "mpnews":
            return 40007, {}
        number = self._next()
        self._seen[key] = Sent(int(number), now)
        reached = sum(self._reach(sandbox, one, article, body["_host"], number) for one in openids)
        self._tell(
            "MASSSENDJOBFINISH", MsgID=int(number), Status="send success", TotalCount=len(openids),
            FilterCount=reached, SentCount=reached, ErrorCount=0,
        )  # fmt: skip
        return 0, {"msg_id": int(number), "msg_data_id": int(number) + 1}

    def _ended(self, sandbox: Sandbox, body: dict[str, Any]) -> _Answer:
        known = str(body.get("msg_id")) in {str(one.number) for one in self._seen.values()}
        return (0, {"msg_id": body["msg_id"], "msg_status": "SEND_SUCCESS"}) if known else (40007, {})

    def _reach(self, sandbox: Sandbox, openid: str, article: dict[str, Any], host: str, number: str) -> bool:
        """Whether a mass message reaches a follower: not who left, refuses, or had the four of the month."""
        one, month = self.followers[openid], f"{box.local(sandbox.clock()):%Y-%m}"
        full = self.kind == "service" and one.had[month] >= self.monthly
        if not one.following or one.deaf or full:
            return False
        one.had[month] += 1
        show = f"{host}{NAME}/picture/"
        sandbox.accept(
            Arrived(
                NAME,
                openid,
                article["title"],
                str(article.get("digest", "")),
                str(article.get("content_source_url", "")),
                f"{show}{article['thumb_media_id']}",
                str(article["content"]).replace(box.PICTURES, show),
                number,
            )
        )
        return True

    def _users(self, sandbox: Sandbox, body: dict[str, Any]) -> _Answer:
        openids = [str(one.get("openid")) for one in body.get("user_list", [])]
        if len(openids) > 100 or any(one not in self.followers for one in openids):
            return 40003, {}
        found = [{"openid": one, "subscribe": int(self.followers[one].following)} for one in openids]
        return 0, {"user_info_list": found}

    def _figures(self, sandbox: Sandbox, kind: str, body: dict[str, Any]) -> _Answer:
        first, last = str(body.get("begin_date", "")), str(body.get("end_date", ""))
        if kind not in _FIGURES:
            return 48001, {}
        if first != last or last >= f"{box.local(sandbox.clock()):%Y-%m-%d}":
            return 61501, {}
        return 0, {"list": self.figures.get((kind, first), []), "is_delay": self.delayed}

    def _tell(self, event: str, _from: str = "", **more: Any) -> None:
        self.events.append(
            {"ToUserName": "gh_sandbox", "FromUserName": _from, "MsgType": "event", "Event": event, **more}
        )

    def _next(self) -> str:
        self._count += 1
        return str(self._count)


def _json(said: dict[str, Any]) -> Response:
    return Response(json.dumps(said, ensure_ascii=False), content_type="application/json; charset=utf-8")
