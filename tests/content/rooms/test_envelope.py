"""content.rooms.envelope: what was sealed comes back as it was, what was changed does not come back."""

import pytest

from content.rooms import envelope
from content.rooms.envelope import DAYS, LONGEST, PAUSE, Envelopes
from core.errors import Invalid
from core.signing import Keys, Signer

NOW = 1_800_000_000.0
ENVELOPES = Envelopes(Keys(b"one secret"))


def play() -> envelope.Play:
    return envelope.begin(7, '["abc",0,"x"]', NOW, clock=True)


def test_a_play_comes_back_as_it_was_and_fits_a_cookie() -> None:
    mine = play()
    sealed = ENVELOPES.seal(mine)
    assert ENVELOPES.open(sealed, NOW) == mine
    assert sealed.replace(".", "").replace("-", "").replace("_", "").isalnum()
    assert play().id != mine.id


def test_any_changed_sign_is_refused() -> None:
    sealed = ENVELOPES.seal(play())
    for at, sign in enumerate(sealed):
        other = "A" if sign != "A" else "B"
        with pytest.raises(Invalid):
            ENVELOPES.open(sealed[:at] + other + sealed[at + 1 :], NOW)


@pytest.mark.parametrize("given", ["", ".", "x", "é.é", "a" * LONGEST, "a" * (LONGEST + 1)])
def test_what_is_none_of_ours_is_refused(given: str) -> None:
    with pytest.raises(Invalid):
        ENVELOPES.open(given, NOW)


def test_another_key_or_purpose_opens_nothing() -> None:
    sealed = ENVELOPES.seal(play())
    with pytest.raises(Invalid):
        Envelopes(Keys(b"another")).open(sealed, NOW)
    text = sealed.partition(".")[0]
    with pytest.raises(Invalid):
        ENVELOPES.open(Signer(Keys(b"one secret").derive("content/rooms/result"), 16).sign(text), NOW)


def test_a_play_goes_on_for_a_month_and_not_longer() -> None:
    sealed = ENVELOPES.seal(play())
    ENVELOPES.open(sealed, NOW + DAYS * 86_400 - 1)
    with pytest.raises(Invalid):
        ENVELOPES.open(sealed, NOW + DAYS * 86_400 + 1)


def test_the_server_measures_played_time_and_leaves_pauses_out() -> None:
    later = play().now(NOW + 40).now(NOW + 60).now(NOW + 60 + 7200)
    assert later.active == 60 + PAUSE
    assert later.seconds == later.active
    assert later._replace(clock=False).seconds is None


def test_a_state_sent_again_from_the_past_has_not_played_less() -> None:
    begun = play()
    scouted = begun.now(NOW + 100)
    assert begun.now(NOW + 110).active == scouted.now(NOW + 110).active == 110
