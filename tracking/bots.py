"""Who is not a person reading: robots, preview fetchers, prefetches; each with the reason it counts under.

The patterns name families, not versions. Sources: the vendors' own pages on their crawlers (Google, Bing,
Baidu, Sogou, 360, Yisou, Bytedance, Meta, X, LinkedIn, Slack, Telegram, Discord, Apple), and what the open
lists of link-preview fetchers agree on. WeChat's own browser (MicroMessenger) is a person; what its servers
and the program outside of its browser (share extension, bare CFNetwork, "MicroMessenger Client") send to draw a
card or to check a link is not.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

BOT, PREVIEW, PREFETCH = "bot", "preview", "prefetch"

_PREVIEW = re.compile(
    r"facebookexternalhit|facebot|meta-external|twitterbot|linkedinbot|slackbot|slack-imgproxy|discordbot|"
    r"telegrambot|^whatsapp/|skypeuripreview|microsoftpreview|microsoft office|msoffice|embedly|iframely|"
    r"pinterestbot|redditbot|vkshare|viber/|snap url preview|google-pagerenderer|googlemessages|bluesky|"
    r"applebot|dingtalkbot|dingtalk-link|feishu-url|lark-?url|larkurl2meta|urlpreview|url-preview|linkpreview|"
    r"link-preview|linkexpanding|unfurl|wechat-?(?:preview|crawler|spider)|weixin-?(?:preview|spider)|"
    r"wechatshareextension|^micromessenger client|^(?:wechat|weixin|m?qq|wework|wxwork|dingtalk|lark|feishu|weibo)"
    r"[\w%]*/\S+ cfnetwork/|"
    r"wxwork-?(?:preview|spider)|qq-?(?:urlmanager|preview)|tencent(?:traveler-?spider|-?preview)",
    re.IGNORECASE,
)
# "cubot" is a maker of telephones whose name ends in bot.
_BOT = re.compile(
    r"(?<!cu)bots?(?![a-z])|spider|crawl|slurp|scrap[ey]|fetch(?:er|url)|archiver|validator|uptime|"
    r"pingdom|lighthouse|headless|phantomjs|selenium|puppeteer|playwright|prerender|"
    r"^(?:curl|wget|python|java|go-http|okhttp|axios|node|ruby|perl|php|libwww|apache-http|http|dart|rest|"
    r"aiohttp|httpx|undici|insomnia|postman|scrapy|lua|nutch|larbin|winhttp|guzzle|typhoeus|faraday)\b|"
    r"python-requests|python-urllib|mediapartners|adsbot|bingpreview|yandex(?!search)|ia_archive|ahrefs|semrush|"
    r"mj12|petalbot|bytespider|toutiaospider|yisouspider|haosouspider|censys|zgrab|masscan|nmap|nessus|nikto|"
    r"sqlmap|expanse|internet-measurement|gptbot|chatgpt|claudebot|perplexity|ccbot",
    re.IGNORECASE,
)
_LONGEST = 512


@lru_cache(4096)
def reason_of_agent(agent: str) -> str:
    """Why this User-Agent is not a person: `bot`, `preview`, or "" for a person."""
    if _PREVIEW.search(agent):
        return PREVIEW
    if len(agent) < 8 or _BOT.search(agent):
        return BOT
    return ""


def reason_of(environ: Mapping[str, Any]) -> str:
    """Why this request is not a person looking at a page, or "" when it is."""
    get = environ.get
    purpose = get("HTTP_SEC_PURPOSE") or get("HTTP_PURPOSE") or get("HTTP_X_PURPOSE")
    if purpose and ("prefetch" in purpose.lower() or "preview" in purpose.lower()):
        return PREFETCH
    moz = get("HTTP_X_MOZ")
    if moz and moz.lower() == "prefetch":
        return PREFETCH
    return reason_of_agent(get("HTTP_USER_AGENT", "")[:_LONGEST])
