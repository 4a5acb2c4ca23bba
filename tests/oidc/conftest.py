"""Fixtures: Canaille in a process of its own, a browser for it, our site that trusts it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from werkzeug.test import TestResponse

from core.database import Database
from core.settings import Settings
from tests import factories
from tests.oidc.canaille_server import CLIENT, PASSWORD, SECRET
from tests.servers import free_port
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

BACK = "http://127.0.0.1:8000/desk/sign-in/oidc/back"


@pytest.fixture(scope="session")
def canaille() -> Iterator[str]:
    """The issuer of a running provider."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.oidc.canaille_server", str(port), BACK],
        env={**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _try in range(200):
            try:
                if requests.get(f"{address}/.well-known/openid-configuration", timeout=1).ok:
                    break
            except requests.RequestException:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def oidc_settings(settings: Settings, canaille: str) -> Settings:
    return settings.model_copy(
        update={
            "oidc_issuer": canaille,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SecretStr(SECRET),
            "oidc_scopes": "openid profile email groups",
            "oidc_roles": f'{{"editors": [["editor", "{factories.PROVINCE}"], ["analyst", ""]]}}',
        }
    )


@pytest.fixture
def app(oidc_settings: Settings, database: Database) -> Iterator[Flask]:
    runtime: Runtime = build(oidc_settings)
    yield create_app(runtime)
    runtime.close()


class Browser:
    """A person's browser: cookies at the provider, and at our site."""

    def __init__(self, app: Flask) -> None:
        self.site: FlaskClient = app.test_client()
        self.there = requests.Session()

    def leave(self, target: str = "") -> str:
        """Press the button; the provider's address."""
        answer = self.site.get("/desk/sign-in/oidc", query_string={"next": target} if target else {})
        assert answer.status_code == 302, answer.text
        return answer.location

    def vouch(self, url: str, login: str) -> str:
        """Sign in at the provider and agree, as far as it asks; the address it sends us back to."""
        page = self._until_back(self.there.get(url, allow_redirects=False, timeout=20))
        for data in ({"login": login}, {"password": PASSWORD}, {"answer": "accept"}):
            if page.is_redirect:
                break
            form = {**data, **_csrf(page.text)}
            page = self._until_back(self.there.post(page.url, data=form, allow_redirects=False, timeout=20))
        assert page.is_redirect, page.text
        return page.headers["Location"]

    def _until_back(self, answer: requests.Response) -> requests.Response:
        """Follow redirects inside the provider, but not the one that leads back to us."""
        while answer.is_redirect and not answer.headers["Location"].startswith(BACK):
            target = urljoin(answer.url, answer.headers["Location"])
            answer = self.there.get(target, allow_redirects=False, timeout=20)
        return answer

    def come_back(self, url: str) -> TestResponse:
        """Follow the provider's redirect at our site."""
        return self.site.get(url.removeprefix("http://127.0.0.1:8000"))


def _csrf(html: str) -> dict[str, str]:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', html)
    return {"csrf_token": found[1]} if found else {}


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app)
