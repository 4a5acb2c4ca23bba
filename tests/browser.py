"""A real site on loopback and a real Chromium in front of it, for tests that look at pages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page
from sqlmodel import Session

from campaign import programme
from campaign.base import archives, keeping, screens
from campaign.base.keeping import Offer
from campaign.contact_imports import register as contact_imports
from campaign.contact_imports.models import CHECKED, ContactImport
from content import history, library, lifecycle
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from institution import api_tokens, outlets, people
from tests import copies, factories, servers
from tests.campaign.events import site as events
from tests.campaign.play_sessions import filled as play_sessions
from tests.campaign.registration import making
from tests.campaign.returns import filled
from tests.chromium import chromium
from tests.content import pieces
from tests.scheduler import audience_cast
from tracking import annotations, links, proposing, subscriptions
from tracking.imports import draft, mapping, register, saving, sources
from tracking.subscriptions import SubscriptionForm
from tracking.watching.models import ReachAlarm
from webapp.runtime import Runtime, build
from webapp.wsgi import compose

__all__ = ["chromium"]  # where those who look at pages look for it

STARTER = Path(__file__).resolve().parent.parent / "webapp" / "starter"
ROOMS = Path(__file__).resolve().parent / "content" / "escape_room" / "rooms"
PHONE, DESKTOP, NARROW = (390, 844), (1440, 900), (320, 640)
CAMPAIGN = "september-week"
CLOSED_OUTLET = "33010603"
ALL = "all"


@dataclass
class Site:
    """A running site: its address, its objects, and the people who can sign in."""

    address: str
    runtime: Runtime
    people: dict[str, str] = field(default_factory=lambda: dict(factories.PASSWORDS))
    codes: dict[str, list[str]] = field(default_factory=dict)  # recovery codes of who set up a second factor


@contextmanager
def running(
    settings: Settings, now: datetime, front: Callable[[Any], Any] = lambda app: app
) -> Iterator[Site]:
    """A site filled through the verbs that staff use, served by threads on a free port; `front` may stand before it."""
    port = servers.free_port()
    address = f"http://127.0.0.1:{port}"
    copies.filled(settings, now, _everything, site)
    runtime = build(settings.model_copy(update={"public_url": address}))
    try:
        with servers.listening(front(compose(runtime)), port):
            yield Site(address, runtime)
    finally:
        runtime.close()


def site(runtime: Runtime, now: datetime) -> None:
    """`fill` by itself, for `copies.filled`."""
    with runtime.service(Database).transaction() as session:
        fill(session, runtime.service(Settings), now)


def _everything(runtime: Runtime, now: datetime) -> None:
    settings = runtime.service(Settings)
    with runtime.service(Database).transaction() as session:
        audience_cast.fill_desk(session, runtime.service(Vault), now)
        events.fill(session, runtime.service(Vault), now)
        _parties(session, runtime.service(Vault), now)
        reach_counts(session, settings, now)
        filled.fill(session, settings, now, CAMPAIGN)
        _ways_in(session, now)
        play_sessions.fill(session, settings, now)
        contact_imports.ask(
            session,
            ContactImport(list_name="老客户", folder="none", state=CHECKED, asked_at=now, stage_at=now),
        )


def fill(session: Session, settings: Settings, now: datetime) -> None:
    """The named cast, more outlets, the starter pieces reviewed and published, a campaign that runs today."""
    cast = factories.cast(session, now)
    _outlets(session, now)
    author = cast[factories.EDITOR]
    pieces.publish_folder(
        session, settings.files_dir, STARTER / "pieces", (author, cast[factories.REVIEWER]), now
    )
    keys = [one.key for one in lifecycle.published_list(session)]
    programme.import_file(session, campaign_file(now.date(), keys), now)
    coming = campaign_file(now.date() + timedelta(days=60), keys[:2])
    coming |= {"code": "winter", "name": "冬日防骗月", "name_en": "Winter campaign", "theme": "festive"}
    programme.import_file(session, coming, now)
    library.load_folder(
        session, settings.files_dir, ROOMS, by=author.id or 0, now=now
    )  # a draft, for the desk
    _bases(session, now)
    reader = cast[factories.ADMINISTRATOR].id or 0
    weekly = SubscriptionForm("触达周报", "", "week", "branch", "year", "weekly", (reader,))
    subscriptions.save(session, None, weekly, by=reader, now=now)
    yesterday = now.date() - timedelta(days=1)
    session.add(
        ReachAlarm(
            level="pair", outlet_code=factories.OUTLET_A, channel="outlet", kind="silence", first=yesterday,
            last=yesterday, expected=24, actual=0, found_at=now,
        )
    )  # fmt: skip
    annotations.add(
        session, outlet_code="", kind="outage", first=yesterday, last=None, text="机房停电两小时，访问没有记全", by=reader,
        now=now,
    )  # fmt: skip


def _parties(session: Session, vault: Vault, now: datetime) -> None:
    """One occurrence with room, one that is full with somebody waiting: registrations 4 to 6."""
    room = making.occurrence(
        session, now, capacity=20, code="roomy", outlet_code=factories.OUTLET_A, options={"早场": 10, "午场": 10}, host="吴柜员",
        topic="先停一停，再转账", topic_en="Stop before you transfer",
    )  # fmt: skip
    making.party(session, vault, room, 1, 3, now=now, minors=1, option="早场")
    full = making.occurrence(session, now, capacity=2, outlet_code=factories.OUTLET_B, code="fullsome")
    making.party(session, vault, full, 2, 2, now=now)
    making.party(session, vault, full, 3, 2, now=now)


def reach_counts(session: Session, settings: Settings, now: datetime) -> None:
    """A file of counts that waits for approval with a mapping saved, and a definition that waits too."""
    editor = people.by_login(session, factories.EDITOR)
    assert editor is not None and editor.id is not None
    head, *rows = sources.SCREENS.sample
    text = "\n".join(",".join(row) for row in (head, *rows)).replace(
        "2026-09-15", str(now.date() - timedelta(days=9))
    )
    made = draft.read("screens", "柜面屏幕点播与取阅统计（九月第三周，全部网点）.csv", text.encode())
    columns = mapping.guess(sources.SCREENS, made.table.headings)
    saving.save(session, columns, source="screens", name="柜面屏幕周报", place="", by=None, now=now)
    register.submit(
        session, made, columns, place="", by=editor.id, now=now, today=now.date(), note="科技部每周导出"
    )
    proposing.propose(
        session, version="next-1", valid_from=now.date() + timedelta(days=60), kinds=["visited", "attended", "shared"],
        head_counts=["offline", "return"], note="送达不再算触达，转发算。", by=editor.id, now=now, zone=settings.zone,
    )  # fmt: skip


def campaign_file(day: date, keys: list[str]) -> dict[str, Any]:
    """A campaign file whose period holds the day."""
    return {
        "code": CAMPAIGN,
        "name": "金融教育宣传周",
        "name_en": "Financial Education Week",
        "tag": "金融教育宣传周",
        "tag_en": "Financial Education Week",
        "slogan": "保障金融权益 助力美好生活",
        "slogan_en": "Financial rights for a better life",
        "heading": "先停一停，<br>问一问，再转账",
        "heading_en": "Stop. Ask.<br>Then pay.",
        "summary": "三分钟看懂今年最常见的骗局，学会一句话识破它。附近网点每周二有人当面讲。",
        "summary_en": "Three minutes to see through this year's commonest scams, and one sentence that stops them.",
        "starts_on": day - timedelta(days=2),
        "ends_on": day + timedelta(days=4),
        "pieces": keys,
    }


def _outlets(session: Session, now: datetime) -> None:
    """Enough outlets for a second page, one with everything an outlet can have, one that closed."""
    for number in range(11, 41):
        factories.outlet(
            session,
            f"330106{number}",
            f"西湖第{number}柜面",
            "outlet",
            factories.COUNTY,
            now=now,
            province="浙江省",
            city="杭州市",
            county="西湖区",
            address=f"杭州市西湖区文三路 {number} 号一层营业厅",
            phone=f"0571-8800{number:04}",
            hours="周一至周五 9:00–17:00",
        )
    full = outlets.get(session, factories.OUTLET_A)
    full.phone, full.plaque_number, full.plaque_on = "0571-88001234", "基-330106-0001", date(2021, 3, 15)
    factories.outlet(
        session,
        CLOSED_OUTLET,
        "西湖老柜面",
        "outlet",
        factories.COUNTY,
        now=now,
        province="浙江省",
        city="杭州市",
        county="西湖区",
        closed_on=date(2024, 6, 30),
    )
    session.flush()


def _bases(session: Session, now: datetime) -> None:
    """What one outlet offers, the shelf of its branch, a screen that waits to be paired, plaques under way."""
    texts = {
        "services_text": "每周二上午有人当面讲，带上手机一起看。",
        "services_text_en": "Talks every Tuesday morning.",
    }
    texts |= {
        "facilities_text": "坡道在东门，按铃有人来接。",
        "facilities_text_en": "The ramp is at the east door.",
    }
    offer = Offer(
        ["lecture", "one_to_one", "lending", "check"], ["ramp", "glasses", "priority", "sign"], None, texts
    )
    keeping.save(session, factories.OUTLET_A, offer, now=now)
    keeping.arrange(session, factories.COUNTY, ["full-surrender", "ai-voice", "credit-repair"], now=now)
    screens.make(session, factories.OUTLET_A, "叫号区左侧", by=None, now=now)
    codes = [factories.OUTLET_A, factories.OUTLET_B]
    archives.ask(session, factories.COUNTY, codes, size="A3", pdf=False, by=None, now=now)
    piece = history.published_revision(session, "full-surrender")
    assert piece is not None
    archives.ask_posters(session, factories.COUNTY, codes, piece, campaign="", by=None, now=now)


def _ways_in(session: Session, now: datetime) -> None:
    """A token of a program, and short links of some outlets."""
    api_tokens.make(
        session, name="大堂屏", purposes=[api_tokens.COLLECT], outlet_code=factories.PROVINCE, days=90, by=None, now=now
    )  # fmt: skip
    codes = [factories.OUTLET_A, factories.OUTLET_B]
    links.for_outlets(
        session, links.Aim(note="柜台展架"), codes, node=factories.COUNTY, by=None, today=now.date(), now=now
    )


@contextmanager
def visitor(
    browser: Browser,
    site: Site,
    size: tuple[int, int] = PHONE,
    *,
    elder: bool = False,
    locale: str = "zh",
    **more: Any,
) -> Iterator[Page]:
    """A visitor with a window of this size and these preferences; `page.problems` gathers what went wrong."""
    context: BrowserContext = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, locale="zh-CN", reduced_motion="reduce", **more
    )
    cookies = [("sp_lang", locale), *([("sp_elder", "1")] if elder else [])]
    context.add_cookies([{"name": name, "value": value, "url": site.address} for name, value in cookies])
    context.set_default_timeout(10_000)
    page = context.new_page()
    try:
        yield page
    finally:
        context.close()


def sign_in(page: Page, site: Site, login: str) -> None:
    """Sign in through the form, as the person would."""
    page.goto(f"{site.address}/desk/sign-in")
    page.fill("[name=login]", login)
    page.fill("[name=password]", site.people[login])
    page.click("main button.primary, main button[type=submit], main form button")
    page.wait_for_load_state()


def tick_all(page: Page) -> None:
    """Answer every item of the checklist of a review as right."""
    for one in page.locator(".check-answers input[value=ok]").all():
        one.check()


_AXE_SCRIPT = Axe().axe_script
_AXE_RUN = """(options) => axe.run(document, options).then(found => found.violations.map(fault =>
    `${fault.id}: ${fault.help}: ${fault.nodes.slice(0, 4).map(node => node.target.join(' ')).join('; ')}`))"""


def faults(page: Page, *rules: str) -> list[str]:
    """What axe finds wrong with the page as it stands, by these rules or by ALL (WCAG 2.2 and best practices).

    A page that stays while its content changes is given axe once, and only what is wrong is carried over.
    """
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules and rules != (ALL,):
        options["runOnly"] = list(rules)
    if not page.evaluate("'axe' in window"):
        page.evaluate(f"{_AXE_SCRIPT}; undefined")
    return list(page.evaluate(_AXE_RUN, options))


OVERFLOW = """() => {
  const wide = document.documentElement.clientWidth;
  const out = [];
  if (document.documentElement.scrollWidth > wide) out.push(`page is ${document.documentElement.scrollWidth} wide in ${wide}`);
  for (const node of document.querySelectorAll('main *, header *, footer *')) {
    if (node.closest('.table-wrap, .wide, pre, .sr, svg, .skip, .drawer:not([open])')) continue;
    if (!node.checkVisibility()) continue;  // within a closed <details> the layout is that of an earlier window
    const box = node.getBoundingClientRect();
    if (box.width && box.right > wide + 1) out.push(`${node.tagName}.${node.className} ends at ${Math.round(box.right)}`);
  }
  return out.slice(0, 5);
}"""

SMALL = """(least) => {
  const out = [];
  const inText = (node) => node.closest('p, dd, li, figcaption, td') && getComputedStyle(node).display === 'inline';
  for (const node of document.querySelectorAll('a[href], button, select, summary, input:not([type=hidden])')) {
    if (node.closest('.skip, .drawer:not([open]) .drawer-in') || node.matches('.skip') || inText(node)) continue;
    let box = (node.closest('label') ?? node).getBoundingClientRect();
    if (!box.width || !box.height) continue;
    if (node.matches('.card a, .season a')) box = node.closest('.card, .season').getBoundingClientRect();
    if (box.height < least - 0.5) out.push(`${node.tagName} "${(node.innerText || node.name || '').trim().slice(0, 20)}" is ${Math.round(box.height)} high`);
  }
  return out.slice(0, 8);
}"""


def overflow(page: Page) -> list[str]:
    """What reaches beyond the window's right edge."""
    return list(page.evaluate(OVERFLOW))


def calls_for_help(page: Page) -> bool:
    """Whether one key at the top of the page calls a person."""
    key = page.locator("header.top a.call[href^='tel:']")
    return key.count() == 1 and key.is_visible()


def small_targets(page: Page, least: int) -> list[str]:
    """Controls lower than `least` pixels, links within a sentence left out (WCAG 2.2, 2.5.8)."""
    return list(page.evaluate(SMALL, least))
