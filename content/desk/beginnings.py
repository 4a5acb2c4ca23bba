"""What a new piece begins with: a text of its kind that is already in good form."""

from content.models import KIND_NAMES, Kind

_PIECE = """---
key: {key}-1
kind: {kind}
title: 标题
summary: 一句话说清读了有什么用
kicker: {name}
theme: plain
minutes: 3
{more}topics: []
help:
  - {{label: 反诈专线, phone: "96110"}}
---

## 小标题

正文从这里开始。

/// steps

1. **先停一停** 不急着转账。
2. **问一问** 打官方电话。
///
"""

_ROOM = """# 一个密室：场景里有可以看的东西和通往别处的门，锁教人认出骗局，结局至少一个。
kind: escape_room
key: room-1
title: {zh: 标题, en: Title}
summary: {zh: 一句话说清玩了有什么用, en: What it is good for}
minutes: 5
topics: []
help:
  - {label: 反诈专线, phone: "96110"}
start: hall

characters: {}

scenes:
  hall:
    title: {zh: 大厅, en: Hall}
    text: {zh: 桌上的手机响了。, en: A phone rings on the table.}
    hotspots:
      phone:
        label: {zh: 手机, en: The phone}
        box: [40, 50, 15, 15]
        then: {lock: call}

locks:
  call:
    kind: choice
    title: {zh: 一通电话, en: A call}
    ask: {zh: 对方催您马上转账。先做什么？, en: He wants money now. What first?}
    teaches: stop
    options:
      stop: {text: {zh: 先停一停，挂断, en: Stop and hang up}, right: true}
      pay: {text: {zh: 先转过去, en: Pay first}, because: {zh: 钱转出去就很难追回。, en: Money sent is hard to get back.}}
    then: {end: safe}

endings:
  safe: {title: {zh: 钱都在, en: Safe}, text: {zh: 停一停，问一问。, en: Stop and ask.}, tone: good}

facts:
  stop:
    text: {zh: 催您马上转账的，先挂断。, en: Hang up on whoever wants money at once.}
    right: 财产安全权
    right_text: {zh: 金融机构要保护您的财产安全。, en: Your property must be kept safe.}
    source: {title: 国务院办公厅关于加强金融消费者权益保护工作的指导意见（国办发〔2015〕81号）}
    questions:
      - ask: {zh: 陌生人催您转账，您先？, en: A stranger wants money. First?}
        options:
          good: {text: {zh: 挂断, en: Hang up}, right: true}
          bad: {text: {zh: 转账, en: Pay}}
        because: {zh: 停下来，钱就还在。, en: Stop and the money is still there.}
      - ask: {zh: “客服”要您先付款，您先？, en: Customer service wants money. First?}
        options:
          good: {text: {zh: 停下来, en: Stop}, right: true}
          bad: {text: {zh: 付一半, en: Pay half}}
        because: {zh: 退款不用先付钱。, en: A refund costs nothing.}
"""


def beginning(kind: Kind) -> str:
    """The text that the form of a new piece of this kind begins with."""
    if kind is Kind.escape_room:
        return _ROOM
    more = "number: 1\nseason: 1\n" if kind is Kind.diary else ""
    key = kind.value.replace("_", "-")
    return _PIECE.format(key=key, kind=kind.value, name=KIND_NAMES[kind], more=more)
