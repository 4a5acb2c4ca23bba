"""What the label says: GB 45438-2025 appendix E, and as XMP in the name space of TC260 (TC260-PG-20258A)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

FIELD = "AIGC"
MADE = "1"  # 1: is made by a machine; 2: may be; 3: is suspected to be
_SPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


@dataclass(frozen=True, slots=True)
class Label:
    """Who made it with what (`producer`), the number of the thing there, and the same of who spreads it."""

    producer: str
    produced: str
    propagator: str
    propagated: str

    @property
    def json(self) -> str:
        """The value of the field, in ASCII: some formats know nothing else."""
        return json.dumps(
            {
                "Label": MADE,
                "ContentProducer": self.producer,
                "ProduceID": self.produced,
                "ReservedCode1": "",
                "ContentPropagator": self.propagator,
                "PropagateID": self.propagated,
                "ReservedCode2": "",
            },
            separators=(",", ":"),
        )

    @property
    def xmp(self) -> str:
        """The same as an XMP packet, without the wrapper that each format has of its own."""
        return (
            f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">'
            f'<rdf:Description rdf:about="" xmlns:TC260="{_SPACE}"><TC260:{FIELD}>{escape(self.json)}</TC260:{FIELD}>'
            "</rdf:Description></rdf:RDF></x:xmpmeta>"
        )


def of(meta: Mapping[str, Any], institution: str, *, only: str = "") -> Label | None:
    """The label of a piece by its front matter, None where no machine made any of it; `only`: of that kind of thing.

    The tool is the producer: the institution publishes, and so it propagates.
    """
    given = meta.get("ai_generated")
    if not given or (only and only not in given["what"]):
        return None
    key = str(meta["key"])
    return Label(str(given["tool"]), key, institution, key)
