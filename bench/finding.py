"""How long a search takes over 5,000 published pieces: `python -m bench.finding [--pieces N]`.

The texts of the starter library's pieces are shuffled line by line into as many pieces as wanted, put on the site of a
scratch database, and asked for by one character, words, a sentence, a telephone number, English, a slip and nonsense.
Measured as a page asks: the revisions on the site, the search, the pieces of the page. Processor time, because the
figure is for one process; ends with `RESULT {"search_ms", "cold_s"}` (the slowest question; reading all texts once).
"""

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml
from sqlalchemy import text
from sqlmodel import Session

from bench.load import folder
from content import frontmatter
from content.finding import searching
from content.finding.documents import Documents
from content.finding.question import asked
from content.finding.searching import Narrowed
from content.models import Piece, Revision, State
from core import clock
from core.database import Database
from core.settings import Settings
from institution import people
from webapp.migrate import upgrade

STARTER = Path(__file__).parents[1] / "webapp" / "starter" / "pieces"
QUESTIONS = (
    "骗",
    "理赔",
    "转账 老人",
    "怎么办理保单更换手续",
    "12378",
    "claim",
    "理陪怎么弄才好",
    "没有这样的字符串",
)
ROUNDS, LINES = 7, 90


def fill(session: Session, count: int) -> None:
    """Pieces on the site, made of the starter library's lines; straight into the tables, past the guard of reviews."""
    guards = text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'revision'")
    for (name,) in session.connection().execute(guards).all():
        session.connection().execute(text(f"DROP TRIGGER {name}"))
    now, luck = clock.now(), random.Random(8)
    author = people.system_account(session, "bench", "bench", now).id or 0
    parts = [frontmatter.split(path.read_text(encoding="utf-8")) for path in sorted(STARTER.glob("*.md"))]
    heads = [yaml.safe_load(part[0]) for part in parts if part]
    lines = [line for part in parts if part for line in part[1].splitlines() if len(line) > 8]
    for number in range(count):
        head = luck.choice(heads)
        meta = {name: value for name, value in head.items() if name not in ("sources", "review_by", "cover")}
        key = f"piece-{number}"
        session.add(Piece(key=key, kind=head["kind"], created_at=now, first_published_at=now))
        body = "---\nkey: x\n---\n" + "\n".join(luck.sample(lines, min(LINES, len(lines))))
        meta |= {"key": key, "title": f"{head['title']}{number}"}
        session.add(
            Revision(
                piece_key=key, number=1, text=body, meta=meta, media={}, hash=f"{number:064d}", author_id=author,
                created_at=now, published_at=now, state=State.published.value,
            )
        )  # fmt: skip
    session.flush()


def took(work: Callable[[], object]) -> float:
    """Seconds of processor time."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pieces", type=int, default=5000)
    count = parser.parse_args().pieces
    with folder() as scratch:
        settings = Settings(home=scratch, _env_file=None)
        database, documents = Database(settings.relational_url), Documents()
        upgrade(database)
        with database.transaction() as session:
            fill(session, count)
        with database.reading() as session:
            cold = took(lambda: documents.warm(session))
        slowest = max(_measured(database, documents, text) for text in QUESTIONS)
        database.close()
    print("RESULT " + json.dumps({"search_ms": round(slowest, 1), "cold_s": round(cold, 2)}))


def _measured(database: Database, documents: Documents, text: str) -> float:
    """The median of a question in milliseconds."""
    question, zone = asked(text), ZoneInfo("Asia/Shanghai")

    def once() -> object:
        with database.reading() as session:
            return searching.search(session, documents, question, Narrowed(), zone=zone)

    median = statistics.median(took(once) for _round in range(ROUNDS)) * 1000
    print(f"{text:<24}{median:>8.1f} ms")
    return median


if __name__ == "__main__":
    main()
