"""Pieces as anybody could write them: every field of the front matter, every block, all ways of YAML and of lines.

Fields come from the schema of `FrontMatter`, blocks from the grammar: a new one is written here from its first day.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml
from hypothesis import strategies as st

from content.frontmatter import FrontMatter
from content.rendering.grammar import SPECS, TONES, Spec

COVER, INSIDE = "media/cover.svg", "media/x.svg"
_SCHEMA = FrontMatter.model_json_schema()
_PHRASES = st.lists(
    st.sampled_from(["先停一停，", "问一问。", "12378", "“保本”", ": ", "# ", "- ", "' ", '" ', "{a}", "[b]", "yes", "null", "~", "&x", "*y", "2026-01-01", "é", "😀", "\u3000"]),
    min_size=1, max_size=5,
).map("".join)  # fmt: skip
_WORDS = _PHRASES.filter(lambda words: words.strip() != "")
_HEADINGS = st.sampled_from(["先停一停，<br>再转账", "一<wbr>二", "平常的标题"])
# What is written as the argument or an option of a block: one line, nothing that YAML or a block would read.
_PLAIN = st.text(st.sampled_from("先停一停问再转账，。九12378 %·"), min_size=1, max_size=9).filter(
    lambda words: words.strip() == words != ""
)
_OPTIONS: Mapping[str, st.SearchStrategy[str]] = {
    "tone": st.sampled_from(TONES),
    "until": st.dates().map(str),
    "phone": st.sampled_from(['"12378"', "96110"]),
}
_LISTS = {
    "timeline": "- **周一** 来电\n- 周二\n",
    "steps": "1. **停** 停\n2. 问\n",
    "talk": "- 对方：转账\n- 我：不转\n",
    "quiz": "- [ ] 转账\n- [x] **不转**\n\n先问。\n",
}
_MARKDOWN = st.sampled_from(
    ["先停一停。\n两句。", "## 小标题", "- 一\n- 二", "1. 一\n2. 二", "> 引用", "| 甲 | 乙 |\n|---|---|\n| 1 | 2 |", "**粗**和[链接](/p/a)",
     "行尾空格  ", "一<br>二", "***", "`码`", "\t缩进", "\\*星\\*", "&amp; &lt;"]
)  # fmt: skip


def _value(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """What a field with this schema may hold."""
    if "$ref" in schema:
        return _value(_SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]])
    if "anyOf" in schema:
        return st.one_of(*(_value(one) for one in schema["anyOf"] if one.get("type") != "null"))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "object":
        return _object(schema)
    if schema["type"] == "array":
        return st.lists(_value(schema["items"]), min_size=schema.get("minItems", 0), max_size=3)
    return _scalar(schema)


def _scalar(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if schema["type"] == "integer":
        return st.integers(schema.get("minimum", 0), schema.get("maximum", 99))
    if schema["type"] == "boolean":
        return st.booleans()
    if schema.get("format") == "date":
        return st.dates()
    if "pattern" not in schema:
        return _WORDS
    pattern, longest = schema["pattern"].replace("$", r"\Z"), schema.get("maxLength", 80)
    found = st.from_regex(pattern, alphabet=st.characters(codec="ascii"))
    return found.filter(lambda words: len(words) <= longest)


def _object(
    schema: Mapping[str, Any], **instead: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    properties = schema["properties"].items()
    fields = {name: instead[name] if name in instead else _value(one) for name, one in properties}
    must = set(schema["required"]) | {
        name for name in instead if name in fields and name not in ("heading", "strip")
    }
    return st.fixed_dictionaries(
        {name: fields[name] for name in fields if name in must},
        optional={name: fields[name] for name in fields if name not in must},
    )


_OF_GUIDES = {"way", "tasks", "suits", "needs", "bring"}
_PANEL = _SCHEMA["$defs"]["Panel"]["properties"]
_CAST = _SCHEMA["$defs"]["Cast"]["properties"]
# What stands in a panel must fit together: who stands has free hands, and each a place of their own.
_PANELS = st.fixed_dictionaries(
    {
        "place": _value(_PANEL["place"]),
        "cast": st.tuples(
            st.fixed_dictionaries(
                {"who": _value(_CAST["who"]), "face": _value(_CAST["face"])},
                optional={"at": _value(_CAST["at"]), "says": _WORDS.map(lambda said: said[:40]).filter(str.strip)},
            )
        ).map(list),
    },
    optional={"caption": _WORDS, "props": st.just(["phone"])},
)  # fmt: skip


@cache
def _front_matter(key: str, kind: str) -> st.SearchStrategy[dict[str, Any]]:
    fields = _SCHEMA["properties"].items()
    if kind != "guide":
        fields = [(name, schema) for name, schema in fields if name not in _OF_GUIDES]
    return _object(
        _SCHEMA | {"properties": dict(fields)},
        strip=st.lists(_PANELS, min_size=1, max_size=1),
        key=st.just(key),
        kind=st.just(kind),
        number=st.integers(0, 9999),
        heading=_HEADINGS,
        cover=st.just(COVER),
        cover_alt=_WORDS,
    )


@st.composite
def _block(draw: st.DrawFn, name: str, slashes: int = 3) -> str:
    spec: Spec = SPECS[name]
    children = [other for other, its in SPECS.items() if its.inside == name]
    fence = "/" * (slashes + bool(children))
    argument = INSIDE if name == "picture" else draw(_PLAIN) if spec.argument is not False else ""
    if not spec.argument and draw(st.booleans()):
        argument = ""
    optional = draw(st.sets(st.sampled_from(spec.options))) if spec.options else set()
    options = "".join(
        f"    {option}: {draw(_OPTIONS.get(option, _PLAIN.map(repr)))}\n"
        for option in sorted(optional | set(spec.needed))
    )
    inner = (
        "".join(draw(_block(child, slashes)) for child in children)
        or _LISTS.get(name)
        or draw(_MARKDOWN) + "\n"
    )
    return f"{fence} {name}{' | ' + argument if argument else ''}\n{options}\n{inner}{fence}\n\n"


_TOP = [name for name, spec in SPECS.items() if not spec.inside]
BODIES = st.lists(st.one_of(_MARKDOWN.map("{}\n\n".format), st.sampled_from(_TOP).flatmap(_block)), min_size=1, max_size=6).map("".join)  # fmt: skip


@st.composite
def files(draw: st.DrawFn, key: str, kind: str) -> str:
    """The text of a file `<key>.md`."""
    front, body = draw(_front_matter(key, kind)), draw(BODIES)
    header = yaml.safe_dump(
        front,
        allow_unicode=draw(st.booleans()),
        default_flow_style=draw(st.sampled_from([None, False])),
        sort_keys=draw(st.booleans()),
        width=draw(st.sampled_from([40, 10_000])),
    )
    text = f"---\n{draw(st.sampled_from(['', '# 给编辑看的话' + chr(10)]))}{header}---\n{body}"
    ending = draw(st.sampled_from(["", "\n", "\n\n  ", "\n "]))
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    return draw(st.sampled_from(["", "", "\ufeff"])) + (text.rstrip("\n") + ending).replace("\n", newline)
