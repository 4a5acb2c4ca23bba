"""The line of channels over HTTP: what each kind of answer means, with real answers on loopback."""

from collections.abc import Iterable
from typing import Any

import pytest
from werkzeug.wrappers import Response

from scheduler.channels.base import DeliveryError
from scheduler.channels.base_http import Http
from tests.scheduler.channels.suite import Said
from tests.servers import free_port, listening

WAIT = {"Retry-After": "7"}
RESET = {"x-ogw-ratelimit-reset": "31"}


def _asked(answer: Any, timeout: float = 5.0) -> dict[str, Any]:
    port, line = free_port(), Http((timeout, timeout))
    with listening(answer, port):
        try:
            return line.post(f"http://127.0.0.1:{port}/", {"说": "先停一停"})
        finally:
            line.close()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Response("{}", 429, WAIT), Said(everyone=True, retry_after=7.0)),
        (Response("{}", 429, RESET), Said(everyone=True, retry_after=31.0)),
        (Response("soon", 503), Said(everyone=True)),
        (Response("bad gateway", 502), Said(everyone=True, unknown=True)),
        (Response("", 504), Said(everyone=True, unknown=True)),
        (Response("oops", 500), Said(everyone=True, unknown=True)),
        (Response("<html>", 200), Said(everyone=True, unknown=True)),
        (Response("[]", 200), Said(everyone=True, unknown=True)),
        (Response("nothing here", 404), Said(everyone=True)),
        (Response("x" * 4_000_001, 200), Said(everyone=True, unknown=True)),
    ],
)
def test_what_an_answer_means(answer: Response, said: Said) -> None:
    with pytest.raises(DeliveryError) as caught:
        _asked(answer)
    error = caught.value
    assert said == Said(error.permanent, error.everyone, error.unknown, error.retry_after, error.closes)


def test_an_object_is_read_whatever_the_status_and_chinese_goes_as_it_is() -> None:
    heard = []

    def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        heard.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode())
        return Response('{"code": 400}', 400)(environ, start_response)

    assert _asked(echo) == {"code": 400}
    assert heard == ['{"说": "先停一停"}']
