"""Reports by mail: once per reader and period, each for their own part, late once, through races and `kill -9`."""

import io
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession
from openpyxl import load_workbook
from PIL import Image
from sqlmodel import Session, col, select

from core.database import Database
from core.errors import Invalid
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from institution import granting, letters
from institution.models import Staff
from scheduler.mailroom import Mailroom
from tests import factories, forked
from tests.factories import OUTLET_A, OUTSIDE_OUTLET, OUTSIDE_PROVINCE, PROVINCE
from tests.scheduler.receivers import ACCEPT, REFUSE, SILENT_BEFORE, MailReceiver
from tests.tracking.rows import event, ship
from tracking import report_deliveries, report_readers, report_rhythm, subscriptions
from tracking.periods import Period
from tracking.report_rhythm import Ended
from tracking.report_sender import Reports
from tracking.store import ReachStore
from tracking.subscription_models import ReportDelivery
from tracking.subscriptions import SubscriptionForm

ROOT = Path(__file__).resolve().parents[2]
# Monday 21 September 2026, 08:00 in Beijing, is when the weekly report of these tests is due.
DUE = datetime(2026, 9, 21, 0, 0, tzinfo=UTC)
FORM = SubscriptionForm(
    name="周报", outlet_code="", span="week", by="branch", compare="year", rhythm="weekly", recipients=()
)
LOGINS = {"all": ("analyst", ""), "zhejiang": ("analyst", PROVINCE), "sichuan": ("analyst", OUTSIDE_PROVINCE)}


class Post:
    """A sender over real objects, a mail server, a clock that is moved by hand."""

    def __init__(self, settings: Settings, database: Database, mail: MailReceiver) -> None:
        self.settings = settings.model_copy(
            update={
                "smtp_host": "127.0.0.1",
                "smtp_port": mail.port,
                "smtp_tls": "none",
                "mail_from": "报告 <r@example.com>",
            }
        )
        self.database, self.mail, self.at = database, mail, DUE - timedelta(days=3)
        self.vault = Vault(Keys(load_secret(settings)))
        self.store = ReachStore.open(settings)
        self.ended: list[Ended] = []
        self.reports = Reports(
            self.settings, database, self.vault, Keys(load_secret(settings)), lambda: self.store, lambda: self.at,
            lambda _session: self.ended,
        )  # fmt: skip
        self.room = Mailroom(self.settings, database, self.vault, lambda: self.at)

    def run(self) -> int:
        """A round at this moment; returns how many mails arrived in it."""
        before = len(self.mail.inbox.attempts)
        self.reports.run_once()
        self.room.run_once()
        self.reports.run_once()
        return len(self.mail.inbox.attempts) - before

    def rows(self) -> list[ReportDelivery]:
        with self.database.reading() as session:
            return list(session.exec(select(ReportDelivery).order_by(col(ReportDelivery.id))))

    def mailed(self, login: str) -> list[EmailMessage]:
        return [one for one in self.mail.inbox.contents.values() if one["To"] == f"{login}@example.com"]

    def subscribe(self, *logins: str, **more: object) -> int:
        with self.database.transaction() as session:
            people = session.exec(select(Staff.id).where(col(Staff.login).in_(logins)))
            form = replace(FORM, recipients=tuple(number or 0 for number in people), **more)  # type: ignore[arg-type]
            return subscriptions.save(session, None, form, by=None, now=self.at).id or 0


@pytest.fixture
def mail(request: pytest.FixtureRequest) -> Iterator[MailReceiver]:
    with (
        Taking() if "kill" in request.node.name or "control" in request.node.name else MailReceiver()
    ).serve() as receiver:
        yield receiver


@pytest.fixture
def post(settings: Settings, database: Database, mail: MailReceiver, now: datetime) -> Iterator[Post]:
    made = Post(settings, database, mail)
    with database.transaction() as session:
        factories.tree(session, now)
        for login, (role, place) in LOGINS.items():
            person = factories.person(session, login, login, role, now, at=place)
            person.email = made.vault.encrypt(f"{login}@example.com")
    weeks = (("2025-09-15", 2), ("2026-09-15", 3))
    ship(made.store, "s", [event(day, outlet=at, visitor=v) for day, n in weeks for v in range(1, n + 1)
                           for at in (OUTLET_A, OUTSIDE_OUTLET)])  # fmt: skip
    yield made
    made.store.close()


def change(post: Post, login: str, what: Callable[[Session, Staff], object]) -> None:
    with post.database.transaction() as session:
        what(session, session.exec(select(Staff).where(Staff.login == login)).one())


def test_it_goes_out_once_when_it_is_due_each_reader_their_own_part(post: Post) -> None:
    post.subscribe(*LOGINS)
    post.at = DUE - timedelta(seconds=1)
    assert post.run() == 0
    post.at = DUE
    assert post.run() == 3
    for _more in range(3):
        post.at += timedelta(hours=20)
        assert post.run() == 0
    assert {row.state for row in post.rows()} == {"sent"} and {row.period_key for row in post.rows()} == {
        "2026-09-14/2026-09-20/"
    }
    texts = {login: post.mailed(login)[0].as_string() + said(post.mailed(login)[0]) for login in LOGINS}
    assert (
        "浙江省分公司" in texts["zhejiang"]
        and "四川" not in texts["zhejiang"]
        and "春熙路" not in texts["zhejiang"]
    )
    assert "四川省分公司" in texts["sichuan"] and "浙江" not in texts["sichuan"]
    assert "浙江省分公司" in texts["all"] and "四川省分公司" in texts["all"]
    post.at = DUE + timedelta(days=7)
    assert post.run() == 3


def said(mail: EmailMessage) -> str:
    """All that a mail tells: text, HTML, and the cells of its files."""
    found = [
        part.get_content()
        for part in mail.walk()
        if part.get_content_type() in ("text/plain", "text/html", "text/csv")
    ]
    for part in mail.walk():
        if "spreadsheet" in part.get_content_type():
            book = load_workbook(io.BytesIO(part.get_payload(decode=True)))  # type: ignore[arg-type]
            found += [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row]
    return "\n".join(found)


def test_the_mail_has_figures_a_picture_files_and_the_definition(post: Post) -> None:
    post.subscribe("all")
    post.at = DUE
    post.run()
    mail = post.mailed("all")[0]
    assert mail["Subject"] == "周报 · 2026-09-14 至 2026-09-20"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    kinds = Counter(part.get_content_type() for part in mail.walk())
    assert kinds["text/plain"] == kinds["text/html"] == kinds["image/png"] == kinds["text/csv"] == 1
    page = mail.get_body(("html",))
    assert page is not None
    html = page.get_content()
    assert (
        "▲ 50.0%" in html and "2026-1" not in html and "2023-1（送达＋访问＋到场）" in html and "剔除" in html
    )
    picture = next(part for part in mail.walk() if part.get_content_type() == "image/png")
    assert (
        f"cid:{picture['Content-ID'].strip('<>')}" in html and picture.get_content_disposition() == "inline"
    )
    image = Image.open(io.BytesIO(picture.get_payload(decode=True)))  # type: ignore[arg-type]
    assert image.width >= 900 and len(image.convert("RGB").getcolors(1 << 20) or []) > 3, "it is not empty"
    names = [part.get_filename() for part in mail.walk() if part.get_content_disposition() == "attachment"]
    assert names == [f"reach-branch-2026-09-14-2026-09-20.{form}" for form in ("xlsx", "csv")]
    assert "/desk/reach?span=dates&amp;from=2026-09-14" in html


def test_what_was_missed_is_sent_once_late_and_says_so(post: Post) -> None:
    post.subscribe("all")
    post.at = DUE + timedelta(days=15)
    assert post.run() == 1
    mail = post.mailed("all")[0]
    assert mail["Subject"].startswith("（补发）") and "2026-09-28 至 2026-10-04" in mail["Subject"]
    assert "还有 2 期没有发出" in said(mail)
    assert post.run() == 0
    post.at = DUE + timedelta(days=21)
    post.run()
    assert len(post.mailed("all")) == 2 and not post.mailed("all")[1]["Subject"].startswith("（补发）")


def test_who_may_see_less_when_it_is_sent_gets_less_or_a_reason_or_nothing(post: Post) -> None:
    post.subscribe(*LOGINS)
    change(post, "all", lambda session, one: granting.set_grants(session, one, [("analyst", OUTLET_A)]))
    change(
        post,
        "zhejiang",
        lambda session, one: granting.set_grants(session, one, [("complaint_handler", PROVINCE)]),
    )
    change(post, "sichuan", lambda _session, one: setattr(one, "active", False))
    post.at = DUE
    assert post.run() == 2
    assert "四川" not in said(post.mailed("all")[0]) and "西湖文三路柜面" in said(post.mailed("all")[0])
    refused = post.mailed("zhejiang")[0]
    assert "没有查看触达报告的权限" in said(refused) and "浙江" not in said(refused)
    assert not [part for part in refused.walk() if part.get_content_disposition() == "attachment"]
    assert {row.reason for row in post.rows() if row.state == "withheld"} == {
        report_readers.NO_POWER,
        report_readers.CLOSED,
    }
    post.at = DUE + timedelta(days=7)
    assert post.run() == 1, "why not is said once, not every week"


def test_a_report_of_another_part_is_refused_in_a_sentence(post: Post) -> None:
    post.subscribe("sichuan", outlet_code=PROVINCE)
    post.at = DUE
    assert post.run() == 1 and "不在您现在负责的范围内" in said(post.mailed("sichuan")[0])
    assert "浙江" not in said(post.mailed("sichuan")[0])


def test_somebody_with_two_parts_gets_a_section_for_each(post: Post) -> None:
    post.subscribe("zhejiang")
    places = [("analyst", OUTLET_A), ("analyst", factories.COUNTY), ("analyst", OUTSIDE_PROVINCE)]
    change(post, "zhejiang", lambda session, one: granting.set_grants(session, one, places))
    post.at = DUE
    post.run()
    assert post.rows()[0].parts == f"{factories.COUNTY} {OUTSIDE_PROVINCE}", (
        "the outlet lies within the county"
    )
    kinds = Counter(part.get_content_type() for part in post.mailed("zhejiang")[0].walk())
    assert kinds["image/png"] == kinds["text/csv"] == 2


def test_pausing_leaving_and_joining(post: Post) -> None:
    number = post.subscribe("all", "zhejiang")
    with post.database.transaction() as session:
        subscriptions.leave(session, subscriptions.get(session, number), post_person(session, "zhejiang"))
    post.at = DUE
    with post.database.transaction() as session:  # joins at the very moment: not for what is due now
        form = replace(FORM, recipients=tuple(post_person(session, login) for login in ("all", "sichuan")))
        subscriptions.save(session, subscriptions.get(session, number), form, by=None, now=post.at)
    assert post.run() == 1 and post.mailed("all")
    with post.database.transaction() as session:
        subscriptions.set_state(session, subscriptions.get(session, number), "paused", post.at)
    post.at = DUE + timedelta(days=7, minutes=1)
    assert post.run() == 0
    with post.database.transaction() as session:
        subscriptions.set_state(session, subscriptions.get(session, number), "active", post.at)
    assert post.run() == 0, "what fell into the pause is not sent afterwards"


def post_person(session: Session, login: str) -> int:
    return session.exec(select(Staff.id).where(Staff.login == login)).one() or 0


def test_after_a_campaign_every_one_once(post: Post) -> None:
    post.subscribe("all", span="campaign", rhythm="campaign", days_after=2)
    week = Period(date(2026, 9, 14), date(2026, 9, 20))
    post.ended = [
        Ended("a", week),
        Ended("b", week, PROVINCE),
        Ended("later", Period(date(2026, 9, 20), date(2026, 9, 30))),
    ]
    post.at = DUE
    assert post.run() == 0
    post.at = DUE + timedelta(days=1)
    assert post.run() == 2 and post.run() == 0
    assert {row.campaign for row in post.rows()} == {"a", "b"}


def test_a_refused_address_is_seen_and_may_be_tried_again(post: Post) -> None:
    number = post.subscribe("all")
    post.mail.inbox.behave = lambda _number, _address: REFUSE
    post.at = DUE
    post.run()
    row = post.rows()[0]
    assert (row.state, row.reason) == ("failed", "SMTP 550")
    post.mail.inbox.behave = lambda _number, _address: ACCEPT
    with post.database.transaction() as session:
        report_deliveries.again(session, number, row.id or 0, post.at)
    assert post.run() == 1 and post.rows()[0].state == "sent"


def test_without_a_mail_server_it_waits_and_a_fault_is_tried_again(post: Post) -> None:
    post.subscribe("all")
    post.at = DUE
    assert replace(post.reports, settings=post.settings.model_copy(update={"smtp_host": ""})).run_once() == 0
    assert post.rows() == []

    def broken() -> ReachStore:
        raise OSError("no disk")

    replace(post.reports, store=broken).run_once()
    assert [(row.state, row.attempts, row.reason) for row in post.rows()] == [("claimed", 1, "OSError")]
    assert post.run() == 0
    post.at += timedelta(minutes=3)
    assert post.run() == 1


def test_several_senders_at_once_post_each_once(post: Post) -> None:
    post.subscribe(*LOGINS)
    post.at = DUE
    posted: list[int] = []
    threads = [threading.Thread(target=lambda: posted.append(post.reports.run_once())) for _n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(posted) == 3
    post.room.run_once()
    assert post.mail.inbox.recipients == {f"{login}@example.com": 1 for login in LOGINS}


def test_control_without_the_claim_there_would_be_more(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    post.subscribe("all")
    post.at = DUE
    with post.database.reading() as session:
        wanted = report_deliveries.waiting(session, post.reports.clock, post.at, [])
    assert [post.reports._post(one, {}) for one in wanted * 2] == [1, 0]
    monkeypatch.setattr(report_deliveries, "settle", lambda *_all: True)
    monkeypatch.setattr(report_deliveries, "claim", lambda *_all: (1, "x"))
    assert [post.reports._post(one, {}) for one in wanted * 2] == [1, 1]


def test_a_dead_holders_claim_is_taken_over_and_its_late_word_does_not_count(post: Post) -> None:
    post.subscribe("all")
    post.at = DUE
    with post.database.transaction() as session:
        (wanted,) = report_deliveries.waiting(session, post.reports.clock, post.at, [])
        held = report_deliveries.claim(session, wanted, post.at)
    assert held is not None and post.run() == 0
    post.at += report_deliveries.LEASE + timedelta(seconds=1)
    assert post.run() == 1
    assert post.reports._make(wanted, held, {}) == 0, "who lost the claim posts nothing"
    assert post.run() == 0


class Taking(MailReceiver):
    """Decides at the content alone: at the envelope nothing was handed over yet."""

    async def handle_RCPT(
        self, server: SMTP, session: SmtpSession, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return "250 OK"


def killed(post: Post, *, forgetful: bool = False) -> MailReceiver:
    """The process is killed with each second mail in the server's hands, until all is settled."""
    given = {
        name: getattr(post.settings, name)
        for name in ("database_url", "smtp_host", "smtp_port", "smtp_tls", "mail_from")
    }
    given |= {"home": str(post.settings.home), "secret_key": "test-secret-of-no-value"}
    given |= {"forgetful": "yes"} if forgetful else {}
    post.store.close()
    running: list[subprocess.Popen[bytes]] = []

    def behave(number: int, _address: str) -> str:
        if number in (1, 3):
            running[-1].kill()
            return ACCEPT if number == 1 else SILENT_BEFORE
        return ACCEPT

    post.mail.inbox.behave, post.mail.inbox.silence = behave, 0.2
    for round_ in range(8):
        at = DUE + round_ * timedelta(minutes=11)  # claims and leases of the dead have run out
        command = [
            sys.executable,
            "-m",
            "tests.tracking.reporter",
            json.dumps(given | {"at": at.isoformat()}),
        ]
        running.append(forked.Popen(command, cwd=ROOT))
        for _tick in range(900):  # a start takes long on a busy machine; nothing waits for the whole of it
            if running[-1].poll() is not None or all(settled(post)):
                break
            time.sleep(0.1)
        running[-1].kill()
        running[-1].wait()
        if all(settled(post)):
            break
    post.store = ReachStore.open(post.settings)
    return post.mail


def settled(post: Post) -> list[bool]:
    rows = post.rows()
    return [len(rows) == 3, *(row.state in ("sent", "uncertain", "failed") for row in rows)]


def test_kill_at_the_worst_moment_doubles_nobody_and_says_what_is_in_doubt(post: Post) -> None:
    post.subscribe(*LOGINS)
    mail = killed(post)
    states = Counter(row.state for row in post.rows())
    assert states == {"uncertain": 2, "sent": 1}
    assert set(mail.inbox.recipients.values()) == {1} and len(mail.inbox.recipients) == 2
    with post.database.reading() as session:
        names = {row.staff_id for row in post.rows() if row.state == "sent"}
        sent = {one.login for one in session.exec(select(Staff).where(col(Staff.id).in_(names)))}
    assert {f"{login}@example.com" for login in sent} <= set(mail.inbox.recipients)


def test_control_without_the_note_before_handing_over_somebody_would_get_two(post: Post) -> None:
    post.subscribe(*LOGINS)
    assert max(killed(post, forgetful=True).inbox.recipients.values()) == 2


def test_letters_of_other_kinds_are_still_sent_again(post: Post) -> None:
    with post.database.transaction() as session:
        letters.post(session, vault=post.vault, to="a@example.com", subject="x", text="y", now=post.at)
        assert letters.claim(session, vault=post.vault, now=post.at)
    post.at += letters.LEASE + timedelta(seconds=1)
    assert post.room.run_once() == 1


def test_a_form_that_cannot_be_sent_is_refused(post: Post) -> None:
    for wrong, field in (
        ({"name": " "}, "name"), ({"span": "campaign"}, "rhythm"), ({"by": "colour"}, "by"), ({"filters": "x=1"}, "filters"),
        ({"hour": 24}, "hour"), ({"rhythm": "monthly", "month_day": 0}, "month_day"), ({"outlet_code": "no"}, "outlet_code"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as caught:
            post.subscribe("all", **wrong)
        assert caught.value.field == field
    with pytest.raises(Invalid) as caught:
        post.subscribe("nobody")
    assert caught.value.field == "recipients"
    assert report_rhythm.SPANS.keys() >= {"week", "month", "quarter", "campaign", "year"}
