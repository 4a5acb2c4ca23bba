"""Tokens and sealed keys: short, ours alone, and never readable as each other."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.signing import Keys
from tracking.attribution import Attribution, Attributions, PageKeys

OURS = Attributions(Keys(b"a secret of the tests"))
THEIRS = Attributions(Keys(b"another secret"))
LINK = Attribution("gold-month-2026", "33010601", "wechat")

keys = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), max_size=20)


@given(keys, keys, keys)
def test_what_is_signed_is_read(campaign: str, outlet: str, channel: str) -> None:
    attribution = Attribution(campaign, outlet, channel)
    assert OURS.read(OURS.sign(attribution)) == attribution
    page = PageKeys(campaign, outlet, channel)
    assert OURS.unseal(OURS.seal(page)) == page


def test_a_token_is_short_and_needs_no_quoting() -> None:
    token = OURS.sign(LINK)
    assert len(token) <= 60
    assert token.replace("-", "").replace("_", "").isalnum()


def test_a_forged_token_reads_as_none() -> None:
    assert OURS.read(THEIRS.sign(LINK)) is None


def test_no_changed_byte_passes() -> None:
    raw = bytearray(base64.urlsafe_b64decode(OURS.sign(LINK) + "=="))
    for place in range(len(raw)):
        changed = raw.copy()
        changed[place] ^= 1
        assert OURS.read(base64.urlsafe_b64encode(changed).rstrip(b"=").decode()) is None


def test_a_token_is_no_seal_and_a_seal_no_token() -> None:
    assert OURS.unseal(OURS.sign(LINK)) is None
    assert OURS.read(OURS.seal(PageKeys("gold-month-2026", "33010601", "wechat"))) is None


@given(st.text(max_size=400))
def test_rubbish_reads_as_none(text: str) -> None:
    assert OURS.read(text) is None
    assert OURS.unseal(text) is None


@pytest.mark.parametrize("campaign", ["a\nb", "a\tb", "a\x1fb", "x" * 300])
def test_a_key_that_cannot_travel_is_refused(campaign: str) -> None:
    with pytest.raises(ValueError, match="key"):
        OURS.sign(Attribution(campaign))
