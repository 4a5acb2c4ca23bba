"""The blocks that the editor offers: name, what it is for, and a text to begin with.

The outer block has three slashes, one inside it four; where blocks are open already, the editor takes more.
"""

from dataclasses import dataclass

from core.i18n import mark


@dataclass(frozen=True)
class Entry:
    """A block to insert. Words of its text are part of the Chinese piece, never translated; `wraps`: the line that
    marked text takes the place of."""

    name: str
    label: str
    use: str
    text: str
    wraps: str = ""


PALETTE = (
    Entry("panel", mark("色块"), mark("一段整宽的底色，讲一件事"), "/// panel | 标题\n    tone: soft\n\n正文\n///\n", "正文"),
    Entry(
        "figure", mark("数字与来源"), mark("一个大数字，写明从哪里来、有效到哪天"),
        "/// figure | 20%\n    unit: 说明单位\n    source: 发布单位，2026年1月\n\n这个数字说明什么\n///\n", "这个数字说明什么",
    ),
    Entry(
        "compare", mark("真假对照"), mark("不要这样、可以这样，并排"),
        "/// compare\n\n//// no | 不要这样\n\n一句话\n////\n\n//// yes | 可以这样\n\n一句话\n////\n///\n",
    ),
    Entry("timeline", mark("时间线"), mark("什么时候发生了什么"), "/// timeline | 经过\n\n- **第一天** 发生了什么\n- **第二天** 后来怎样\n///\n"),
    Entry("steps", mark("步骤"), mark("一步一步怎么做"), "/// steps | 三步就够\n\n1. **停** 不急着转账\n2. **问** 打官方电话\n3. **办** 到柜面当面办\n///\n"),
    Entry("talk", mark("对话"), mark("对方怎么说，我怎么答"), "/// talk | 电话里\n\n- 对方：他怎么说\n- 我：我怎么答\n///\n"),
    Entry("qa", mark("一问一答"), mark("读者会问的一个问题"), "/// qa | 问题？\n\n回答\n///\n", "回答"),
    Entry(
        "quiz", mark("小题"), mark("一道选择题：选一个，马上知道对不对、为什么"),
        "/// quiz | 对方催您马上转账，先做什么？\n\n- [ ] 先转过去\n- [x] 先挂断，打官方电话问\n- [ ] 再听他说说\n\n为什么这样做\n///\n",
        "为什么这样做",
    ),
    Entry("call", mark("行动号召"), mark("结尾：现在做什么，打哪个电话"), '/// call | 拿不准，先打电话\n    phone: "96110"\n    label: 反诈专线\n\n打过去说什么\n///\n', "打过去说什么"),
    Entry("finder", mark("找网点"), mark("带读者去找一个城市的网点"), "/// finder | 当面问最放心\n    city: 杭州市\n\n带上手机和合同\n///\n", "带上手机和合同"),
    Entry("picture", mark("图片"), mark("一张图，写明画了什么"), "/// picture | media/name.png\n    alt: 图上画了什么\n///\n"),
    Entry("card", mark("卡片"), mark("记得住、剪得下的几句话"), "/// card | 记住这一句\n\n正文\n///\n", "正文"),
    Entry("task", mark("小任务"), mark("孩子和长辈一起做的一件小事"), "/// task | 和家里人一起做\n\n做什么\n///\n", "做什么"),
)  # fmt: skip
