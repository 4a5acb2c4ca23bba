"""The result of a play as a signed text: whoever has it can have it verified, nobody can make one up."""

import hashlib
import re
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date
from typing import NamedTuple

from content.escape_room.game import Game
from content.escape_room.rules import score
from content.escape_room.state import State
from content.rooms.envelope import Play
from core.errors import Invalid, NotFound
from core.i18n import mark
from core.signing import Keys, Signer

LONGEST_NAME = 12
_LONGEST, _FORM, _BETWEEN = 400, "1", "\x1f"
_NAME = re.compile(r"[\w·.\- ]+")
# Whoever signs as the house, as an authority, or with contact data: the certificate would speak for them.
_FORBIDDEN = (
    "客服", "官方", "公安", "警察", "法院", "银监", "保监", "监管", "微信", "加我", "qq", "http", "www", "admin", "管理员",
    "傻逼", "傻瓜", "操你", "妈的", "滚蛋", "去死", "贱人", "妓女", "赌博", "毒品", "fuck", "shit", "bitch",
)  # fmt: skip


class Result(NamedTuple):
    """How a play ended. `ending` counts from 1; `facts` are the bits of what was learned, in the file's order;
    `seconds` None: without a clock; `play`: a digest that tells plays apart."""

    revision: int
    ending: int
    points: int
    day: date
    seconds: int | None
    facts: int
    play: str
    nickname: str = ""


class Results:
    """Signs and verifies results with a key of their own."""

    def __init__(self, keys: Keys) -> None:
        self._signer = Signer(keys.derive("content/rooms/result"))

    def sign(self, result: Result) -> str:
        """A token for an address, about 90 characters."""
        seconds = "" if result.seconds is None else str(result.seconds)
        plain = (
            result.revision,
            result.ending,
            result.points,
            result.day.toordinal(),
            seconds,
            f"{result.facts:x}",
        )
        text = _BETWEEN.join((_FORM, *map(str, plain), result.play, result.nickname))
        return self._signer.sign_address(urlsafe_b64encode(text.encode()).decode().rstrip("="))

    def verify(self, token: str) -> Result:
        """The result of a token; NotFound when it is not ours."""
        text = self._signer.open_address(token, _LONGEST)
        if text is None:
            raise NotFound(mark("这份证书对不上：可能少抄了几个字，或者被改动过。"))
        parts = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().split(_BETWEEN)
        _form, revision, ending, points, day, seconds, facts, play, nickname = parts
        return Result(
            int(revision), int(ending), int(points), date.fromordinal(int(day)), int(seconds) if seconds else None,
            int(facts, 16), play, nickname,
        )  # fmt: skip


def of(game: Game, play: Play, state: State, day: date, nickname: str) -> Result:
    """The result of a play that has ended; Invalid when it has not, or for a nickname that may not be."""
    if not state.ending:
        raise Invalid(mark("还没有走到结局，先玩完再来领证书。"))
    taught = {name for bolt in game.bolts if state.facts & bolt.opened for name in bolt.told.teaches}
    facts = sum(1 << at for at, name in enumerate(game.room.facts) if name in taught)
    digest = hashlib.sha256(play.id.encode()).hexdigest()[:20]
    points = score(game, state, play.seconds)
    return Result(play.revision, state.ending, points, day, play.seconds, facts, digest, named(nickname))


def named(typed: str) -> str:
    """A nickname brought into one form; "" for none. Invalid says what is wrong with it."""
    name = " ".join(unicodedata.normalize("NFKC", typed).split())
    plain = re.sub(r"[\W_]+", "", name).casefold()
    if not name:
        return ""
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name) or re.search(r"\d{5}", plain):
        raise Invalid(mark("昵称最多 12 个字，只用文字和数字，不要写电话号码。"), field="nickname")
    if any(word in plain for word in _FORBIDDEN):
        raise Invalid(mark("这个昵称不合适，请换一个。"), field="nickname")
    return name
