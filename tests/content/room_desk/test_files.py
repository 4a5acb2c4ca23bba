"""A room as one file: what goes out comes in again; bombs, ways out of the folder and half rooms do not."""

import io
import zipfile

import pytest
from flask.testing import FlaskClient

from content.escape_room import reading
from content.making import archive
from core.database import Database
from core.errors import Invalid
from core.settings import Settings
from tests.content.making.test_splicing import TEXT
from tests.content.room_desk.test_room_desk import ROOM, newest
from tests.content.rooms.conftest import KEY, SAMPLES

PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 30"><rect width="40" height="30" onclick="x()"/></svg>'


def packed(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, data in files.items():
            whole.writestr(name, data)
    return made.getvalue()


def folder(**changed: bytes) -> dict[str, bytes]:
    files = {path.name: path.read_bytes() for path in (SAMPLES / KEY).iterdir()}
    return {f"{KEY}/{name}": data for name, data in (files | changed).items()}


def load(client: FlaskClient, data: bytes, base: int = 1) -> tuple[int, str]:
    form = {"file": (io.BytesIO(data), "room.zip"), "base": str(base)}
    answer = client.post(f"{ROOM}/file.zip", data=form, follow_redirects=True)
    return answer.status_code, answer.get_data(as_text=True)


def test_what_goes_out_is_what_the_command_reads_and_comes_in_again(
    editor: FlaskClient, database: Database, tmp_path: object
) -> None:
    data = editor.get(f"{ROOM}/file.zip").get_data()
    assert data == editor.get(f"{ROOM}/file.zip").get_data()
    with zipfile.ZipFile(io.BytesIO(data)) as whole:
        whole.extractall(str(tmp_path))
    found = reading.read_folder(tmp_path / KEY)  # type: ignore[operator]
    assert found.room.key == KEY and sorted(found.pictures) == ["living.svg", "outlet.svg", "stairs.svg"]
    status, page = load(editor, data)
    assert status == 200 and "完全相同" in page and newest(database).number == 1


def test_a_changed_folder_becomes_a_new_revision_with_its_pictures(
    editor: FlaskClient, database: Database
) -> None:
    text = TEXT.replace("Living room", "Parlour").encode()
    status, page = load(editor, packed(folder(**{"room.yaml": text, "living.svg": PICTURE})))
    assert status == 200 and "已保存为第 2 版" in page
    made = newest(database)
    assert "Parlour" in made.text and made.media["media/living.svg"]["width"] == 40
    assert b"onclick" not in editor.get(f"/media/{made.media['media/living.svg']['file']}").get_data()


@pytest.mark.parametrize(
    "files, words",
    [
        (folder(**{"room.yaml": TEXT.replace("to: stairs", "to: nowhere").encode()}), "nowhere"),
        (folder(**{"room.yaml": TEXT.replace("key: a-call", "key: other").encode()}), "不能改"),
        (folder(**{"living.svg": b"<html>no picture</html>"}), "living.svg"),
        ({name: data for name, data in folder().items() if "living" not in name}, "living.svg"),
        ({"notes.txt": b"x"}, "room.yaml"),
        ({**folder(), "b/room.yaml": b"x"}, "room.yaml"),
        ({**folder(), "../../evil.svg": PICTURE}, "路径"),
        ({**folder(), "/etc/evil.svg": PICTURE}, "路径"),
        ({**folder(), "a\\..\\evil.svg": PICTURE}, "路径"),
        (folder(**{"room.yaml": b"\xff\xfe\x00"}), "UTF-8"),
    ],
)  # fmt: skip
def test_one_fault_and_nothing_is_taken(
    editor: FlaskClient, database: Database, settings: Settings, files: dict[str, bytes], words: str
) -> None:
    before = {path for path in settings.files_dir.rglob("*") if path.is_file()}
    status, page = load(editor, packed(files))
    assert status == 400 and words in page and "什么都没有改" in page
    assert newest(database).number == 1
    assert {path for path in settings.files_dir.rglob("*") if path.is_file()} == before


def test_a_bomb_is_not_unpacked(editor: FlaskClient) -> None:
    bomb = packed({f"{KEY}/room.yaml": b"a" * 30_000_000})
    assert len(bomb) < 100_000
    status, page = load(editor, bomb)
    assert status == 400 and "太大" in page
    many = packed({f"{KEY}/{number}.svg": b"" for number in range(300)} | folder())
    assert load(editor, many)[0] == 400


def test_a_bomb_that_lies_about_its_size_is_not_unpacked_either() -> None:
    """The sizes in the directory are set to one byte; what counts is what comes out."""
    name, inside = f"{KEY}/room.yaml", b"a" * 30_000_000
    data = packed({name: inside})
    lied = data.replace(len(inside).to_bytes(4, "little"), (1).to_bytes(4, "little"))
    assert lied != data
    with zipfile.ZipFile(io.BytesIO(lied)) as whole:
        assert whole.infolist()[0].file_size == 1
    with pytest.raises(Invalid):
        archive.unpacked(lied)


@pytest.mark.parametrize("data", [b"", b"no archive", packed(folder())[:-60], b"PK\x05\x06" + b"\x00" * 18])
def test_what_is_no_archive_is_said_so(editor: FlaskClient, data: bytes) -> None:
    status, page = load(editor, data)
    assert (status == 400 and "ZIP" in page) or "room.yaml" in page


def test_a_folder_becomes_a_new_room(editor: FlaskClient, database: Database) -> None:
    files = folder(**{"room.yaml": TEXT.replace("key: a-call", "key: b-call").encode()})
    form = {"file": (io.BytesIO(packed(files)), "b.zip"), "outlet_code": ""}
    answer = editor.post("/desk/pieces/new/room.zip", data=form, follow_redirects=True)
    assert (
        "已保存为第 1 版" in answer.get_data(as_text=True)
        and answer.request.path == "/desk/pieces/b-call/room"
    )
    again = {"file": (io.BytesIO(packed(files)), "b.zip"), "outlet_code": ""}
    taken = editor.post("/desk/pieces/new/room.zip", data=again)
    assert taken.status_code == 409 and "已有内容使用" in taken.get_data(as_text=True)
    wrong = {"file": (io.BytesIO(b"nothing"), "b.zip"), "outlet_code": ""}
    answer = editor.post("/desk/pieces/new/room.zip", data=wrong)
    assert answer.status_code == 400 and "完好的 ZIP" in answer.get_data(as_text=True)
    assert 'formaction="/desk/pieces/new/room.zip"' in editor.get(
        "/desk/pieces/new?kind=escape_room"
    ).get_data(as_text=True)
