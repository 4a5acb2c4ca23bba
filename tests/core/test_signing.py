"""core.signing: one secret, keys bound to a purpose, signatures that cannot be moved."""

import threading
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from core.settings import Settings
from core.signing import Keys, Signer, load_secret


def test_threads_that_start_together_agree_on_the_secret(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path / "home")
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(load_secret(settings))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1 and len(found[0]) >= 48
    assert (tmp_path / "home" / "secret.key").stat().st_mode & 0o777 == 0o600


def test_keys_of_different_purposes_differ_and_stay() -> None:
    keys = Keys(b"secret")
    assert keys.derive("a") != keys.derive("b")
    assert keys.derive("a") == Keys(b"secret").derive("a") != Keys(b"other").derive("a")


@given(st.text(), st.integers(0, 200), st.characters(min_codepoint=33, max_codepoint=126))
def test_a_changed_signature_or_text_is_refused(text: str, place: int, other: str) -> None:
    signer = Signer(b"key")
    signed = signer.sign(text)
    assert signer.open(signed) == text
    place %= len(signed)
    changed = signed[:place] + other + signed[place + 1 :]
    if changed != signed:
        assert signer.open(changed) is None
    assert Signer(b"another").open(signed) is None
