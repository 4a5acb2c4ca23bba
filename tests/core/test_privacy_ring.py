"""core.privacy: the key ring: new data takes the newest key, old data still opens and is still found."""

import base64

import pytest
from cryptography.fernet import Fernet
from pydantic import ValidationError

from core.errors import Invalid
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys

FIRST, SECOND = "first-key-of-thirty-two-letters-or-more", "second-key-of-thirty-two-letters-or-more"
SECRET = Keys(b"installation")


def test_ciphertext_names_its_key_and_opens_with_every_ring_that_holds_it() -> None:
    old, new = Vault(SECRET, [FIRST]), Vault(SECRET, [SECOND, FIRST])
    token = old.encrypt("13812345678")
    assert token.startswith(f"k2:{old.key_ids[0]}:") and not token.startswith(new.seal_mark)
    assert new.decrypt(token) == "13812345678"
    with pytest.raises(Invalid, match=old.key_ids[0]):
        Vault(SECRET, [SECOND]).decrypt(token)


def _fernet(keys: Keys, text: str) -> str:
    """Ciphertext as it was written before AES-GCM."""
    return Fernet(base64.urlsafe_b64encode(keys.derive("privacy/encrypt"))).encrypt(text.encode()).decode()


def test_what_was_stored_before_opens_and_is_found() -> None:
    derived, ringed = Vault(SECRET), Vault(SECRET, [FIRST])
    bare, first = _fernet(SECRET, "zhang@example.com"), _fernet(Keys(FIRST.encode()), "张三")
    assert ringed.decrypt(bare) == ringed.decrypt(f"k1:{derived.key_ids[0]}:{bare}") == "zhang@example.com"
    assert ringed.decrypt(f"k1:{ringed.key_ids[0]}:{first}") == "张三"
    assert [ringed.key_of_seal(token) for token in (bare, f"k1:{ringed.key_ids[0]}:{first}")] == [
        "", ringed.key_ids[0],
    ]  # fmt: skip
    assert derived.index("email", "zhang@example.com") in ringed.indexes("email", "zhang@example.com")


def test_a_former_installation_secret_may_stand_in_the_ring() -> None:
    before, after = Vault(SECRET), Vault(Keys(b"another"), ["installation"])
    assert after.decrypt(before.encrypt("一")) == "一"
    assert before.index("sms", "1") in after.indexes("sms", "1")


def test_indexes_begin_with_the_newest_and_say_which_key_they_need() -> None:
    vault = Vault(SECRET, [SECOND, FIRST])
    found = vault.indexes("email", "a@example.com")
    assert found[0] == vault.index("email", "a@example.com") and len(found) == len(set(found))
    assert all(len(index) == 64 and int(index, 16) >= 0 for index in found)
    assert vault.key_of_index(found[0]) == vault.key_ids[0]
    assert vault.key_of_index(Vault(SECRET, [FIRST]).index("email", "a@example.com")) == vault.key_ids[1]
    assert vault.key_of_index(Vault(SECRET).index("email", "a@example.com")) == vault.key_ids[2]


def test_a_secret_named_twice_stands_once() -> None:
    assert len(Vault(SECRET, [FIRST, FIRST, "installation"]).key_ids) == 2


def test_a_pseudonym_outlives_rotations_and_leads_back_to_nobody() -> None:
    vault = Vault(SECRET)
    assert vault.pseudonym("visitor", "7") == Vault(SECRET, [FIRST]).pseudonym("visitor", "7")
    assert 0 < vault.pseudonym("visitor", "7") < 2**64 and vault.pseudonym("visitor", "8") != 7


def test_tampered_ciphertext_does_not_open() -> None:
    vault = Vault(SECRET)
    sealed, named = vault.encrypt("a"), f"k1:{vault.key_ids[0]}:"
    broken = (sealed[:-4] + "AAAA", sealed[:-5], vault.seal_mark, vault.seal_mark + "一", named + sealed[16:])
    for token in ("", "k1:", "k2:", "k2:zz", "k1:zz:x", *broken, Fernet.generate_key().decode()):
        with pytest.raises(Invalid):
            vault.decrypt(token)


def test_keys_come_by_line_or_comma_and_short_ones_are_refused(settings: Settings) -> None:
    given = Settings(_env_file=None, home=settings.home, privacy_keys=f"{SECOND}\n {FIRST},\n")
    assert given.privacy_ring == (SECOND, FIRST)
    assert Settings(_env_file=None, home=settings.home).privacy_ring == ()
    with pytest.raises(ValidationError, match="signpost privacy key"):
        Settings(_env_file=None, privacy_keys=f"{FIRST},short")


def test_retention_is_written_as_kinds_with_days() -> None:
    assert Settings(_env_file=None, retention="contact.idle=30, session=365").retention_days == {
        "contact.idle": 30,
        "session": 365,
    }
    with pytest.raises(ValidationError, match="retention"):
        Settings(_env_file=None, retention="session: soon")
