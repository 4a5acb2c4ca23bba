"""Staff pages of picture strips: put a scene together and see it at once, and the catalogue of all parts.

The composer is a form: every choice is a list or a line of text, so keyboard and screen reader do everything. The
strip that is being made travels in the form itself; it is saved as a new revision of a piece like any other change.
"""

from dataclasses import dataclass, field

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from pydantic import ValidationError

from content import frontmatter, history, svg
from content.desk.editing import form_page, save
from content.desk.form import PieceForm
from content.desk.routes import blueprint, place
from content.media import from_json
from content.strip import scene, writing
from content.strip.parts import parts
from content.strip.schema import COLUMNS, MOST_PANELS, Panel
from content.strip.telling import tell
from core.errors import Invalid
from core.http import reading as session_for_reading
from core.http import render
from core.i18n import gettext as _
from core.i18n import mark
from institution import access

_COLUMN_NAMES = {"left": mark("左边"), "middle": mark("中间"), "right": mark("右边")}
_FIRST = Panel.model_validate(
    {
        "place": "home",
        "cast": [{"who": "xiaobao", "pose": "wave", "face": "smile", "says": "奶奶，我回来了。"}],
    }
)
_BLANK = {"who": "", "pose": "stand", "face": "calm", "holds": "", "says": ""}


@dataclass(frozen=True)
class Drawn:
    """A panel as the page shows it."""

    picture: Markup
    told: str


@dataclass(frozen=True)
class StripPage:
    """The strip so far, the panel that is being made, and what can be chosen."""

    action: str
    key: str
    panels: list[Panel]
    drawn: list[Drawn]
    at: int
    panel: Panel | None
    shown: Drawn | None
    typed: dict[str, str]
    fault: str = ""
    columns: tuple[str, ...] = COLUMNS
    names: dict[str, str] = field(
        default_factory=lambda: {key: _(name) for key, name in _COLUMN_NAMES.items()}
    )

    @property
    def yaml(self) -> str:
        """The strip as the front matter writes it."""
        return writing.as_yaml(self.panels)

    @property
    def options(self) -> dict[str, list[tuple[str, str]]]:
        """What each list offers, by the names that the front matter uses."""
        library = parts()
        people = [(key, one.name) for key, one in library.people.items()]
        things = [(key, one.name) for key, one in library.props.items()]
        return {
            "place": [(key, one.name) for key, one in library.places.items()],
            "people": people,
            "things": [(f"thing:{key}", name) for key, name in things],
            "pose": [(key, one.name) for key, one in library.poses.items()],
            "face": [(key, one.name) for key, one in library.faces.items()],
            "holds": [("", _("不拿东西")), *things],
        }


@dataclass(frozen=True)
class PartsPage:
    """Every part, drawn, with the name by which the front matter calls it."""

    people: list[tuple[str, str, Markup]]
    poses: list[tuple[str, str, Markup]]
    faces: list[tuple[str, str, Markup]]
    places: list[tuple[str, str, Markup]]
    props: list[tuple[str, str, Markup]]


@blueprint.get("/strips/parts")
@access.requires("content.view")
def strip_parts() -> str:
    """The catalogue of people, poses, faces, places and things."""
    library = parts()
    page = PartsPage(
        people=[(key, one.name, _safe(scene.draw_person(key))) for key, one in library.people.items()],
        poses=[
            (key, one.name, _safe(scene.draw_person("grandma", key))) for key, one in library.poses.items()
        ],
        faces=[
            (key, one.name, _safe(scene.draw_person("mom", "stand", key)))
            for key, one in library.faces.items()
        ],
        places=[(key, one.name, _safe(scene.draw_place(key))) for key, one in library.places.items()],
        props=[(key, one.name, _safe(scene.draw_thing(key))) for key, one in library.props.items()],
    )
    return render("content/desk_strip_parts.html", page)


@blueprint.route("/strips", methods=["GET", "POST"])
@access.requires("content.edit")
def strips() -> ResponseReturnValue:
    """Make a strip for no piece in particular, to be copied."""
    page = _page("", _panels_given([]))
    return render("content/desk_strips.html", page)


@blueprint.route("/pieces/<key>/strip", methods=["GET", "POST"])
@access.requires("content.edit", at=place)
def piece_strip(key: str) -> ResponseReturnValue:
    """Make or change the strip of a piece; saving it makes a new revision."""
    with session_for_reading() as session:
        newest = history.revisions(session, key)[0]
    page = _page(key, _panels_given(writing.of_text(newest.text)))
    if request.form.get("do") != "save" or page.fault:
        return render("content/desk_strips.html", page)
    base = request.form.get("base", "")
    text = writing.put(newest.text, page.panels)
    number = int(base) if base.isdigit() and len(base) < 9 else newest.number
    form = PieceForm(
        key,
        number,
        text,
        {name: one for name, one in from_json(newest.media).items() if not frontmatter.STRIP.fullmatch(name)},
    )
    draft, faults = form.checked()
    return form_page(form, faults) if draft is None else save(form, draft)


def _panels_given(first: list[Panel]) -> list[Panel]:
    """The strip of the form, or the one to begin with."""
    return writing.from_yaml(request.form["strip"]) if "strip" in request.form else first


def _page(key: str, panels: list[Panel]) -> StripPage:
    """Do what was asked to the strip and the panel of the form, and show both."""
    asked = request.form.get("do", "")
    at = min(_number("at", 0), len(panels))
    fault, panel = "", None
    if "place" in request.form and not asked.startswith("open-"):
        try:
            panel = _typed_panel()
        except Invalid as error:
            fault = str(error)
    elif asked.startswith("open-"):
        at = min(int(asked.removeprefix("open-") or 0) if asked[5:].isdigit() else 0, len(panels))
    if asked == "put" and panel is not None:
        panels, at = _placed(panels, at, panel)
    elif asked in ("up", "remove") and at < len(panels):
        panels, at = _arranged(panels, at, asked)
        panel = None
    if asked == "save" and panel is not None and at < len(panels):
        panels = [*panels[:at], panel, *panels[at + 1 :]]
    showing = panel or (panels[at] if at < len(panels) else _FIRST)
    typed = dict(request.form.items()) if fault else _typed_of(showing)
    action = url_for("content_desk.piece_strip", key=key) if key else url_for("content_desk.strips")
    return StripPage(
        action, key, panels, [_drawn(one) for one in panels], at,
        None if fault else showing, None if fault else _drawn(showing), typed, fault,
    )  # fmt: skip


def _placed(panels: list[Panel], at: int, panel: Panel) -> tuple[list[Panel], int]:
    if at >= MOST_PANELS:
        flash(_("一组最多 %(most)s 格。", most=MOST_PANELS), "warn")
        return panels, at
    return [*panels[:at], panel, *panels[at + 1 :]], at


def _arranged(panels: list[Panel], at: int, asked: str) -> tuple[list[Panel], int]:
    rest = [*panels[:at], *panels[at + 1 :]]
    if asked == "remove":
        return rest, max(0, min(at, len(rest) - 1))
    to = max(0, at - 1)
    return [*rest[:to], panels[at], *rest[to:]], to


def _typed_panel() -> Panel:
    """The panel that the form describes; Invalid in the words of the front matter's faults."""
    given = request.form
    cast, props = [], []
    for column in COLUMNS:
        who = given.get(f"{column}-who", "")
        if who.startswith("thing:"):
            props.append({"what": who.removeprefix("thing:"), "at": column})
        elif who:
            own = {
                name: given.get(f"{column}-{name}", "").strip() for name in ("pose", "face", "holds", "says")
            }
            cast.append({"who": who, "at": column} | {name: value for name, value in own.items() if value})
    said = {"place": given.get("place", ""), "cast": cast, "props": props}
    if caption := given.get("caption", "").strip():
        said["caption"] = caption
    try:
        return Panel.model_validate(said)
    except ValidationError as error:
        faults = frontmatter.faults_of("", error, within=("strip", _number("at", 0)))
        raise Invalid(str(faults[0])) from error


def _typed_of(panel: Panel) -> dict[str, str]:
    """A panel as the form's fields."""
    people, things = panel.columns()
    typed = {"place": panel.place, "caption": panel.caption or ""}
    for column in COLUMNS:
        own = dict(_BLANK)
        if column in people:
            own |= people[column].model_dump(exclude_none=True, exclude={"at"})
        elif column in things:
            own["who"] = f"thing:{things[column].what}"
        typed |= {f"{column}-{name}": value for name, value in own.items()}
    return typed


def _drawn(panel: Panel) -> Drawn:
    return Drawn(_safe(scene.draw(panel)), tell(panel))


def _safe(drawing: str) -> Markup:
    """A drawing that may stand in the page: it passed the cleaner that all pictures pass."""
    return Markup(svg.clean(drawing.encode())[0].decode())  # noqa: S704


def _number(name: str, default: int) -> int:
    typed = request.form.get(name, "")
    return int(typed) if typed.isdigit() and len(typed) < 4 else default
