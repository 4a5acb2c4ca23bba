"""XMP packets: whether they name a person or a place, whichever way they are written (elements or attributes)."""

import re
from collections.abc import Iterator
from xml.parsers import expat

# Names of properties without their namespaces: programs agree on the names more than on where they belong.
_PEOPLE = (
    "author artist byline creator contributor owner ownername cameraownername captionwriter contact "
    "creatorcontactinfo imagecreatorname personinimage personinimagewdetails regionpersondisplayname"
)
# A town alone is no trace of anybody; a street, a building, coordinates are.
_PLACES = "location sublocation locationcreated locationshown gpslatitude gpslongitude"
PEOPLE, PLACES = frozenset(_PEOPLE.split()), frozenset(_PLACES.split())
HOME = re.compile(r"(?:/Users/|/home/|\b[A-Za-z]:\\Users\\)[^/\\\s\"'<>]")
_DEEPEST = 64
_OPENING, _CLOSING = b"<x:xmpmeta", b"</x:xmpmeta>"
_SYNTAX = ("http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://www.w3.org/XML/1998/namespace")
_SUSPECT_PERSON = re.compile(rb":(?:creator|artist|author|owner)", re.IGNORECASE)
_SUSPECT_PLACE = re.compile(rb"GPSL(?:at|ong)itude", re.IGNORECASE)


class _Reader:
    """Takes the parser's events; the elements above a value say what it is."""

    def __init__(self) -> None:
        self.person = self.place = False
        self._path: list[str] = []
        self._words = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._said()
        if len(self._path) >= _DEEPEST:
            raise ValueError("too deep")
        self._path.append(_local(name))
        for each, value in attributes.items():
            if not each.startswith(_SYNTAX):  # how the packet is written, not what it says
                self._judge((*self._path, _local(each)), value)

    def end(self, _name: str) -> None:
        self._said()
        self._path.pop()

    def text(self, words: str) -> None:
        self._words += words

    def _said(self) -> None:
        self._judge(tuple(self._path), self._words)
        self._words = ""

    def _judge(self, path: tuple[str, ...], value: str) -> None:
        if not value.strip():
            return
        face = "regionlist" in path and path[-1] == "name"  # a frame around somebody, with a name on it
        self.person = self.person or face or not PEOPLE.isdisjoint(path) or HOME.search(value) is not None
        self.place = self.place or not PLACES.isdisjoint(path)

    def no_doctype(self, *_args: object) -> None:
        raise ValueError("doctype")  # entities that grow


def packets(data: bytes) -> Iterator[bytes]:
    """The packets that stand in a file as they are, wherever: behind the picture and in a second one too."""
    at = 0
    while (begin := data.find(_OPENING, at)) >= 0 and (end := data.find(_CLOSING, begin)) >= 0:
        at = end + len(_CLOSING)
        yield data[begin:at]


def tells(packet: bytes) -> tuple[bool, bool]:
    """Whether a packet names a person, and a place; of one that cannot be read, whether it looks so."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.no_doctype
    try:
        parser.Parse(packet.strip(b"\x00 "), True)
    except (expat.ExpatError, ValueError, LookupError):
        return _SUSPECT_PERSON.search(packet) is not None, _SUSPECT_PLACE.search(packet) is not None
    return reader.person, reader.place


def _local(name: str) -> str:
    return name.rpartition(" ")[2].lower()
