"""Robots, preview fetchers and people, by what they call themselves."""

from tests.tracking.writing import PHONE
from tracking.bots import reason_of, reason_of_agent

ROBOTS = [
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 Mobile Safari/537.36 (compatible; Bytespider)",
    "Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)",
    "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/537.36 Chrome/50.0 Safari/537.36; 360Spider",
    "Mozilla/5.0 (compatible; YisouSpider/5.0)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0 Safari/537.36",
    "curl/8.5.0",
    "python-requests/2.34",
    "Go-http-client/1.1",
    "okhttp/4.12.0",
    "Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)",
]
PREVIEWS = [
    "Twitterbot/1.0",
    "WhatsApp/2.23.20 N",
    "Slackbot-LinkExpanding 1.0",
    "TelegramBot (like TwitterBot)",
    "WeChatShareExtensionNew/8.0.3.31 CFNetwork/1220.1 Darwin/20.3.0",
    "WeChat/8.0.49.33 CFNetwork/1494.0.7 Darwin/23.4.0",
    "MicroMessenger Client",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/63.0 Safari/537.36 DingTalkBot-LinkService/1.0",
    "LarkUrl2Meta/1.0",
    "QQ/9.0.20 CFNetwork/1494 Darwin/23.4.0",
    "%E5%BE%AE%E4%BF%A1 WeiXin-Preview/1.0",
]
PEOPLE = [
    PHONE,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.50",
    "Mozilla/5.0 (Linux; Android 10; CUBOT_X30) AppleWebKit/537.36 Chrome/110.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; U; Android 12; zh-cn) AppleWebKit/533.1 Mobile Safari/533.1 baiduboxapp/13.30 (Baidu; P1 12)",
    "Mozilla/5.0 (Linux; Android 12) AppleWebKit/537.36 Mobile Safari/537.36 SogouMSE,SogouMobileBrowser/6.1",
    "Mozilla/5.0 (Linux; Android 13; HarmonyOS) AppleWebKit/537.36 HuaweiBrowser/14.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/107.0 wxwork/4.1.22 MicroMessenger/7.0.1 WindowsWechat",
    "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Mobile Safari/537.36 AliApp(DingTalk/7.5.0) com.alibaba.android.rimet",
    "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Mobile Safari/537.36 Lark/7.20 LarkLocale/zh_CN",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 QQ/9.0.20 V1_IPH_SQ",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 MicroMessenger/6.8.0 MacWechat/3.8.6",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
]


def test_robots_previews_and_people_are_told_apart() -> None:
    assert {reason_of_agent(agent) for agent in ROBOTS} == {"bot"}
    assert [agent for agent in PREVIEWS if reason_of_agent(agent) != "preview"] == []
    assert [agent for agent in PEOPLE if reason_of_agent(agent)] == []


def test_an_endless_agent_is_judged_by_its_beginning() -> None:
    assert reason_of({"HTTP_USER_AGENT": PHONE + "x" * 100_000}) == ""
    assert reason_of({"HTTP_USER_AGENT": "curl/8 " + "x" * 100_000}) == "bot"
