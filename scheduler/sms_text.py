"""What an SMS costs and must say: its parts, and the words by which its receiver refuses more."""

import math
import re

_ALONE, _JOINED = 70, 67  # UTF-16 units; a long message gives three of each part to the join (3GPP TS 23.040)
_OPT_OUT = re.compile(r"(拒收|退订)\s*(请)?\s*(回复?|发送?)?\s*[A-Z]{1,2}(?![A-Z])", re.IGNORECASE)


def length(text: str) -> int:
    """Characters as an SMS counts them: one outside the basic plane (an emoji, a rare one of a name) is two."""
    return len(text.encode("utf-16-le")) // 2


def parts(text: str) -> int:
    """How many messages a text is charged as, with the sign in 【】 and the opt-out words in it: one up to 70
    characters, else 67 in each."""
    count = length(text)
    return 1 if count <= _ALONE else math.ceil(count / _JOINED)


def missing_opt_out(text: str) -> bool:
    """Whether a promotion lacks its way to refuse, such as 拒收请回复R (通信短信息服务管理规定 §20: free and easy)."""
    return _OPT_OUT.search(text) is None
