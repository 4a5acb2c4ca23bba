"""content.library: a folder in, the same folder out; nothing applied if one file is wrong."""

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as how
from hypothesis import strategies as st
from sqlmodel import Session, select

from content import history, library
from content.faults import Faulty
from content.models import Revision
from core.database import Database
from core.errors import Conflict, Invalid
from institution import people
from tests.content import pieces

OTHER = pieces.SVG.replace(b"#abc", b"#def")
WITH_PICTURE = pieces.text("with-picture", body="/// picture | media/x.svg\n    alt: 图\n///\n")
COVERED = pieces.text("covered", more="cover: media/wild.svg\ncover_alt: 图\n")
WILD = pieces.SVG.replace(b"<rect", b"<script>x</script><rect")


def load(session: Session, home: Path, folder: Path, now: datetime) -> library.Loaded:
    by = people.system_account(session, "system.import", "导入", now).id or 0
    return library.load_folder(session, home / "files", folder, by=by, now=now)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_round_trip_changes_nothing(database: Database, now: datetime, tmp_path: Path) -> None:
    pictures = {"media/x.svg": pieces.SVG, "media/wild.svg": WILD}
    odd = "\ufeff" + pieces.text("odd", body="行尾空格  \r\n\r\n没有结尾换行")
    given_ = pieces.folder(tmp_path / "in", WITH_PICTURE, COVERED, pictures=pictures)
    (given_ / "odd.md").write_bytes(odd.encode())
    with database.transaction() as session:
        first = load(session, tmp_path, given_, now)
        library.save_folder(session, tmp_path / "files", tmp_path / "out")
        second = load(session, tmp_path, tmp_path / "out", now)
        third = load(session, tmp_path, given_, now)
    assert first.created == ("covered", "odd", "with-picture")
    assert contents(tmp_path / "out") == contents(given_)
    assert second.unchanged == third.unchanged == first.created
    assert not (second.created or second.changed or third.changed)


def test_a_changed_picture_is_a_new_revision(database: Database, now: datetime, tmp_path: Path) -> None:
    folder = pieces.folder(tmp_path / "in", WITH_PICTURE, pieces.text(), pictures={"media/x.svg": pieces.SVG})
    with database.transaction() as session:
        load(session, tmp_path, folder, now)
        (folder / "media/x.svg").write_bytes(OTHER)
        again = load(session, tmp_path, folder, now)
    assert again.changed == ("with-picture",)
    assert again.unchanged == ("stop-first",)


def test_nothing_is_applied_if_one_file_is_wrong(database: Database, now: datetime, tmp_path: Path) -> None:
    folder = pieces.folder(
        tmp_path / "in", pieces.text(), WITH_PICTURE, pictures={"media/y.png": b"no picture"}
    )
    (folder / "late.md").write_text(
        pieces.text("late").replace("summary: 三句话记住\n", ""), encoding="utf-8"
    )
    (folder / "name.md").write_text(pieces.text("other-name"), encoding="utf-8")
    (folder / "latin.md").write_bytes("文".encode("gb18030"))
    with database.transaction() as session:
        with pytest.raises(Faulty) as caught:
            load(session, tmp_path, folder, now)
        assert session.exec(select(Revision)).first() is None
    places = {(fault.file, fault.field) for fault in caught.value.faults}
    assert places >= {
        ("late.md", "summary"),
        ("with-picture.md", ""),
        ("media/y.png", ""),
        ("name.md", "key"),
        ("latin.md", ""),
    }
    assert not (tmp_path / "files").exists()


def test_one_picture_name_may_mean_two_pictures(database: Database, now: datetime, tmp_path: Path) -> None:
    second = WITH_PICTURE.replace("with-picture", "second")
    one = pieces.folder(tmp_path / "one", WITH_PICTURE, pictures={"media/x.svg": pieces.SVG})
    two = pieces.folder(tmp_path / "two", second, pictures={"media/x.svg": OTHER})
    with database.transaction() as session:
        load(session, tmp_path, one, now)
        load(session, tmp_path, two, now)
        library.save_folder(session, tmp_path / "files", tmp_path / "out")
        again = load(session, tmp_path, tmp_path / "out", now)
    assert again.unchanged == ("second", "with-picture")
    assert set(contents(tmp_path / "out")) == {
        "second.md",
        "with-picture.md",
        "media/x.svg",
        "media/with-picture/x.svg",
    }


def test_the_unused_is_named_and_the_readme_left_alone(
    database: Database, now: datetime, tmp_path: Path
) -> None:
    folder = pieces.folder(tmp_path / "in", pieces.text(), pictures={"media/x.svg": pieces.SVG})
    (folder / "README.md").write_text("for people")
    with database.transaction() as session:
        assert load(session, tmp_path, folder, now).unused == ("media/x.svg",)


def test_a_folder_that_is_not_there_or_not_empty_is_refused(
    database: Database, now: datetime, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_text("")
    (tmp_path / "empty").mkdir()
    with database.transaction() as session:
        for folder in (tmp_path / "none", tmp_path / "empty"):
            with pytest.raises(Invalid):
                load(session, tmp_path, folder, now)
        with pytest.raises(Conflict):
            library.save_folder(session, tmp_path / "files", tmp_path / "full")


_line = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=20)
_body = st.lists(st.one_of(_line.filter(lambda line: "///" not in line and "<" not in line and "[" not in line and line.strip()[:1] != "#" and line.strip() != ""), st.just("/// card | 记住\n先停一停\n///\n"), st.just("- 一\n- 二\n"), st.just("")), min_size=1, max_size=8).filter(any)  # fmt: skip


@given(
    title=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30),
    body=_body,
    ending=st.sampled_from(["", "\n", "\r\n", "\n\n  "]),
    minutes=st.integers(1, 60),
)
@how(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_good_piece_comes_back_as_it_went_in(  # noqa: PLR0917  (fixtures and what hypothesis draws)
    database: Database,
    now: datetime,
    tmp_path_factory: pytest.TempPathFactory,
    title: str,
    body: list[str],
    ending: str,
    minutes: int,
) -> None:
    quoted = "'" + title.replace("'", "''") + "'"
    header = f"key: any\nkind: article\ntitle: {quoted}\nsummary: 话\nminutes: {minutes}\n"
    text = f"---\n{header}---\n" + "\n\n".join(body) + ending
    home = tmp_path_factory.mktemp("any")
    folder = pieces.folder(home / "in", text)
    with database.transaction() as session:
        before = history.newest(session, "any")
        try:
            load(session, home, folder, now)
        except Faulty:
            assume(False)
        library.save_folder(session, home / "files", home / "out")
        assert load(session, home, home / "out", now).unchanged == ("any",)
        after = history.newest(session, "any")
        assert after is not None
        assert after.number <= (before.number if before else 0) + 1
    assert contents(home / "out") == contents(folder)
