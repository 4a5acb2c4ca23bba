"""The way to the outlets of a place: a box with one link to the site's own finder."""

import xml.etree.ElementTree as etree
from urllib.parse import urlencode

from content.rendering.base import Ours

PATH = "/o"


class Finder(Ours):
    """Title, words, then the link. A city alone is searched for by its name; with its province it is chosen."""

    NAME = "finder"
    CLASS = "near"

    def on_end(self, block: etree.Element) -> None:
        """The link last."""
        province, city = self.options["province"].strip(), self.options["city"].strip()
        asked = {"province": province, "city": city} if province else {"text": city}
        query = urlencode({name: value for name, value in asked.items() if value})
        place = city or province
        link = etree.SubElement(
            etree.SubElement(block, "p", {"class": "go"}), "a", {"href": f"{PATH}?{query}" if query else PATH}
        )
        link.text = self.options["label"].strip() or (f"找{place}的网点" if place else "找附近的网点")
