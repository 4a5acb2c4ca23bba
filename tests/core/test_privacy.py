"""core.privacy: encrypted, found by blind index, shown masked."""

import pytest

from core.errors import Invalid
from core.privacy import Vault, mask_email, mask_name, mask_phone, normal_email, normal_phone
from core.signing import Keys


def test_what_is_encrypted_comes_back_only_with_its_key() -> None:
    vault, stranger = Vault(Keys(b"one")), Vault(Keys(b"two"))
    token = vault.encrypt("13812345678")
    assert "138" not in token and token != vault.encrypt("13812345678")
    assert vault.decrypt(token) == "13812345678"
    with pytest.raises(Invalid, match="密钥"):
        stranger.decrypt(token)


def test_the_blind_index_is_equal_for_equal_values_of_one_kind_only() -> None:
    vault = Vault(Keys(b"one"))
    assert vault.index("phone", "1") == vault.index("phone", "1") != vault.index("email", "1")
    assert vault.index("phone", "1") != Vault(Keys(b"two")).index("phone", "1")


@pytest.mark.parametrize(
    "written", ["138 1234 5678", "+86 138-1234-5678", "１３８１２３４５６７８", "8613812345678"]
)
def test_one_number_has_one_form(written: str) -> None:
    assert normal_phone(written) == "13812345678"


def test_masks_show_little() -> None:
    assert normal_email(" Zhang@Example.COM ") == "zhang@example.com"
    assert mask_email("zhang@example.com") == "z***@example.com"
    assert mask_phone("13812345678") == "138****5678"
    assert mask_phone("110") == "****10"
    assert mask_name("张三丰") == "张**"
    assert mask_name("") == ""
