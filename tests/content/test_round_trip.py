"""`content import` and `content export`: whatever is good comes back byte for byte, and changes nothing again."""

import re
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from content import library
from core.database import Database
from institution import people
from tests.content import pieces, written

COVER = pieces.SVG.replace(b"#abc", b"#fed")
WILD = pieces.SVG.replace(b"<rect", b"<!-- x --><script>x</script><rect")
_LABEL = re.compile(rb'<metadata id="aigc">.*?</metadata>', re.DOTALL)
KINDS = {"a": "long_graphic", "b-2": "article", "c": "diary", "d": "guide"}  # a kind cannot change later


@given(texts=st.tuples(*(written.files(key, kind) for key, kind in KINDS.items())), wild=st.booleans())
@how(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_good_folder_comes_back_as_it_went_in(
    database: Database,
    now: datetime,
    tmp_path_factory: pytest.TempPathFactory,
    texts: tuple[str, ...],
    wild: bool,
) -> None:
    home = tmp_path_factory.mktemp("any")
    folder = pieces.folder(home / "in")
    for key, text in zip(KINDS, texts, strict=True):
        (folder / f"{key}.md").write_bytes(text.encode())
    (folder / written.COVER).write_bytes(COVER)
    if any(written.INSIDE in text for text in texts):
        (folder / written.INSIDE).write_bytes(WILD if wild else pieces.SVG)
    with database.transaction() as session:
        by = people.system_account(session, "system.import", "导入", now).id or 0
        library.load_folder(session, home / "files", folder, by=by, now=now)
        library.save_folder(session, home / "files", home / "out")
        again = library.load_folder(session, home / "files", home / "out", by=by, now=now)
    # what a machine made says so in its metadata outside of the house, and loses that on its way back
    found = pieces.contents(home / "out")
    labelled = {name for name, data in found.items() if b"AIGC" in data and name.endswith(".svg")}
    said = any("ai_generated" in text and "pictures" in text for text in texts)
    assert said or not labelled
    bare = {name: _LABEL.sub(b"", data) if name in labelled else data for name, data in found.items()}
    assert bare == pieces.contents(folder)
    assert again.unchanged == tuple(KINDS)
