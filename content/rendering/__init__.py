"""Markdown with our blocks → harmless HTML. The only package that imports `markdown`.

Responsible for the syntax of a body: `grammar` (which blocks there are, what is wrong with a text),
`blocks` (what each becomes), `tree` (headings, pictures, tables, panels), `cleaner` (the allow-list that
everything passes last), `anchors` (where a link may lead). `render` is the one flow: grammar → Markdown → tree →
cleaner → anchors.
"""

from content.rendering.renderer import Rendered, render

__all__ = ["Rendered", "render"]
