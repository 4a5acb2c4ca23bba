"""How soon a phone shows a page, in Chromium: `python -m bench.paint`.

The phone is slow on purpose: a processor of a quarter of this machine's speed, 1.6 Mbit/s, 150 ms to the server,
390×844, nothing in the cache. Every type of public page of the demo institution is opened `--runs` times; of each
kind of piece the heaviest one (page and pictures). The largest contentful paint is the median of the runs; layout
shift is the worst of them, with the whole page scrolled through; the page counts what came over the wire as HTML,
styles and scripts, headers included, pictures not. Ends with `RESULT {"lcp_ms", "cls", "page_kb"}`, each the worst
page's. `--url` measures a site that runs already.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urljoin

from playwright.sync_api import Browser, CDPSession, Page

from bench.load import folder, serve
from content.models import Kind
from tests.browser import PHONE, chromium

SIGNPOST = str(Path(sys.executable).with_name("signpost"))
WANTED = {"lcp_ms": 2_000.0, "cls": 0.01, "page_kb": 60.0}
SLOWER, RTT_MS, DOWN, UP = 4, 150, 1_600_000 / 8, 750_000 / 8
COUNTED = {"Document", "Stylesheet", "Script", "Font"}
SETTLED_MS = 1_000
# Kept from before the first byte is drawn; a page's own policy does not bind what the browser's driver adds.
WATCH = """
  window.seen = {lcp: 0, what: '', cls: 0};
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) {
      window.seen.lcp = one.startTime;
      window.seen.what = (one.element?.tagName ?? '') + '.' + (one.element?.className ?? '');
    }
  }).observe({type: 'largest-contentful-paint', buffered: true});
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) window.seen.cls += one.value;
  }).observe({type: 'layout-shift', buffered: true});
"""
THROUGH = """async () => {
  for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 2) {
    scrollTo(0, y);
    await new Promise((done) => setTimeout(done, 60));
  }
}"""


@dataclass(frozen=True)
class Once:
    """One visit: ms to the largest paint and what it was, layout shift, bytes without and of pictures."""

    lcp: float
    what: str
    cls: float
    page: int
    pictures: int


@dataclass
class Wire:
    """What came over the wire, by request."""

    kinds: dict[str, str] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)

    def watch(self, driver: CDPSession) -> None:
        """Listen to the browser's own count."""
        driver.on("Network.responseReceived", lambda one: self.kinds.update({one["requestId"]: one["type"]}))
        driver.on(
            "Network.loadingFinished",
            lambda one: self.bytes.update({one["requestId"]: int(one["encodedDataLength"])}),
        )

    def total(self, *, counted: bool) -> int:
        """Bytes of the page itself, or of everything else."""
        return sum(
            size for request, size in self.bytes.items() if (self.kinds.get(request) in COUNTED) is counted
        )


def read(url: str) -> str | None:
    """A page as text; None when there is none."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError:
        return None


def weight(site: str, path: str) -> int:
    """Bytes of a page with all that it shows."""
    html = read(site + path) or ""
    shown = set(re.findall(r'<img[^>]* src="([^"]+)"', html))
    return len(html) + sum(len(read(urljoin(site, one)) or "") for one in shown)


def addresses(site: str) -> dict[str, str]:
    """Every type of public page by its name."""
    found = {
        "home": "/",
        "library": "/library",
        "diary": "/diary",
        "events": "/events",
        "calendar": "/events/calendar",
        "outlets": "/o",
        "help": "/help",
    }
    for kind in Kind:
        keys = set(re.findall(r'href="(/p/[a-z0-9-]+)', read(f"{site}/library?kind={kind.value}") or ""))
        if keys:
            found[kind.value] = max(sorted(keys), key=lambda path: weight(site, path))
    listed = re.findall(r"<loc>[^<]*?(/(?:c|o|events)/[^<]+)</loc>", read(f"{site}/sitemap.xml") or "")
    for name, start in (("campaign", "/c/"), ("series", "/events/"), ("outlet", "/o/")):
        new = (path for path in listed if path.startswith(start) and path not in found.values())
        if first := next(new, ""):
            found[name] = first
    day = re.search(r'href="(/e/[\w-]+)', read(site + found.get("series", "/events")) or "")
    found |= {"event": day[1]} if day else {}
    found |= {"province": f"/o?province={quote('浙江省')}", "search": f"/search?q={quote('退保')}"}
    return {name: path for name, path in found.items() if read(site + path) is not None}


@contextmanager
def phone(browser: Browser) -> Iterator[tuple[Page, Wire]]:
    """A new phone with an empty cache on a slow line."""
    context = browser.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]},
        device_scale_factor=2,
        is_mobile=True,
        locale="zh-CN",
    )
    page, wire = context.new_page(), Wire()
    page.add_init_script(WATCH)
    driver = context.new_cdp_session(page)
    driver.send("Network.enable")
    driver.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    line = {"offline": False, "latency": RTT_MS, "downloadThroughput": DOWN, "uploadThroughput": UP}
    driver.send("Network.emulateNetworkConditions", line)
    wire.watch(driver)
    try:
        yield page, wire
    finally:
        context.close()


def visit(browser: Browser, url: str) -> Once:
    """Open a page once."""
    with phone(browser) as (page, wire):
        page.goto(url, wait_until="load")
        page.wait_for_timeout(SETTLED_MS)
        painted = page.evaluate("window.seen")
        first = wire.total(counted=True), wire.total(counted=False)
        page.evaluate(THROUGH)
        page.wait_for_timeout(SETTLED_MS)
        shifted = page.evaluate("window.seen.cls")
    return Once(painted["lcp"], painted["what"], shifted, *first)


@contextmanager
def demo(home: Path | None) -> Iterator[str]:
    """The demo institution, served as `signpost serve` does; made in `home`, or in a folder that goes away."""
    with ExitStack() as held:
        where = home or held.enter_context(folder()) / "home"
        environment = {"SIGNPOST_HOME": str(where)}
        made = [SIGNPOST, "setup", "--demo"]
        subprocess.run(made, env={**os.environ, **environment}, check=True, stdout=subprocess.DEVNULL)
        server = serve("webapp.wsgi:build_application", environment)
        try:
            yield server.url
        finally:
            server.stop()


def report(site: str, runs: int, only: str) -> dict[str, float]:
    """Measure and print every page; the worst of each figure."""
    worst = dict.fromkeys(WANTED, 0.0)
    pages = {name: path for name, path in addresses(site).items() if not only or name == only}
    print(f"{'page':<13}{'LCP ms':>8}{'CLS':>8}{'page kB':>9}{'pictures kB':>13}  largest; address")
    with chromium() as browser:
        for name, path in pages.items():
            made = [visit(browser, site + path) for _ in range(runs)]
            middle = sorted(made, key=lambda one: one.lcp)[len(made) // 2]
            row = {
                "lcp_ms": round(statistics.median(one.lcp for one in made)),
                "cls": round(max(one.cls for one in made), 4),
                "page_kb": round(max(one.page for one in made) / 1000, 1),
            }
            worst = {key: max(value, row[key]) for key, value in worst.items()}
            print(
                f"{name:<13}{row['lcp_ms']:>8,}{row['cls']:>8}{row['page_kb']:>9}{middle.pictures / 1000:>13.1f}"
                f"  {middle.what}; {path}",
                flush=True,
            )
    return worst


def main() -> None:
    """Measure, print the table and the result."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--home", type=Path, help="keep the demo here, and use it again")
    arguments.add_argument("--url", help="a site that runs already")
    arguments.add_argument("--page", default="", help="one type of page only")
    chosen = arguments.parse_args()
    with ExitStack() as held:
        site = chosen.url or held.enter_context(demo(chosen.home))
        worst = report(site.rstrip("/"), chosen.runs, chosen.page)
    print("wanted: " + ", ".join(f"{key} ≤ {most:g}" for key, most in WANTED.items()))
    print("RESULT " + json.dumps(worst))


if __name__ == "__main__":
    main()
