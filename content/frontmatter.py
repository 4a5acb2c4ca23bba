"""The YAML front matter of a piece: read strictly, every fault named with its field and rule."""

import re
from datetime import date as Day
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator
from pydantic import model_validator as model_rule

from content.faults import Fault
from content.guiding import NEEDS, SUITS, TASKS, WAYS
from content.models import Kind
from content.strip.schema import MOST_PANELS, Panel
from core.i18n import gettext as _
from core.i18n import mark

KEY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")
PICTURE = re.compile(r"media/[A-Za-z0-9][A-Za-z0-9._-]{0,79}\.(?:svg|png|jpg|jpeg|webp)")
STRIP = re.compile(r"strip/(?:[1-9]|1[0-2])")  # a drawn panel, by its place in `strip`
THEMES = ("plain", "festive", "young", "warning", "growth", "ink")
# What a machine may have made of a piece (`ai_generated.what`).
MADE = {"text": mark("文字"), "pictures": mark("图片"), "audio": mark("音频"), "video": mark("视频")}
# The eight rights of financial consumers (国办发〔2015〕81号).
RIGHTS = (
    mark("财产安全权"),
    mark("知情权"),
    mark("自主选择权"),
    mark("公平交易权"),
    mark("依法求偿权"),
    mark("受教育权"),
    mark("受尊重权"),
    mark("信息安全权"),
)
_FENCE = "---"

Line = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=200)]
Words = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=400)]
Phone = Annotated[str, StringConstraints(strict=True, pattern=r"^\+?[0-9][0-9 -]{2,19}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Help(_Strict):
    """Whom to call at the end of the page."""

    label: Line
    phone: Phone
    note: Words | None = None


class Source(_Strict):
    """Where a fact comes from."""

    title: Words
    publisher: Line | None = None
    date: Day | None = None
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"]+$", max_length=500)] | None = None
    until: Day | None = None


class AiGenerated(_Strict):
    """What a machine made of it, with which tool, and who answers for it (人工智能生成合成内容标识办法)."""

    what: Annotated[tuple[Literal["text", "pictures", "audio", "video"], ...], Field(min_length=1)]
    tool: Line
    editor: Line


class Overruled(_Strict):
    """A warning of the check that is left as it is: rule, words of the text, and why."""

    rule: Line
    words: Line
    reason: Words


class FrontMatter(_Strict):
    """All fields of the front matter; anything else is a fault."""

    key: Annotated[str, StringConstraints(strict=True, pattern=f"^{KEY.pattern}$")]
    kind: Kind
    title: Line
    heading: Line | None = None
    title_en: Line | None = None
    summary: Words
    summary_en: Words | None = None
    kicker: Line | None = None
    theme: Literal[THEMES] = "plain"  # type: ignore[valid-type]
    cover: Annotated[str, StringConstraints(pattern=f"^(?:{PICTURE.pattern}|{STRIP.pattern})$")] | None = None
    cover_alt: Words | None = None
    minutes: Annotated[int, Field(strict=True, ge=1, le=60)] | None = None
    topics: list[Line] = []
    rights: list[Literal[RIGHTS]] = []  # type: ignore[valid-type]
    audience: list[Line] = []
    number: Annotated[int, Field(strict=True, ge=0, le=9999)] | None = None
    season: Annotated[int, Field(strict=True, ge=1, le=99)] | None = None
    hours: Line | None = None
    way: Literal[tuple(WAYS)] | None = None  # type: ignore[valid-type]
    tasks: list[Literal[tuple(TASKS)]] = []  # type: ignore[valid-type]
    suits: list[Literal[tuple(SUITS)]] = []  # type: ignore[valid-type]
    needs: list[Literal[tuple(NEEDS)]] = []  # type: ignore[valid-type]
    bring: list[Line] = []
    help: list[Help] = []
    sources: list[Source] = []
    strip: Annotated[list[Panel], Field(max_length=MOST_PANELS)] = []
    review_by: Day | None = None
    ai_generated: AiGenerated | None = None
    overruled: list[Overruled] = []

    @field_validator("heading")
    @classmethod
    def _only_breaks(cls, value: str | None) -> str | None:
        if value and re.search(r"[<>]", re.sub(r"<(br|wbr)>", "", value)):
            raise ValueError("heading")
        return value

    @model_rule(mode="after")
    def _together(self) -> "FrontMatter":
        if self.cover and not self.cover_alt and not STRIP.fullmatch(self.cover):
            raise ValueError("cover_alt")
        if self.kind is Kind.diary and self.number is None:
            raise ValueError("number")
        if self.kind is not Kind.guide and (self.way or self.tasks or self.suits or self.needs or self.bring):
            raise ValueError("way")
        return self


def split(text: str) -> tuple[str, str, int] | None:
    """Front matter, body and the line on which the body begins; None when there is no front matter."""
    lines = text.removeprefix("\ufeff").splitlines(keepends=True)
    if not lines or lines[0].rstrip() != _FENCE:
        return None
    for at, line in enumerate(lines[1:], start=1):
        if line.rstrip() == _FENCE:
            return "".join(lines[1:at]), "".join(lines[at + 1 :]), at + 2
    return None


def read(file: str, header: str) -> tuple[FrontMatter | None, list[Fault]]:
    """The front matter of a file, or its faults."""
    try:
        given = yaml.safe_load(header)
    except yaml.YAMLError as error:
        at = getattr(error, "problem_mark", None)
        line = at.line + 2 if at is not None else 0
        where = _("第 %(line)s 行", line=line) if line else ""
        return None, [Fault(file, where, _("不是正确的 YAML：引号、冒号后的空格、缩进请检查。"), line)]
    except ValueError:
        return None, [Fault(file, "", _("不是正确的 YAML：日期写作 2026-11-22。"))]
    if not isinstance(given, dict) or not all(isinstance(name, str) for name in given):
        return None, [Fault(file, "", _("文件头要写成“字段: 值”，每行一个。"))]
    try:
        return FrontMatter.model_validate(given), []
    except ValidationError as error:
        return None, faults_of(file, error)


def faults_of(file: str, error: ValidationError, within: tuple[str | int, ...] = ()) -> list[Fault]:
    """What pydantic found wrong, in our words; `within`: where in the front matter the part that it read stands."""
    return [_fault(file, detail, within) for detail in error.errors()]


def _fault(file: str, detail: Any, within: tuple[str | int, ...]) -> Fault:
    place = [
        str(part)
        for part in (*within, *detail["loc"])
        if not (isinstance(part, str) and part.startswith("function"))
    ]
    kind, context = str(detail["type"]), detail.get("ctx", {})
    if kind == "value_error":
        wrong = str(context.get("error"))
        return Fault(file, _where(place) or wrong, _(_RULES[wrong]))
    if kind in ("string_pattern_mismatch", "literal_error", "enum", "missing", "extra_forbidden"):
        return Fault(file, _where(place), _sentence(kind, place[0] if place else "", context))
    return Fault(file, _where(place), _(_TYPES.get(kind, _OTHER)))


def _where(place: list[str]) -> str:
    """A field by its path; a panel of the strip, and who stands in it, are counted from one."""
    if place[:1] != ["strip"] or len(place) < 2:
        return ".".join(place)
    panel = _("strip 第 %(number)s 格", number=int(place[1]) + 1)
    rest = [str(int(part) + 1) if part.isdigit() else part for part in place[2:]]
    return " ".join((panel, *rest))


def _sentence(kind: str, field: str, context: dict[str, Any]) -> str:
    if kind == "missing":
        return _("这个字段必须填写。")
    if kind == "extra_forbidden":
        return _("没有这个字段，请检查拼写。")
    if kind in ("literal_error", "enum"):
        return _("只能是：%(expected)s。", expected=str(context.get("expected", "")).replace(" or ", ", "))
    return _(_PATTERNS.get(field, _OTHER))


_OTHER = mark("填写的内容不对。")
_RULES = {
    "heading": mark("标题里只能用 <br> 和 <wbr> 换行。"),
    "cover_alt": mark("有封面图就要写 cover_alt，说明图上画了什么。"),
    "number": mark("成长日记要写 number，说明是第几集。"),
    "strip_empty": mark("这一格是空的：写上 cast（谁在那里）或 props（有什么东西）。"),
    "strip_at": mark("同一格里，两个人或东西不能站在同一处（at）。"),
    "strip_props": mark("一格只有左、中、右三处：人和东西加起来不超过三个。"),
    "strip_holds": mark("这个姿势手里拿不了东西：holds 只能配 stand、show、hold、read。"),
    "way": mark("way、tasks、suits、needs、bring 只写在服务指南里。"),
}
_TYPES = {
    "string_type": mark("请写成文字；数字要加引号。"),
    "string_too_short": mark("不能为空。"),
    "string_too_long": mark("太长了，请写短一些。"),
    "int_type": mark("请写成整数，不加引号。"),
    "greater_than_equal": mark("数字太小了。"),
    "less_than_equal": mark("数字太大了。"),
    "list_type": mark("请写成列表：[甲, 乙]。"),
    "tuple_type": mark("请写成列表：[甲, 乙]。"),
    "too_short": mark("不能为空。"),
    "too_long": mark("太多了，请减少几项。"),
    "model_type": mark('请写成 {label: 名称, phone: "号码"} 这样的形式。'),
    "date_type": mark("日期写作 2026-11-22。"),
    "date_from_datetime_parsing": mark("日期写作 2026-11-22。"),
    "date_from_datetime_inexact": mark("日期写作 2026-11-22。"),
    "date_parsing": mark("日期写作 2026-11-22。"),
}
_PATTERNS = {
    "key": mark("只能用小写字母、数字和连字符，最多 60 个字符，例如 full-surrender。"),
    "cover": mark("图片写作 media/名称.svg（或 png、jpg、webp），名称用字母、数字和连字符。"),
    "help": mark("电话只能有数字、空格和连字符，并且加引号。"),
    "sources": mark("网址要以 http:// 或 https:// 开头。"),
}
