"""An institution's own looks on pages: a stylesheet and a logo of ours, nothing else, and neither without settings."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlmodel import SQLModel

from campaign.base import plaque
from content import logo
from core.database import Database
from core.settings import Settings
from webapp.create_app import create_app
from webapp.runtime import build

LOGO = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 20" onload="x()"><script>x()</script>
<rect width="80" height="20" fill="#a31f34"/></svg>"""


@pytest.fixture
def branded(tmp_path: Path) -> Iterator[Flask]:
    """A site with a colour and a logo of its own, and nothing else."""
    (tmp_path / "own.svg").write_bytes(LOGO)
    settings = Settings(
        _env_file=None, home=tmp_path, brand_color="#A31F34", logo=tmp_path / "own.svg", rate_storage=""
    )
    runtime = build(settings)
    SQLModel.metadata.create_all(runtime.service(Database).engine)
    yield create_app(runtime)
    runtime.close()


def test_pages_wear_the_colours_and_the_logo(branded: Flask) -> None:
    client = branded.test_client()
    for path in ("/help", "/desk/sign-in"):
        page = client.get(path).get_data(as_text=True)
        sheet = re.search(r'href="(/brand\.css\?v=\w+)"', page)
        picture = re.search(r'src="(/brand/logo\?v=\w+)"', page)
        assert sheet and picture, path
        assert page.index("tokens.css") < sheet.start(), "it replaces tokens, so it comes after them"
        answer = client.get(sheet[1])
        assert (answer.status_code, answer.mimetype) == (200, "text/css")
        assert "--brand:var(--light,#a31f34)" in answer.get_data(as_text=True)
        assert "immutable" in answer.headers["Cache-Control"]
        drawn = client.get(picture[1])
        assert drawn.mimetype == "image/svg+xml" and b"#a31f34" in drawn.data
        assert b"script" not in drawn.data and b"onload" not in drawn.data
        assert "sandbox" in drawn.headers["Content-Security-Policy"]


def test_a_plaque_wears_the_logo(branded: Flask) -> None:
    own = logo.of(branded.extensions["signpost"].service(Settings))
    assert own is not None
    one = plaque.Plaque("示范", "Model", "西湖", "", None, "12378", "https://a.example/s/x", own.embedded)
    assert f'href="{own.embedded}"' in plaque.svg(one)


def test_without_settings_there_is_neither(settings: Settings) -> None:
    runtime = build(settings)
    client = create_app(runtime).test_client()
    assert client.get("/brand.css").status_code == client.get("/brand/logo").status_code == 404
    runtime.close()
