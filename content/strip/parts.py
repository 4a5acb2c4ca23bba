"""The drawn parts, read once from their data files."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_DATA = Path(__file__).parent / "data"
Arm = tuple[float, float, float, float]
_PHONE = 152.0  # the height of a telephone that shows somebody


@dataclass(frozen=True)
class Person:
    """Somebody who can stand in a scene; see the data file for the measures."""

    name: str
    line: str
    line_en: str
    scale: float
    legs: float
    torso: float
    half: float
    head: float
    skin: str
    coat: str
    sleeve: str
    trousers: str
    shoes: str
    on_body: str = ""
    hair_back: str = ""
    hair: str = ""
    on_face: str = ""
    faceless: bool = False
    bad: bool = False
    frame: bool = False

    @property
    def height(self) -> float:
        """From the feet to the top of the head, in the scene."""
        return (_PHONE if self.frame else self.legs + self.torso + 2 * self.head + 6) * self.scale


@dataclass(frozen=True)
class Pose:
    """Both arms (elbow x, y, hand x, y in arm's lengths), and which hand can hold something."""

    name: str
    says: str
    near: Arm
    far: Arm
    hand: str = "none"
    palm: bool = False
    both_palms: bool = False
    finger: bool = False
    phone: bool = False
    down: bool = False


@dataclass(frozen=True)
class Face:
    """Eyes, brows and mouth."""

    name: str
    says: str
    svg: str


@dataclass(frozen=True)
class Place:
    """What stands behind the people."""

    name: str
    says: str
    wall: str
    floor: str
    svg: str


@dataclass(frozen=True)
class Prop:
    """A thing, in a hand or beside people."""

    name: str
    svg: str


@dataclass(frozen=True)
class Parts:
    """All parts by the names that the front matter uses."""

    people: Mapping[str, Person]
    poses: Mapping[str, Pose]
    faces: Mapping[str, Face]
    places: Mapping[str, Place]
    props: Mapping[str, Prop]


@cache
def parts() -> Parts:
    """The library of this version."""
    return Parts(
        people={key: Person(**one) for key, one in _read("people").items()},
        poses={key: Pose(**_arms(one)) for key, one in _read("poses").items()},
        faces={key: Face(**one) for key, one in _read("faces").items()},
        places={key: Place(**one) for key, one in _read("places").items()},
        props={key: Prop(**one) for key, one in _read("props").items()},
    )


def _read(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load((_DATA / f"{name}.yaml").read_text("utf-8"))
    return found


def _arms(one: dict[str, Any]) -> dict[str, Any]:
    return one | {side: tuple(float(number) for number in one[side]) for side in ("near", "far")}
