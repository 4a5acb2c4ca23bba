"""The fields of the front matter as people know them: name, how it is typed, label, hint."""

from collections.abc import Mapping
from dataclasses import dataclass

from content.frontmatter import MADE, RIGHTS, THEMES
from content.guiding import NEEDS, SUITS, TASKS, WAYS
from content.models import KIND_NAMES, Kind
from core.i18n import mark

_THEME_NAMES = {
    "plain": mark("素净"),
    "festive": mark("喜庆红"),
    "young": mark("青春绿"),
    "warning": mark("风险提示"),
    "growth": mark("成长"),
    "ink": mark("水墨，给长辈"),
}


@dataclass(frozen=True)
class Spec:
    """`kind`: line, text, number, day, choice, picture, words, lines (a list, one a line), some, rows (of `inner`),
    group (of `inner`), strip (shown, and made elsewhere)."""

    name: str
    kind: str
    label: str
    hint: str = ""
    options: Mapping[str, str] | None = None
    inner: tuple["Spec", ...] = ()
    only: frozenset[str] = frozenset()  # the kinds of pieces that have it; empty: all
    of_new: bool = False  # only while the piece is new
    must: bool = False

    def fits(self, kind: str, *, new: bool) -> bool:
        """Whether a piece of this kind shows the field."""
        return (new or not self.of_new) and (not self.only or kind in self.only)


_KINDS = {kind.value: name for kind, name in KIND_NAMES.items() if kind is not Kind.escape_room}
_DIARY, _GUIDE = frozenset({Kind.diary.value}), frozenset({Kind.guide.value})
_HELP = (
    Spec("label", "line", mark("叫什么")),
    Spec("phone", "line", mark("电话")),
    Spec("note", "line", mark("什么时候打")),
)
_SOURCE = (
    Spec("title", "line", mark("文件或报道的名称")),
    Spec("publisher", "line", mark("谁发布的")),
    Spec("date", "day", mark("发布日期")),
    Spec("until", "day", mark("有效到")),
    Spec("url", "line", mark("网址")),
)
_AI = (
    Spec("what", "some", mark("机器做了什么"), options=MADE),
    Spec("tool", "line", mark("用的工具")),
    Spec("editor", "line", mark("责任编辑")),
)
FIELDS: tuple[tuple[str, tuple[Spec, ...]], ...] = (
    (
        mark("标题与样子"),
        (
            Spec("title", "line", mark("标题"), must=True),
            Spec("heading", "line", mark("页面上的标题"), mark("不写就用标题；在该换行的地方写 <br>。")),
            Spec("summary", "text", mark("一句话简介"), mark("读了有什么用。"), must=True),
            Spec("kicker", "line", mark("标题上方的小字")),
            Spec("kind", "choice", mark("类型"), options=_KINDS, of_new=True, must=True),
            Spec(
                "key", "line", mark("网址里的名字"),
                mark("小写字母、数字和连字符，保存以后不能改。"), of_new=True, must=True,
            ),
            Spec("theme", "choice", mark("主题"), options={one: _THEME_NAMES.get(one, one) for one in THEMES}),
            Spec("minutes", "number", mark("几分钟读完")),
        ),
    ),
    (
        mark("小宝成长日记"),
        (
            Spec("season", "number", mark("第几季"), mark("不写就是第一季。"), only=_DIARY),
            Spec("number", "number", mark("第几集（顺序）"), mark("跨季连着数。"), only=_DIARY, must=True),
        ),
    ),
    (
        mark("服务指南"),
        (
            Spec("way", "choice", mark("走哪条路"), options=WAYS, only=_GUIDE),
            Spec("number", "number", mark("目录里的顺序"), only=_GUIDE),
            Spec("hours", "line", mark("服务时间"), only=_GUIDE),
            Spec("tasks", "some", mark("可以办的事"), options=TASKS, only=_GUIDE),
            Spec("suits", "some", mark("特别适合"), options=SUITS, only=_GUIDE),
            Spec("needs", "some", mark("要用到"), options=NEEDS, only=_GUIDE),
            Spec("bring", "lines", mark("带上"), mark("一行写一样。"), only=_GUIDE),
        ),
    ),
    (mark("画格"), (Spec("strip", "strip", mark("画格")),)),
    (
        mark("封面"),
        (
            Spec("cover", "picture", mark("封面图")),
            Spec("cover_alt", "text", mark("封面上画了什么"), mark("给看不见图的人听；有封面就要写。")),
        ),
    ),
    (
        mark("给谁看、讲什么"),
        (
            Spec("topics", "words", mark("话题"), mark("几个词，用顿号或逗号分开。")),
            Spec("audience", "words", mark("给谁看"), mark("例如：老年人、学生。")),
            Spec("rights", "some", mark("关系到的权利"), options={one: one for one in RIGHTS}),
        ),
    ),
    (mark("求助电话"), (Spec("help", "rows", mark("电话"), inner=_HELP),)),
    (
        mark("来源与期限"),
        (
            Spec("sources", "rows", mark("来源"), inner=_SOURCE),
            Spec("review_by", "day", mark("哪天前要再看一遍")),
        ),
    ),
    (
        mark("英文"),
        (
            Spec("title_en", "line", mark("英文标题")),
            Spec("summary_en", "text", mark("英文简介")),
        ),
    ),
    (mark("人工智能生成"), (Spec("ai_generated", "group", mark("标识"), inner=_AI),)),
)  # fmt: skip
