"""The implicit label of what a machine made, in the metadata of every file that leaves the house.

人工智能生成合成内容标识办法 (in force 2025-09-01) asks for it beside the label that people see, and GB 45438-2025 names its
form: a field AIGC that holds JSON. Responsible for the label (`label`) and for putting it into PNG, JPEG, WebP and SVG
(`pictures`) and PDF (`pdf`); may import content.svg and content.frontmatter, nothing above. The one flow: front matter →
`label.of` → `pictures.labelled` or `pdf.labelled`. A file that comes back loses it again (`pictures.bare`), so that what
is exported and imported stays the same picture; its piece goes on saying what it is.
"""
