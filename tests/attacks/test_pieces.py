"""What somebody writes into a piece, in its front matter or its text: nothing of it runs where it is shown."""

import json

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import entering, factories
from tests.attacks.sniffing import FRAGMENTS, sniff

PAYLOADS = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=6).map("".join)
FIELDS = ("title", "title_en", "summary", "summary_en", "label", "phone", "topic", "body", "block", "cell")
OFTEN = settings(
    deadline=None,
    max_examples=120,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


def text(field: str, payload: str) -> str:
    """A piece with the payload in one place, the rest in order."""
    said = {name: payload if name == field else usual for name, usual in _USUAL.items()}
    front = {name: json.dumps(value, ensure_ascii=False) for name, value in said.items()}
    return f"""---
key: attacked
kind: article
title: {front["title"]}
title_en: {front["title_en"]}
summary: {front["summary"]}
summary_en: {front["summary_en"]}
topics: [{front["topic"]}]
help: [{{label: {front["label"]}, phone: {front["phone"]}}}]
review_by: 2027-06-30
---

## 先停一停

{said["body"]}

| 说法 | 实情 |
|---|---|
| {said["cell"]} | 先问 |

/// call | {said["block"]}
    phone: "96110"
    label: 反诈专线

先打电话。
///
"""


_USUAL = dict.fromkeys(FIELDS, "先问一问") | {"phone": "96110", "title_en": "Ask first", "summary_en": "Ask."}


@OFTEN
@given(payload=PAYLOADS, field=st.sampled_from(FIELDS))
def test_nothing_written_into_a_piece_runs(open_app: Flask, payload: str, field: str) -> None:
    client = entering.client(open_app, factories.EDITOR)
    for do in ("preview", "save"):
        answer = client.post(
            "/desk/pieces/new", data={"text": text(field, payload), "do": do}, follow_redirects=True
        )
        assert answer.status_code < 500, field
        assert sniff(answer.text).found == [], field


def test_control_the_same_piece_is_shown_when_nothing_is_wrong(open_app: Flask) -> None:
    client = entering.client(open_app, factories.EDITOR)
    for field in FIELDS:
        answer = client.post("/desk/pieces/new", data={"text": text(field, _USUAL[field]), "do": "preview"})
        assert (
            answer.status_code == 200 and "先打电话" in answer.text and "这些地方要改" not in answer.text
        ), field
