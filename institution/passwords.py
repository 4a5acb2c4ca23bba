"""Passwords: hashed with argon2id, checked in the same time for all, refused when they are easily guessed."""

import re
import secrets
from collections.abc import Sequence

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from zxcvbn import zxcvbn

from core.errors import Invalid
from core.i18n import mark

# OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, 2 passes, 1 lane is the minimum.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# What we drew ourselves (79 bits) nobody guesses: an import of thousands of accounts must not take minutes.
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_QUICK_MARK = "$m=8,t=1,p=1$"
_DUMMY = _HASHER.hash("nobody has this password")
SHORTEST, LONGEST = 12, 200
# zxcvbn 2: guessed in less than 10^8 tries; 3: less than 10^10 (https://github.com/dropbox/zxcvbn, README).
_LEAST_SCORE = 3
_MEASURED = 100  # zxcvbn takes quadratic time; what follows can only add strength
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
# What lists of leaked Chinese passwords begin with and the English lists behind zxcvbn do not have.
_CHINESE = [
    "woaini",
    "woaini1314",
    "aini1314",
    "5201314",
    "520520",
    "1314520",
    "5211314",
    "woaiwojia",
    "nihao",
    "wodemima",
    "mima",
    "mimashi",
    "zhongguo",
    "beijing",
    "shanghai",
    "baobao",
    "laopo",
    "laogong",
    "woshishui",
    "asd123",
    "qwe123",
    "a123456",
    "aa123456",
    "123456a",
    "qq123456",
    "abc123456",
    "1qaz2wsx",
    "q1w2e3r4",
    "zxcvbnm123",
    "admin888",
    "baoxian",
    "renshou",
    "xiaobao",
    "lubiao",
    "signpost",
    "zhang",
    "wang",
    "liu",
    "chen",
    "yang",
    "zhao",
    "huang",
    "zhou",
]
# A name and a date, `zhangwei19900101`, `Beijing2008!!`: what a dictionary of English does not know.
_WORD_AND_NUMBER = re.compile(r"[^\W\d_]{1,16}[\W_]*\d{1,10}[\W_]*|\d{1,10}[\W_]*[^\W\d_]{1,16}[\W_]*")


def hashed(password: str) -> str:
    """The argon2id hash that is stored."""
    return _HASHER.hash(password)


def hashed_random(password: str) -> str:
    """The hash of a one-time password of `one_time`: quick to make, for it is not to be guessed."""
    return _QUICK.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one; takes the same time when there is none (and says no)."""
    if stored is not None and _QUICK_MARK in stored:
        matches(None, password)  # a one-time password must not be told by the time either
    try:
        right = _HASHER.verify(stored or _DUMMY, password[:LONGEST])
    except (VerifyMismatchError, InvalidHashError):
        return False
    return right and stored is not None


def one_time() -> str:
    """Four groups of four characters that are not mistaken for each other (79 bits)."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def check(new: str, *, own: Sequence[str], field: str = "new") -> None:
    """Invalid for a password that is short, common, made of a pattern, or of what is known of its owner."""
    if len(new) < SHORTEST:
        raise Invalid(mark("新密码至少 %(count)s 个字符，可以用一句话。"), field=field, count=SHORTEST)
    if len(new) > LONGEST:
        raise Invalid(mark("新密码最多 %(count)s 个字符。"), field=field, count=LONGEST)
    words = [word for text in own for word in (text.lower(), *re.split(r"[\W_]+", text.lower()))]
    known = [word for word in words if len(word) > 1]
    guessed = _WORD_AND_NUMBER.fullmatch(new) is not None
    if guessed or zxcvbn(new[:_MEASURED], user_inputs=[*known, *_CHINESE])["score"] < _LEAST_SCORE:
        raise Invalid(
            mark("这个密码太容易被猜到：常见的词、姓名、日期和键盘顺序都不行。请换一句别人想不到的话。"),
            field=field,
        )
