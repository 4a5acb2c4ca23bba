"""The pages of the sandbox: what arrives is data, each app has its look, limits and faults are seen and set."""

import re
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import pytest
from werkzeug.test import Client, TestResponse

from scheduler.channels.base import Look
from scheduler.sandbox import dingtalk_robot, wecom_robot
from scheduler.sandbox.core import Arrived, Fault, Sandbox
from scheduler.sandbox.inbox import CSP, Inbox
from scheduler.sandbox.registry import STAND_INS, Offer, besides, filled
from tests.servers import free_port

PAYLOAD = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'{{ 7*7 }}"
SEND = f"/wecom_robot/cgi-bin/webhook/send?key={wecom_robot.KEY}"
HERE = "http://127.0.0.1:8099"


@pytest.fixture
def sandbox() -> Sandbox:
    return filled(Sandbox(clock=lambda: 1_789_438_020.0))


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    return Client(Inbox(sandbox, locale="zh", zone=ZoneInfo("Asia/Shanghai")))


def _get(client: Client, path: str) -> TestResponse:
    return client.get(path, base_url=HERE)


def _post(client: Client, origin: str = HERE, **form: str) -> TestResponse:
    headers = {"Origin": origin} if origin else {}
    return client.post("/platforms", data=form, headers=headers, base_url=HERE)


def test_an_empty_inbox_says_what_to_do(client: Client) -> None:
    page = _get(client, "/")
    assert page.status_code == 200
    assert "还没有消息" in page.text and 'href="/platforms"' in page.text
    assert '<meta http-equiv="refresh"' in page.text
    assert '<meta http-equiv="refresh"' not in _get(client, "/?still=1").text
    steps = _get(client, "/platforms").text
    for name, offer in STAND_INS.items():
        assert f"{HERE}/{name}" in steps
        assert all(value in steps for value in offer.fill.values())


def test_what_a_platform_accepted_is_shown_newest_first_and_by_app(client: Client) -> None:
    for text in ("先停一停", "问一问"):
        answer = client.post(SEND, json={"msgtype": "text", "text": {"content": text}}, base_url=HERE)
        assert answer.json == {"errcode": 0, "errmsg": "ok"}
    page = _get(client, "/").text
    assert page.index("问一问</p>") < page.index("先停一停</p>")
    assert "企业微信示范群" in page and "09-15 10:07:00" in page
    assert "先停一停</p>" in _get(client, "/?app=wecom_robot").text
    assert "先停一停</p>" not in _get(client, "/?app=dingtalk_robot").text


@pytest.mark.parametrize("look", list(Look))
def test_what_arrives_is_data(
    client: Client, sandbox: Sandbox, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every look, with script in every field, and addresses that a browser must not follow."""
    monkeypatch.setitem(STAND_INS, "any", Offer(wecom_robot.WecomRobot, "某应用", look, {}))
    for link in ("javascript:alert(1)", "data:text/html,<script>alert(1)</script>", f"http://a/{PAYLOAD}"):
        sandbox.accept(Arrived("any", PAYLOAD, PAYLOAD, PAYLOAD, link, link))
    sandbox.accept(
        Arrived("any", "x", "y", "", html=f"<style>p{{}}</style><p>正文 &lt;script&gt;{PAYLOAD}</p>")
    )
    sandbox.accept(Arrived(PAYLOAD, PAYLOAD, PAYLOAD, PAYLOAD))
    page = _get(client, "/")
    assert (
        "<script" not in page.text and "<img src=x" not in page.text and 'href="javascript' not in page.text
    )
    assert 'href="data:' not in page.text and "49" not in re.sub(r"\d\d:\d\d", "", page.text)
    assert "&lt;script&gt;" in page.text and "p{}" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert policy == CSP and "unsafe" not in policy and "default-src 'none'" in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_pictures_come_from_this_machine_only(client: Client, sandbox: Sandbox) -> None:
    for picture in ("http://127.0.0.1:8000/media/a.png", "https://elsewhere.example/b.png"):
        sandbox.accept(Arrived("wecom_robot", "群", "标题", "摘要", "https://elsewhere.example/p", picture))
    page = _get(client, "/").text
    assert '<img src="http://127.0.0.1:8000/media/a.png"' in page and "b.png" not in page
    assert 'href="https://elsewhere.example/p"' in page and 'rel="noreferrer noopener"' in page


def test_no_page_has_script_or_style_of_its_own(client: Client, sandbox: Sandbox) -> None:
    sandbox.accept(Arrived("wecom_robot", "群", "标题", "摘要"))
    for path in ("/", "/platforms"):
        page = _get(client, path).text
        assert not re.search(r"<style|<script|\sstyle=|\son\w+=", page)
        for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
            file = _get(client, address)
            assert file.status_code == 200, address
            file.close()


def test_limits_and_breaches_are_listed(client: Client) -> None:
    for _number in range(21):
        client.post(SEND, json={"msgtype": "text", "text": {"content": "x"}}, base_url=HERE)
    page = _get(client, "/platforms").text
    assert "60 秒内 20 / 20" in page and "wecom_robot: more than 20 in 60 s" in page
    assert "20 条消息，21 次调用" in page
    assert "有 1 次超过了平台的限制" in _get(client, "/").text


def test_a_fault_is_asked_for_seen_and_taken_back(client: Client, sandbox: Sandbox) -> None:
    assert _post(client, app="wecom_robot", kind="code", value="45009", times="3").status_code == 303
    assert sandbox.planned("wecom_robot") == [Fault("code", 45009, 3)]
    assert '"errcode": 45009' in client.post(SEND, json={}, base_url=HERE).text
    page = _get(client, "/platforms").text
    assert "平台的错误码 45009，还有 2 次" in page
    assert _post(client, app="wecom_robot", kind="", value="", times="1").status_code == 303
    assert sandbox.planned("wecom_robot") == []
    assert _post(client, app="wecom_robot", kind="code", value="isv.LIMIT", times="-1").status_code == 303
    assert sandbox.planned("wecom_robot") == [Fault("code", "isv.LIMIT", -1)]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"kind": "slow", "value": "soon"}, "请写秒数"),
        ({"kind": "slow", "value": "61"}, "请写秒数"),
        ({"kind": "status", "value": "200"}, "状态码"),
        ({"kind": "code", "value": ""}, "错误码"),
        ({"kind": "code", "value": "x" * 81}, "错误码"),
        ({"kind": "explode"}, "请选择一种故障"),
        ({"kind": "after", "times": "10000"}, "请选择次数"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(
    client: Client, sandbox: Sandbox, form: dict[str, str], says: str
) -> None:
    answer = _post(client, **{"app": "wecom_robot", "times": "1"} | form)
    assert answer.status_code == 422 and says in answer.text
    assert sandbox.planned("wecom_robot") == []


def test_another_site_neither_sets_faults_nor_reads(client: Client, sandbox: Sandbox) -> None:
    for origin in ("https://evil.example", "null", ""):
        assert _post(client, origin, app="wecom_robot", kind="after", times="1").status_code == 403
    assert client.get("/", base_url="http://rebound.example:8099").status_code == 403
    assert sandbox.planned("wecom_robot") == []


def test_no_address_says_more_than_it_should(client: Client) -> None:
    for path in ("/nobody/x", "/static/../pyproject.toml", "/static/%2e%2e/pyproject.toml", "/wecom_robot/x"):
        assert _get(client, path).status_code == 404, path


def test_in_english() -> None:
    client = Client(Inbox(filled(Sandbox()), locale="en", zone=ZoneInfo("Asia/Shanghai")))
    for path in ("/", "/platforms"):
        page = _get(client, path).text
        words = re.sub(r"<code>.*?</code>", "", page)
        assert '<html lang="en">' in page and not re.findall(r"[一-鿿]+", words)


def test_every_stand_in_answers_below_its_name() -> None:
    made = {name: offer.make().name for name, offer in STAND_INS.items() if offer.make is not None}
    assert dingtalk_robot.NAME in made and all(own == name for name, own in made.items())
    assert all(offer.make or offer.beside for offer in STAND_INS.values())


class Postbox:
    """A stand-in beside the web server: each line that comes is a message."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    @contextmanager
    def listening(self, port: int) -> Iterator[None]:
        """Take lines."""
        sandbox = self.sandbox

        class Taker(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                sandbox.accept(Arrived("post", "收件人", "信", self.rfile.readline().decode().strip()))
                self.wfile.write(b"taken")

        with socketserver.TCPServer(("127.0.0.1", port), Taker) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()


def test_a_stand_in_may_listen_beside_the_web_server(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(STAND_INS, "email")  # the mail server, which listens beside it too
    monkeypatch.setitem(STAND_INS, "post", Offer(None, "邮局", Look.mail, {"加密": "none"}, beside=Postbox))
    port = free_port()
    with besides(sandbox, port) as ports:
        assert ports == {"post": port}
        with pytest.raises(OSError, match="in use"), besides(sandbox, port):
            pass
        with socket.create_connection(("127.0.0.1", port), 5) as line:
            line.sendall("先停一停\n".encode())
            assert line.recv(9) == b"taken"
        client = Client(Inbox(sandbox, locale="zh", zone=ZoneInfo("Asia/Shanghai"), ports=ports))
        assert "先停一停" in _get(client, "/?app=post").text
        section = _get(client, "/platforms").text.split('id="post"')[1]
        assert f"<code>127.0.0.1:{port}</code>" in section and "制造故障" not in section
    assert filled(sandbox) is sandbox


def test_an_address_in_a_text_can_be_followed(client: Client, sandbox: Sandbox) -> None:
    sandbox.accept(
        Arrived("wecom_robot", "群", "", "看 https://example.com/p?a=1&b=2 和 javascript:alert(1)")
    )
    page = _get(client, "/").text
    assert 'href="https://example.com/p?a=1&amp;b=2"' in page and 'href="javascript' not in page
