"""A panel in words, for who listens instead of looking: where, who does what how, who says what, what lies there.

Part of the Chinese text, like what the blocks of a piece add; never translated.
"""

from dataclasses import dataclass

from content.strip.parts import parts
from content.strip.schema import Cast, Panel

_WHERE = {"left": "左边", "middle": "中间", "right": "右边"}
_ORDER = ("left", "middle", "right")


@dataclass(frozen=True)
class Told:
    """What stands for a panel that is not seen, and the words under it."""

    alt: str
    caption: str


def tell(panel: Panel) -> str:
    """One to several sentences."""
    library = parts()
    people, things = panel.columns()
    alone = len(people) == 1 and not things
    told = [f"{library.places[panel.place].says}。"]
    told += [
        _person(people[column], "" if alone else _WHERE[column]) for column in _ORDER if column in people
    ]
    told += [
        f"{_WHERE[column]}画着{library.props[things[column].what].name}。"
        for column in _ORDER
        if column in things
    ]
    told += [f"{library.people[one.who].name}说：“{one.says}”" for one in panel.cast if one.says]
    return "".join(told)


def _person(one: Cast, where: str) -> str:
    library = parts()
    person, pose = library.people[one.who], library.poses[one.pose]
    if person.frame:
        return f"{where}一部大手机里，有个看不清脸的人影。"
    held = f"，手里是{library.props[one.holds].name}" if one.holds else ""
    face = "" if person.faceless else f"，{library.faces[one.face].says}"
    return f"{where}{person.name}{pose.says}{held}{face}。"
