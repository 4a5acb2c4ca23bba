"""A person in a pose with a face, around (0, 0) at the feet; every pose fits every person and every face."""

from dataclasses import dataclass

from content.strip.parts import Arm, Parts, Person, Pose

_ADULT = 30.0  # legs of a grown-up; the arm grows with the body
_HELD = 0.78
_RADIUS = 25.0


@dataclass(frozen=True)
class Wanted:
    """Who stands there how; `held` is the key of a thing, `left` turns to the left."""

    who: str
    pose: str
    face: str
    held: str = ""
    left: bool = False


def figure(parts: Parts, wanted: Wanted) -> str:
    """The drawing as SVG elements, not yet placed."""
    person, pose = parts.people[wanted.who], parts.poses[wanted.pose]
    drawn = _in_phone(person) if person.frame else _standing(parts, person, pose, wanted)
    flip = " scale(-1 1)" if wanted.left and not person.frame else ""
    return f'<g transform="scale({person.scale}){flip}">{drawn}</g>'


def _standing(parts: Parts, person: Person, pose: Pose, wanted: Wanted) -> str:
    top = -(person.legs + person.torso)
    arm = person.torso * 0.62 if person.legs < _ADULT * 0.7 and person.head < _RADIUS else 44.0
    shoulder = (person.half * 0.66, top + person.torso * 0.26)
    near = _Arm(person, pose, pose.near, shoulder, arm)
    far = _Arm(person, pose, pose.far, (-shoulder[0], shoulder[1]), arm)
    thing = _held(parts, pose, wanted, near, far)
    behind = far.sleeve if pose.hand != "both" else ""
    return "".join(
        (
            f'<ellipse cy="1" rx="{_n(person.half * 1.05)}" ry="6" fill="#1e2a2d" opacity=".13"/>',
            _head_back(person, top),
            behind,
            _legs(person),
            _torso(person, top),
            person.on_body,
            _head(parts, person, wanted, top, pose),
            far.open_hand if pose.both_palms else far.hand,
            far.sleeve if pose.hand == "both" else "",
            near.sleeve,
            thing,
            near.finger if pose.finger else near.open_hand if pose.palm else near.hand,
            far.hand if pose.hand == "both" else "",
        )
    )


class _Arm:
    """One arm: sleeve and hand, in several ways."""

    def __init__(
        self, person: Person, pose: Pose, arm: Arm, shoulder: tuple[float, float], length: float
    ) -> None:
        x, y = shoulder
        self.at = (x + arm[2] * length, y + arm[3] * length)
        elbow = (x + arm[0] * length, y + arm[1] * length)
        self._width = person.half * 0.4
        self._skin, self._size = person.skin, person.half * 0.185
        self._away = 1 if self.at[0] >= elbow[0] else -1
        self.sleeve = (
            f'<path d="M{_n(x)} {_n(y)}Q{_n(2 * elbow[0] - (x + self.at[0]) / 2)} '
            f'{_n(2 * elbow[1] - (y + self.at[1]) / 2)} {_n(self.at[0])} {_n(self.at[1])}" '
            f'fill="none" stroke="{person.sleeve}" stroke-width="{_n(self._width)}" stroke-linecap="round"/>'
        )

    @property
    def hand(self) -> str:
        """A closed hand."""
        return f'<circle cx="{_n(self.at[0])}" cy="{_n(self.at[1])}" r="{_n(self._size * 1.08)}" fill="{self._skin}"/>'

    @property
    def open_hand(self) -> str:
        """A palm with its fingers."""
        x, y, size = *self.at, self._size
        fingers = "".join(
            f"M{_n(x + dx * size)} {_n(y - 0.5 * size)}l{_n(dx * 0.5 * size)} {_n(-1.25 * size)}"
            for dx in (-0.66, 0, 0.66)
        )
        thumb = (
            f"M{_n(x - self._away * 0.6 * size)} {_n(y)}l{_n(-self._away * 0.95 * size)} {_n(-0.3 * size)}"
        )
        return (
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(size * 1.2)}" fill="{self._skin}"/>'
            f'<path d="{fingers}{thumb}" stroke="{self._skin}" stroke-width="{_n(size * 0.72)}" '
            f'stroke-linecap="round" fill="none"/>'
        )

    @property
    def finger(self) -> str:
        """A pointing hand."""
        x, y = self.at
        return (
            f'{self.hand}<path d="M{_n(x)} {_n(y - 1)}l{_n(self._size * 2)} -1.500" stroke="{self._skin}" '
            f'stroke-width="{_n(self._size * 0.8)}" stroke-linecap="round"/>'
        )


def _held(parts: Parts, pose: Pose, wanted: Wanted, near: _Arm, far: _Arm) -> str:
    key = "phone" if pose.phone else wanted.held
    if not key:
        return ""
    x, y = near.at
    if pose.hand == "both":
        x, y = (x + far.at[0]) / 2, (near.at[1] + far.at[1]) / 2 - 9
    if wanted.pose == "stand":
        y += 12
    if wanted.pose == "show":
        x, y = x + 7, y - 9
    size, turn = (0.62, " rotate(10)") if pose.phone else (_HELD, "")
    mirror = " scale(-1 1)" if wanted.left else ""
    return f'<g transform="translate({_n(x)} {_n(y)}) scale({size}){turn}{mirror}">{parts.props[key].svg}</g>'


def _legs(person: Person) -> str:
    if not person.legs:
        return ""
    wide, apart = person.half * 0.42, person.half * 0.08
    high = person.legs + 10
    shoe = person.half * 0.56
    return "".join(
        f'<rect x="{_n(x)}" y="{_n(-high)}" width="{_n(wide)}" height="{_n(high - 2)}" rx="4" fill="{person.trousers}"/>'
        f'<rect x="{_n(foot)}" y="-7" width="{_n(shoe)}" height="8" rx="4" fill="{person.shoes}"/>'
        for x, foot in ((-wide - apart, -shoe - apart + 2), (apart, apart))
    )


def _torso(person: Person, top: float) -> str:
    half, low = person.half, -person.legs + 4
    high = low - top
    return (
        f'<path d="M{_n(-half)} {_n(low)}q-2 {_n(-high * 0.62)} {_n(half * 0.2)} {_n(-high * 0.84)}'
        f"q{_n(half * 0.26)} {_n(-high * 0.16)} {_n(half * 0.8)} {_n(-high * 0.16)}"
        f"t{_n(half * 0.8)} {_n(high * 0.16)}q{_n(half * 0.2 + 2)} {_n(high * 0.22)} {_n(half * 0.2)} {_n(high * 0.84)}"
        f'q{_n(-half)} 7 {_n(-2 * half)} 0z" fill="{person.coat}"/>'
    )


def _at_head(person: Person, top: float, drawn: str) -> str:
    return (
        f'<g transform="translate(0 {_n(top - person.head * 0.72)}) scale({_n(person.head / _RADIUS)})">'
        f"{drawn}</g>"
    )


def _head_back(person: Person, top: float) -> str:
    return _at_head(person, top, person.hair_back) if person.hair_back else ""


def _head(parts: Parts, person: Person, wanted: Wanted, top: float, pose: Pose) -> str:
    face = "" if person.faceless else _face(parts, wanted.face)
    if face and pose.down:
        face = f'<g transform="translate(1.500 4)">{face}</g>'
    ears = f'<circle cx="-24" cy="4" r="4.500" fill="{person.skin}"/><circle cx="24" cy="4" r="4.500" fill="{person.skin}"/>'
    neck = f'<rect x="-7" y="16" width="14" height="14" rx="6" fill="{person.skin}"/>'
    head = f'{neck}{ears}<circle r="25" fill="{person.skin}"/>'
    return _at_head(person, top, f"{head}{face}{person.hair}{person.on_face}")


def _face(parts: Parts, key: str) -> str:
    drawn = parts.faces[key].svg.replace(
        'class="l"',
        'fill="none" stroke="#1e2a2d" stroke-width="2.300" stroke-linecap="round" stroke-linejoin="round"',
    )
    cheeks = '<g fill="#e88f6f" opacity=".42"><circle cx="-12.500" cy="10.500" r="3.800"/><circle cx="16" cy="10.500" r="3.800"/></g>'
    return f'<g fill="#1e2a2d">{drawn}</g>{cheeks}'


def _in_phone(person: Person) -> str:
    """Somebody of whom there is only a voice: a shape in a large telephone."""
    top = -(person.torso + 14)
    inside = f"{_head_back(person, top)}{_torso(person, top)}{_at_head(person, top, _shape(person))}"
    return (
        '<ellipse cy="1" rx="44" ry="6" fill="#1e2a2d" opacity=".13"/>'
        '<rect x="-47" y="-150" width="94" height="151" rx="15" fill="#1e2a2d"/>'
        '<rect x="-40" y="-138" width="80" height="120" rx="6" fill="#f6ddcd"/>'
        f'<g transform="translate(0 -18)">{inside}</g>'
        '<rect x="-40" y="-34" width="80" height="24" fill="#1e2a2d"/><circle cx="-16" cy="-14" r="7" fill="#c2410c"/>'
        '<circle cx="16" cy="-14" r="7" fill="#1b7f4b"/>'
    )


def _shape(person: Person) -> str:
    return f'<circle r="25" fill="{person.skin}"/>{person.hair}{person.on_face}'


def _n(number: float) -> str:
    """A number as short as it stays true to a tenth."""
    return f"{number:.1f}".removesuffix(".0")
