"""`signpost sandbox` as a process: it says where it is, a channel posts to it, a browser looks at it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests
from playwright.sync_api import Browser, expect

from core import clock
from scheduler.channels.base import Account, DeliveryError, Look
from scheduler.channels.base_robot import Robot
from scheduler.channels.dingtalk_robot import DingtalkRobot
from scheduler.channels.feishu_robot import FeishuRobot
from scheduler.channels.wecom_robot import WecomRobot
from scheduler.sandbox import dingtalk_robot, feishu_robot, wecom_robot
from scheduler.sandbox.core import Arrived, Fault, Sandbox
from scheduler.sandbox.inbox import Inbox
from scheduler.sandbox.registry import STAND_INS, Offer, filled
from tests import browser
from tests.browser import DESKTOP, NARROW, PHONE
from tests.scheduler.channels.test_robots import LETTER, MESSAGE
from tests.servers import free_port, listening
from tests.webapp.conftest import Run

ROOT = Path(__file__).resolve().parents[2]
ROBOTS: tuple[tuple[type[Robot], Account], ...] = (
    (WecomRobot, Account("", secrets=(wecom_robot.KEY,))),
    (DingtalkRobot, Account("", secrets=(dingtalk_robot.TOKEN, dingtalk_robot.SECRET))),
    (FeishuRobot, Account("", secrets=(feishu_robot.KEY, feishu_robot.SECRET))),
)


@contextmanager
def started(home: Path, *options: str) -> Iterator[tuple[str, str]]:
    """The command running: its address, and what it said of itself."""
    port = free_port()
    environment = {**os.environ, "SIGNPOST_HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", "from webapp.cli import main; main()", "sandbox", "--port", str(port), *options],
        env=environment, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    try:
        while "Ctrl+C" not in said:
            line = process.stdout.readline()
            assert line, f"it ended: {said}"
            said += line
        yield f"http://127.0.0.1:{port}", said
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        process.stdout.close()


def test_it_says_how_to_point_an_account_at_it_and_shows_what_arrives(tmp_path: Path) -> None:
    with started(tmp_path, "--latency", "50") as (address, said):
        filled_in = re.search(r"企业微信群机器人\n\s+接口地址\s+(\S+)\n\s+Webhook 地址\s+(\S+)", said)
        assert filled_in is not None, said
        account = Account(filled_in[1], secrets=(filled_in[2],))
        began = time.monotonic()
        with WecomRobot(clock.now).connect(account) as line:
            line.send(MESSAGE)
        assert time.monotonic() - began >= 0.05, "as slow as it was asked to be"
        page = requests.get(f"{address}/", timeout=5).text
        assert MESSAGE.subject in page and MESSAGE.summary in page
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{address}/", timeout=5)


def test_a_port_that_is_taken_is_said(run: Run) -> None:
    port = free_port()
    with listening(filled(Sandbox()), port):
        result = run("sandbox", "--port", port)
    assert result.exit_code == 1 and "--port" in result.output and "Traceback" not in result.output


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started_browser:
        yield started_browser


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a sandbox with messages of every look, a fault that is on and a limit that was overstepped."""
    sandbox = filled(Sandbox())
    for look in Look:
        monkeypatch.setitem(STAND_INS, f"a-{look}", Offer(wecom_robot.WecomRobot, f"某{look}", look, {}))
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with listening(Inbox(sandbox, locale="zh", zone=ZoneInfo("Asia/Shanghai")), port):
        picture = f"{address}/static/img/favicon.svg"
        for look in Look:
            sandbox.accept(
                Arrived(f"a-{look}", "13800000000", MESSAGE.subject, MESSAGE.summary, MESSAGE.link, picture)
            )
        sandbox.accept(Arrived("a-chat", "群" * 40, "", "长" * 600 + "x" * 200))
        sandbox.accept(Arrived("a-card", "看的人", "长" * 200 + "x" * 99, "", "http://127.0.0.1/"))
        for robot, account in ROBOTS:
            with robot(clock.now).connect(replace(account, address=f"{address}/{robot.name}")) as line:
                line.send(replace(MESSAGE, picture=picture))
                line.send(LETTER)
        for _number in range(20):
            sandbox.allows("wecom_robot", wecom_robot.KEY, 20, 60)
        sandbox.fail("feishu_robot", Fault("slow", 3.0, 3))
        yield address


@pytest.mark.browser
@pytest.mark.parametrize("size", [PHONE, DESKTOP, NARROW], ids=["phone", "desktop", "narrow"])
def test_the_pages_in_a_browser(full: str, chromium: Browser, size: tuple[int, int]) -> None:
    context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    try:
        for path in ("/?still=1", "/platforms", "/?app=getui&still=1"):
            page.goto(full + path)
            found = browser.overflow(page) + browser.small_targets(page, 44)
            found += browser.faults(page, browser.ALL) if size != NARROW else []
            assert found + said == [], path
            if folder := os.environ.get("SANDBOX_SHOTS"):
                page.screenshot(
                    path=f"{folder}/{size[0]}-{path.strip('/')[:9].strip('?')}.png", full_page=True
                )
    finally:
        context.close()


@pytest.mark.browser
def test_a_fault_is_set_with_the_keyboard_and_the_inbox_renews_itself(full: str, chromium: Browser) -> None:
    context = chromium.new_context(viewport={"width": PHONE[0], "height": PHONE[1]})
    page = context.new_page()
    try:
        page.goto(f"{full}/platforms")
        form = page.locator("#dingtalk_robot")
        form.locator("summary").press("Enter")
        form.locator("select[name=kind]").select_option("code")
        form.locator("input[name=value]").fill("310000")
        form.locator("input[name=value]").press("Enter")
        assert "平台的错误码 310000" in page.locator("#dingtalk_robot .sb-on").inner_text()
        account = replace(ROBOTS[1][1], address=f"{full}/dingtalk_robot")
        with DingtalkRobot(clock.now).connect(account) as line:
            with pytest.raises(DeliveryError, match="310000"):
                line.send(MESSAGE)
            page.goto(f"{full}/?app=dingtalk_robot")
            assert page.locator(".sb-item").count() == 2
            line.send(MESSAGE)
        expect(page.locator(".sb-item")).to_have_count(3, timeout=9000)
    finally:
        context.close()
