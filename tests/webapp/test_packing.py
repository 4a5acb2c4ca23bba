"""webapp.packing: what a page of its own weighs on the wire, and what stays as it is."""

import gzip
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core.database import Database
from core.settings import Settings
from webapp.create_app import create_app
from webapp.runtime import build

GZIP = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.fixture
def app(settings: Settings, database: Database) -> Iterator[Flask]:
    """The application on an empty, migrated database."""
    assert database
    runtime = build(settings)
    yield create_app(runtime)
    runtime.close()


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    return app.test_client()


def test_a_list_goes_compressed_to_who_takes_it_so(visitor: FlaskClient) -> None:
    plain, packed = visitor.get("/library"), visitor.get("/library", headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert "Content-Encoding" not in visitor.get("/library", headers={"Accept-Encoding": "gzip;q=0"}).headers


def test_a_page_with_a_token_keeps_its_length_to_itself(app: Flask) -> None:
    @app.get("/asks")
    def asks() -> str:
        return '<input type="hidden" name="csrf_token" value="secret">' + "word " * 400

    visitor = app.test_client()
    assert b"csrf_token" in visitor.get("/desk/sign-in").data
    for path in ("/desk/sign-in", "/asks"):
        assert "Content-Encoding" not in visitor.get(path, headers=GZIP).headers
