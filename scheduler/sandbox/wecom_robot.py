"""The robot of a WeCom group: its key, twenty messages a minute, texts and cards within their bytes."""

from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Request, Response

from scheduler.sandbox.core import Arrived, Sandbox, answered, told

NAME = "wecom_robot"
KEY = "5a4d5031-0000-4000-8000-00000000c0de"  # of no value
GROUP = "企业微信示范群"
_TEXT, _MARKDOWN, _TITLE, _DESCRIPTION = 2048, 4096, 128, 512  # bytes
_SAID = {
    -1: "system busy",
    40058: "invalid Request Parameter",
    45009: "api freq out of limit",
    93000: "invalid webhook url",
}


class WecomRobot:
    """One group with one robot. HTTP is always 200."""

    name = NAME

    def rules(self) -> Iterable[Rule]:
        """The webhook."""
        return [Rule("/cgi-bin/webhook/send", endpoint="send", methods=["POST"])]

    def answer(
        self, sandbox: Sandbox, endpoint: str, request: Request, values: Mapping[str, Any]
    ) -> Response:
        """Post into the group."""
        if request.args.get("key") != KEY:
            return self.refuse(93000)
        if not sandbox.allows(NAME, KEY, 20, 60):
            return self.refuse(45009)
        arrived = _read(told(request))
        if isinstance(arrived, str):
            sandbox.breach(NAME, arrived)
            return answered({"errcode": 40058, "errmsg": f"{arrived}. {_SAID[40058]}"})
        for one in arrived:
            sandbox.accept(one)
        return answered({"errcode": 0, "errmsg": "ok"})

    def refuse(self, code: Any) -> Response:
        """An answer with an error code."""
        return answered({"errcode": code, "errmsg": _SAID.get(code, "error")})


def _read(body: Mapping[str, Any]) -> list[Arrived] | str:
    """What the group sees, or what is wrong with it."""
    kind = body.get("msgtype")
    if kind in ("text", "markdown"):
        text = str((body.get(kind) or {}).get("content") or "")
        limit = _TEXT if kind == "text" else _MARKDOWN
        if not text:
            return f"{kind}.content is empty"
        if len(text.encode()) > limit:
            return f"{kind}.content exceed max length {limit}"
        return [Arrived(NAME, GROUP, "", text)]
    if kind != "news":
        return f"msgtype {kind} is unknown"
    articles = (body.get("news") or {}).get("articles") or []
    if not 1 <= len(articles) <= 8:
        return "news.articles: 1 to 8"
    return next((wrong for wrong in map(_wrong, articles) if wrong), None) or [
        Arrived(NAME, GROUP, one["title"], one.get("description", ""), one["url"], one.get("picurl", ""))
        for one in articles
    ]


def _wrong(article: Mapping[str, Any]) -> str:
    if not article.get("title") or not article.get("url"):
        return "news.articles: title and url"
    if len(article["title"].encode()) > _TITLE or len(article.get("description", "").encode()) > _DESCRIPTION:
        return f"news.articles: title {_TITLE} bytes, description {_DESCRIPTION} bytes"
    return ""
