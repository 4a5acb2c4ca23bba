"""Pictures that tell of somebody, in every way in which files do."""

import io
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

NAME = "王小明"
_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/" '
    'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:core="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/" '
    'xmlns:area="http://www.metadataworkinggroup.com/schemas/regions/" {}>{}</rdf:Description></rdf:RDF>'
    '</x:xmpmeta><?xpacket end="w"?>'
)
_SEQUENCE = "<rdf:Seq><rdf:li>{}</rdf:li></rdf:Seq>"
PLACE = _PACKET.format("", "<exif:GPSLatitude>39,54.3N</exif:GPSLatitude>").encode()
PLACE_IN_ATTRIBUTES = _PACKET.format('exif:GPSLatitude="39,54.3N" exif:GPSLongitude="116,23E"', "").encode()
CREATOR = _PACKET.format("", "<dc:creator>" + _SEQUENCE.format(NAME) + "</dc:creator>").encode()
CONTACT = _PACKET.format("", '<core:CreatorContactInfo core:CiTelWork="13800000000"/>').encode()
FACE = _PACKET.format(
    "",
    '<area:Regions rdf:parseType="Resource"><area:RegionList><rdf:Bag><rdf:li>'
    f'<rdf:Description area:Name="{NAME}" area:Type="Face"/></rdf:li></rdf:Bag></area:RegionList></area:Regions>',
).encode()
FOLDER = _PACKET.format(r'xmp:Source="C:\Users\wangxm\a.psd"', "").encode()
TORN = CREATOR.replace(b"</rdf:RDF>", b"")
GROWING = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + CREATOR
PACKETS = {
    "place": PLACE, "attributes": PLACE_IN_ATTRIBUTES, "creator": CREATOR, "contact": CONTACT, "face": FACE,
    "folder": FOLDER, "torn": TORN,
}  # fmt: skip
# What a program says of itself, and fields that are there and empty.
SILENT = _PACKET.format(
    'xmp:CreatorTool="Painter 3" rdf:parseType="Resource"',
    "<dc:creator>" + _SEQUENCE.format(" ") + "</dc:creator>",
).encode()


def image(kind: str, **options: Any) -> bytes:
    """A small picture (`kind`: PNG, JPEG, WEBP)."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "#abc").save(out, kind, **options)
    return out.getvalue()


def with_xmp(kind: str, packet: bytes) -> bytes:
    """A picture with this packet where its format has it."""
    if kind != "PNG":
        return image(kind, xmp=packet)
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet.decode())
    return image("PNG", pnginfo=info)


def iptc(number: int, value: bytes = NAME.encode()) -> bytes:
    """One field of IPTC, behind the one that says which coding it has."""
    return b"\x1c\x01\x5a\x00\x03\x1b%G" + bytes((0x1C, 2, number)) + len(value).to_bytes(2, "big") + value


def with_iptc(number: int, value: bytes = NAME.encode()) -> bytes:
    """A photograph with this field."""
    field = iptc(number, value)
    resource = b"8BIM\x04\x04\x00\x00" + len(field).to_bytes(4, "big") + field + b"\x00" * (len(field) % 2)
    body = b"Photoshop 3.0\x00" + resource
    data = image("JPEG")
    return data[:2] + b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body + data[2:]


def with_long_packet(packet: bytes) -> bytes:
    """A photograph whose packet is cut in two, as long ones are."""
    data, parts = image("JPEG"), b""
    half = len(packet) // 2
    for at, part in ((0, packet[:half]), (half, packet[half:])):
        head = b"http://ns.adobe.com/xmp/extension/\x00" + b"A" * 32
        body = head + len(packet).to_bytes(4, "big") + at.to_bytes(4, "big") + part
        parts += b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body
    return data[:2] + parts + data[2:]


def with_chunk(name: bytes, body: bytes, *, behind: bool = False) -> bytes:
    """A drawing with this chunk, before its pixels or behind them."""
    chunk = len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")
    data = image("PNG")
    at = len(data) - 12 if behind else 33
    return data[:at] + chunk + data[at:]


def place() -> bytes:
    """A place as a camera writes it."""
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (39.0, 54.0, 20.0)
    return exif.tobytes()


def packed(kind: str, data: bytes) -> tuple[bytes, bytes]:
    """What ImageMagick keeps of another format in a PNG: name and body of the chunk."""
    words = f"\n{kind}\n{len(data):8}\n{data.hex()}\n".encode()
    return b"zTXt", f"Raw profile type {kind}".encode() + b"\x00\x00" + zlib.compress(words)


def _pictures() -> Mapping[str, tuple[str, Callable[[], bytes]]]:
    found: dict[str, tuple[str, Callable[[], bytes]]] = {
        f"{kind} {name}": (suffix, partial(with_xmp, kind, packet))
        for kind, suffix in (("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp"))
        for name, packet in PACKETS.items()
    }
    found |= {f"IPTC {number}": ("jpg", partial(with_iptc, number)) for number in (80, 92, 118, 122)}
    found |= {f"{kind} GPS": (suffix, partial(image, kind, exif=place())) for kind, suffix in _KINDS}
    author = b"Author\x00Wang Xiaoming"
    wide = b"Author\x00\x01\x00zh\x00\x00" + zlib.compress(NAME.encode())
    return found | {
        "JPEG long packet": ("jpg", partial(with_long_packet, CREATOR)),
        "JPEG second picture": ("jpg", lambda: image("JPEG") + with_xmp("JPEG", PLACE)),
        "PNG author": ("png", partial(with_chunk, b"tEXt", author)),
        "PNG author behind": ("png", partial(with_chunk, b"tEXt", author, behind=True)),
        "PNG author packed": ("png", partial(with_chunk, b"iTXt", wide)),
        "PNG exif:GPSLatitude": ("png", partial(with_chunk, b"tEXt", b"exif:GPSLatitude\x0039/1, 54/1")),
        "PNG GPS behind": (
            "png",
            partial(with_chunk, b"eXIf", place().removeprefix(b"Exif\0\0"), behind=True),
        ),
        "PNG profile exif": ("png", partial(with_chunk, *packed("exif", place()))),
        "PNG profile xmp": ("png", partial(with_chunk, *packed("xmp", CREATOR))),
        "PNG profile iptc": ("png", partial(with_chunk, *packed("iptc", iptc(80)))),
    }


_KINDS = (("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp"))
# Name → the ending of the file, and how it is made.
TELLING = _pictures()
