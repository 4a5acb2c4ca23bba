"""Articles of an official account: pictures that go along, the body it accepts, and the draft that is sent or published.

Rules of drafts: developers.weixin.qq.com/doc/service/api/draftbox/draftmanage/api_draft_add.
"""

import hashlib
import html
import io
import re
import threading
from typing import Any
from urllib.parse import urlsplit

import nh3
from PIL import Image, UnidentifiedImageError

from core.i18n import mark
from scheduler.channels.base import DeliveryError, Message
from scheduler.channels.base_token import certain
from scheduler.channels.base_wechat import Api

_TITLE, _AUTHOR, _DIGEST, _CONTENT, _LINK = 32, 16, 128, 20_000, 1024
_PICTURE = 1_000_000  # bytes that uploadimg takes
_OWN = ("mmbiz.qpic.cn", "mmecoa.qpic.cn")  # where the platform keeps pictures
_TAGS = {
    *("p", "br", "section", "span", "strong", "em", "b", "i", "u", "h1", "h2", "h3", "h4", "blockquote"),
    *("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "img", "hr", "figure", "figcaption"),
}
_SILENT = {"script", "style", "title", "head", "noscript", "template"}
_IMG = re.compile(r'<img\b[^>]*?\ssrc="([^"]*)"[^>]*>')


class Articles:
    """Makes drafts. It remembers which pictures an account has, by their bytes: each is uploaded once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], str] = {}
        self._lock = threading.Lock()

    def draft(self, api: Api, message: Message) -> str:
        """The media id of a new draft; DeliveryError says which rule the message breaks. Nothing is sent yet."""
        article = checked(message, api.account.options.get("author", ""))
        return certain(lambda: self._draft(api, message, article))

    def forget(self, api: Api) -> None:
        """The account has lost its pictures (somebody cleaned up): upload them again."""
        with self._lock:
            self._known = {key: name for key, name in self._known.items() if key[0] != api.account.login}

    def _draft(self, api: Api, message: Message, article: dict[str, Any]) -> str:
        article["thumb_media_id"] = self._cover(api, message)
        article["content"] = self._with_pictures(api, message, article["content"])
        return api.named(api.done("/cgi-bin/draft/add", {"articles": [article]}), "media_id")

    def _cover(self, api: Api, message: Message) -> str:
        """The permanent media id of the cover: the message's picture, else the account's own."""
        usual = api.account.options.get("thumb_media_id", "")
        if not message.picture:
            if not usual:
                raise DeliveryError(
                    mark("公众号图文必须有封面：请给内容配一张图，或在渠道账号里填默认封面。"),
                    permanent=True,
                    everyone=True,
                )
            return usual
        name, data, kind = self._fetched(api, message, message.picture)
        path = "/cgi-bin/material/add_material?type=image"
        return self._once(api, "media_id", data, lambda: api.upload(path, name, data, kind))

    def _with_pictures(self, api: Api, message: Message, content: str) -> str:
        """The body with its pictures at the platform: those of other addresses it would drop."""

        def moved(found: re.Match[str]) -> str:
            address = html.unescape(found[1])
            if urlsplit(address).hostname in _OWN:
                return found[0]
            name, data, kind = self._fetched(api, message, address)
            place = self._once(
                api, "url", data, lambda: api.upload("/cgi-bin/media/uploadimg", name, data, kind)
            )
            return found[0].replace(found[1], html.escape(place, quote=True))

        return _IMG.sub(moved, content)

    def _once(self, api: Api, what: str, data: bytes, upload: Any) -> str:
        key = (api.account.login, what, hashlib.sha256(data).hexdigest())
        with self._lock:
            if key not in self._known:
                self._known[key] = api.named(upload(), what)
            return self._known[key]

    def _fetched(self, api: Api, message: Message, address: str) -> tuple[str, bytes, str]:
        """A picture of our own site in a form the platform takes; nothing is fetched from anywhere else."""
        parts, own = urlsplit(address), urlsplit(message.link)
        if parts.scheme not in ("http", "https") or (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
            raise DeliveryError(
                mark("正文或封面里有外站图片，公众号会把它去掉。请先上传到内容库，再用本站的图片。"),
                permanent=True,
                everyone=True,
            )
        try:
            answer = api.http.ask("GET", address)
        except DeliveryError as error:
            raise _unseen() from error
        if answer.status_code != 200:
            raise _unseen()
        return fitting(answer.content)


def checked(message: Message, author: str) -> dict[str, Any]:
    """An article of a message, within the rules of drafts; DeliveryError names the rule it breaks."""
    content = body(message)
    rules = (
        (
            len(message.subject) <= _TITLE and message.subject,
            mark("公众号图文的标题须有，且不超过 32 个字。"),
        ),
        (len(author) <= _AUTHOR, mark("公众号图文的作者不超过 16 个字。")),
        (len(message.summary) <= _DIGEST, mark("公众号图文的摘要不超过 128 个字。")),
        (
            len(content) < _CONTENT and len(content.encode()) < 1_000_000,
            mark("公众号图文的正文须少于 2 万字、小于 1 MB。"),
        ),
        (len(message.link.encode()) <= _LINK, mark("“阅读原文”的网址不超过 1 KB。")),
    )
    for kept, sentence in rules:
        if not kept:
            raise DeliveryError(sentence, permanent=True, everyone=True)
    return {
        "article_type": "news",
        "title": message.subject,
        "author": author,
        "digest": message.summary,
        "content": content,
        "content_source_url": message.link,
        "need_open_comment": 0,
    }


def body(message: Message) -> str:
    """The body as an article takes it: no scripts, no style sheets, and no links, which it cuts out (so that no
    recipient's own link stands in what all of them get)."""
    if not message.html:
        parts = [part.strip() for part in re.split(r"\n\s*\n", message.text) if part.strip()]
        return "".join(f"<p>{html.escape(part).replace(chr(10), '<br>')}</p>" for part in parts)
    return nh3.clean(
        message.html,
        tags=_TAGS,
        clean_content_tags=_SILENT,
        attributes={"img": {"src", "alt"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
        url_schemes={"http", "https"},
    ).strip()


def _unseen() -> DeliveryError:
    return DeliveryError(mark("图文里有一张图片打不开或太大，请检查内容里的图片。"), everyone=True)


def fitting(data: bytes) -> tuple[str, bytes, str]:
    """A picture as uploadimg takes it: JPEG or PNG of at most 1 MB; others are written anew, smaller if need be."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.format in ("JPEG", "PNG") and len(data) <= _PICTURE:
                kind = picture.format.lower()
                return f"picture.{'jpg' if kind == 'jpeg' else kind}", data, f"image/{kind}"
            plain = picture.convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise DeliveryError(
            mark("图文里有一张图片读不懂，请换一张。"), permanent=True, everyone=True
        ) from error
    while True:
        written = io.BytesIO()
        plain.save(written, "JPEG", quality=85)
        if written.tell() <= _PICTURE:
            return "picture.jpg", written.getvalue(), "image/jpeg"
        plain = plain.resize((max(1, plain.width * 3 // 4), max(1, plain.height * 3 // 4)))
