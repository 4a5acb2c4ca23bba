"""One panel as SVG: the place, the people in their columns, things beside them, bubbles above."""

import html

from content.strip import bubbles
from content.strip.bubbles import Bubble, Speech
from content.strip.figure import Wanted, figure
from content.strip.parts import Parts, Person, parts
from content.strip.schema import Cast, Panel
from content.strip.telling import tell

WIDTH, STAGE, _FEET = 400, 280, 264.0
_X = {"left": 74.0, "middle": 200.0, "right": 326.0}
_NEARER = {"left": 104.0, "middle": 200.0, "right": 296.0}
_THING, _THING_Y = 2.0, 176.0
_FONT = "PingFang SC, HarmonyOS Sans SC, MiSans, Noto Sans CJK SC, Microsoft YaHei, sans-serif"
_TAIL = 40.0


def draw(panel: Panel) -> str:
    """The picture; it is 400 wide and as high as what is said needs."""
    library = parts()
    people, things = panel.columns()
    x = _NEARER if "middle" not in people and "middle" not in things else _X
    speeches = [
        Speech(one.says, x[column], _FEET - library.people[one.who].height, library.people[one.who].bad)
        for one in panel.cast
        for column, held in people.items()
        if held is one and one.says
    ]
    placed, high = bubbles.lay_out(speeches)
    above = max(0.0, high + 6 - min((one.head for one in speeches), default=high + 6))
    above = max(above, high + 6 - _highest(library, panel)) if speeches else 0.0
    stage = "".join(
        (
            *(_thing(library, things[column].what, x[column]) for column in things),
            *(_person(library, one, column, x[column]) for column, one in people.items()),
        )
    )
    height = round(STAGE + above)
    place = library.places[panel.place]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>{html.escape(tell(panel), quote=False)}</title>"
        f'<rect width="{WIDTH}" height="{height}" fill="{place.wall}"/>'
        f'<g transform="translate(0 {height - STAGE})">'
        f'<rect y="236" width="{WIDTH}" height="44" fill="{place.floor}"/>{place.svg}{stage}</g>'
        f"{''.join(_bubble(one, above) for one in placed)}</svg>"
    )


def draw_person(who: str, pose: str = "wave", face: str = "smile") -> str:
    """Somebody alone, for the page of who is who and the catalogue."""
    one = parts().people[who]
    wanted = Wanted(who, pose, face)
    height = round(max(one.height + 24, 204))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 {height}" role="img">'
        f"<title>{html.escape(one.name)}</title>"
        f'<g transform="translate(92 {height - 12})">{figure(parts(), wanted)}</g></svg>'
    )


def draw_place(key: str) -> str:
    """A place without anybody, for the catalogue."""
    one = parts().places[key]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {STAGE}" role="img">'
        f"<title>{html.escape(one.name)}</title>"
        f'<rect width="{WIDTH}" height="{STAGE}" fill="{one.wall}"/>'
        f'<rect y="236" width="{WIDTH}" height="44" fill="{one.floor}"/>{one.svg}</svg>'
    )


def draw_thing(what: str) -> str:
    """A thing alone, for the catalogue."""
    one = parts().props[what]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-26 -26 52 52" role="img">'
        f"<title>{html.escape(one.name)}</title>{one.svg}</svg>"
    )


def _highest(library: Parts, panel: Panel) -> float:
    heights = [library.people[one.who].height for one in panel.cast]
    return _FEET - max(heights, default=0.0)


def _person(library: Parts, one: Cast, column: str, x: float) -> str:
    wanted = Wanted(
        one.who, one.pose, one.face, one.holds or "", left=_turns_left(library.people[one.who], column)
    )
    return f'<g transform="translate({x:g} {_FEET:g})">{figure(library, wanted)}</g>'


def _turns_left(person: Person, column: str) -> bool:
    return column == "right" and not person.frame


def _thing(library: Parts, what: str, x: float) -> str:
    return (
        f'<circle cx="{x:g}" cy="{_THING_Y:g}" r="50" fill="#fffdf7" opacity=".86"/>'
        f'<g transform="translate({x:g} {_THING_Y:g}) scale({_THING:g})">{library.props[what].svg}</g>'
    )


def _bubble(one: Bubble, above: float) -> str:
    fill, round_ = ("#fde7da", 7) if one.speech.bad else ("#ffffff", 19)
    bottom = one.y + one.height
    tip = min(one.speech.head + above - 4, bottom + _TAIL)
    tail = f"M{one.speech.x - 11:.1f} {bottom - 2:.1f}h22L{one.speech.x:.1f} {max(tip, bottom + 9):.1f}z"
    box = f'<rect x="{one.x:.1f}" y="{one.y:.1f}" width="{one.width:.1f}" height="{one.height:.1f}" rx="{round_}"'
    lines = "".join(
        f'<text x="{one.x + one.width / 2:.1f}" y="{one.y + 36 + at * 33:.1f}">{html.escape(line, quote=False)}</text>'
        for at, line in enumerate(one.lines)
    )
    return (
        f'<g fill="#1e2a2d" opacity=".16">{box} transform="translate(0 3)"/><path d="{tail}" transform="translate(0 3)"/></g>'
        f'<g fill="{fill}">{box}/><path d="{tail}"/></g>'
        f'<g font-family="{_FONT}" font-size="{bubbles.SIZE:g}" font-weight="600" text-anchor="middle" '
        f'fill="#1e2a2d">{lines}</g>'
    )
