"""Search over what is on the site: which words find what, in which order, and that what is withdrawn is gone at once."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, col, select

from content import lifecycle
from content.finding import searching
from content.finding.documents import Documents, document
from content.finding.question import LONGEST, asked
from content.finding.searching import Found, Narrowed
from content.models import Kind, Revision
from content.rooms import file
from core import clock
from core.database import Database
from institution.models import Staff
from tests import browser, servers
from tests.content import pieces

ROOM = browser.STARTER / "pieces" / "room-ai-voice"
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
CLAIM = "title_en: How to claim\ntopics: [理赔, 报案]\nrights: [依法求偿权]\naudience: [老年人]\n"
Find = Callable[..., Found]


def _text(key: str, title: str, body: str, kind: str = "article", more: str = "") -> str:
    return f"---\nkey: {key}\nkind: {kind}\ntitle: {title}\nsummary: 一步一步说清楚\n{more}---\n{body}"


TEXTS = (
    _text("claims", "怎样办理理赔", "## 四步\n\n先报案，打 400-810 0000。\n", "guide", CLAIM),
    _text("mention", "家里的保单放哪里", "保单放好。以后办理赔，找得到。\n", more="topics: [保单管理]\n"),
    _text(
        "face",
        "AI换脸，先挂断",
        "对方的脸是假的。fraud calls are FAKE。\n",
        "long_graphic",
        "topics: [诈骗]\n",
    ),
    _text(
        "phone",
        "陌生来电怎么接",
        "拨打 96110 问一问。骗子会急。**先停一停**，再[想](https://example.com)想。\n",
    ),
)


class _Undo(Exception):
    """Takes back what a transaction did."""


@pytest.fixture(scope="module")
def database(
    tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template
) -> Iterator[Database]:
    """A site with four pieces, shared: what a test changes it takes back."""
    with database_template.copy(tmp_path_factory.mktemp("site")) as url:
        made = Database(url)
        with made.transaction() as session:
            people = pieces.people(session, NOW)
            for number, text in enumerate(TEXTS):
                pieces.to_the_site(session, text, *people, NOW - timedelta(days=number * 400))
        yield made
        made.close()


@pytest.fixture(scope="module")
def find(database: Database) -> Find:
    """A way to ask it."""
    documents = Documents()

    def ask(text: str, page: int = 1, within: Session | None = None, **narrowed: str) -> Found:
        if within is not None:
            return searching.search(
                within, documents, asked(text), Narrowed(**narrowed), zone=ZONE, page=page
            )
        with database.reading() as session:
            return searching.search(
                session, documents, asked(text), Narrowed(**narrowed), zone=ZONE, page=page
            )

    return ask


def keys(found: Found) -> list[str]:
    return [hit.piece.key for hit in found.hits]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("理赔", ["claims", "mention"]),  # a title comes before a text
        ("理賠", ["claims", "mention"]),  # traditional characters
        ("骗", ["face", "phone"]),  # one character: of a topic before one of the text
        ("９６１１０", ["phone"]),  # full width
        ("96 110", ["phone"]),
        ("4008100000", ["claims"]),  # however it is spaced in the text
        ("400-8100-000", ["claims"]),
        ("ai换脸", ["face"]),
        ("fra", ["face"]),
        ("raud", []),  # a Latin word is found where it begins
        ("claim", ["claims"]),
        ("怎么办理理赔", ["claims"]),  # without the words of asking
        ("理赔 报案", ["claims"]),  # every word
        ("以案说险", ["phone", "mention"]),  # the name of a kind
        ("依法求偿权", ["claims"]),
        ("media/", []),
        ("example.com", []),  # an address is not text
        ("%", []),
        ("' OR 1=1 --", []),
        ('"; DROP TABLE piece; --', []),
        ("(((((", []),
        ("\x00\u200b", []),
    ],
)
def test_words_find(find: Find, text: str, wanted: list[str]) -> None:
    found = find(text)
    if asked(text).is_empty:
        assert found.total == len(TEXTS)
        return
    assert sorted(keys(found)) == sorted(wanted)
    if text in ("理赔", "骗"):
        assert keys(found) == wanted


def test_what_is_nearly_so_is_offered_as_such(find: Find) -> None:
    near = find("陌生来电该怎么接听")
    assert near.alike
    assert keys(near) == ["phone"]
    slip = find("理陪")
    assert slip.hits == []
    assert "理赔" in slip.instead


def test_what_is_found_is_marked_and_nothing_else(find: Find) -> None:
    hit = find("先报案").hits[0]
    assert ("先报案", True) in hit.excerpt
    assert "".join(text for text, _was in hit.excerpt).startswith("先报案，打 400-810 0000")
    title = find("理賠").hits[0].title
    assert title == (("怎样办理", False), ("理赔", True))
    spaced = find("4008100000").hits[0]
    assert ("400-810 0000", True) in spaced.excerpt


def test_an_answer_is_narrowed_and_says_what_would_be_left(find: Find) -> None:
    year = str(NOW.astimezone(ZONE).year)
    found = find("", kind="article")
    assert sorted(keys(found)) == ["mention", "phone"]
    assert dict(found.facets["kind"]) == {"article": 2, "guide": 1, "long_graphic": 1}
    assert dict(found.facets["topic"]) == {"保单管理": 1}
    assert keys(find("理赔", topic="报案")) == ["claims"]
    assert keys(find("", year=year)) == ["claims"]
    assert keys(find("", right="依法求偿权", audience="老年人")) == ["claims"]
    assert find("", kind="nonsense").hits == []


def test_a_page_beyond_the_last_gives_the_last(find: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "PER_PAGE", 3)
    first, last = find(""), find("", page=99)
    assert (first.page, first.pages, len(first.hits)) == (1, 2, 3)
    assert (last.page, len(last.hits)) == (2, 1)
    assert keys(first)[0] == "claims"  # the newest first where nothing was asked


def test_a_withdrawn_piece_is_gone_in_the_transaction_of_the_withdrawal(
    find: Find, database: Database
) -> None:
    assert sorted(keys(find("理赔"))) == ["claims", "mention"]
    with pytest.raises(_Undo), database.transaction() as session:
        lifecycle.withdraw(session, "claims", by=1, now=NOW, reason="有误")
        assert keys(find("理赔", within=session)) == ["mention"]
        raise _Undo
    assert sorted(keys(find("理赔"))) == ["claims", "mention"]


def test_a_new_revision_is_searched_and_the_old_one_is_not(find: Find, database: Database) -> None:
    assert keys(find("急")) == ["phone"]
    with pytest.raises(_Undo), database.transaction() as session:
        editor, reviewer = session.exec(select(Staff).order_by(col(Staff.id))).all()[:2]
        pieces.to_the_site(session, TEXTS[3].replace("骗子会急", "不要慌"), editor, reviewer, NOW)
        assert keys(find("急", within=session)) == []
        assert keys(find("不要慌", within=session)) == ["phone"]
        raise _Undo
    assert keys(find("不要慌")) == []


def test_what_is_typed_is_cut(find: Find) -> None:
    assert len(asked("长" * 5000).typed) == LONGEST
    assert find("长" * 5000).total == 0


def test_a_room_tells_nothing_of_its_answers() -> None:
    path = ROOM / "room.yaml"
    text = path.read_text(encoding="utf-8")
    assert "6284" in text
    room, _faults = file.read(path.name, text)
    assert room is not None
    revision = Revision(piece_key="room", number=1, text=text, meta=file.front_matter(room), media={}, hash="", author_id=1, created_at=clock.now())  # fmt: skip
    one = document(revision, Kind.escape_room)
    assert "视频里的儿子" in one.everything and "ai换脸拟声" in one.everything
    assert "6284" not in one.everything
    assert "影子" not in one.words
