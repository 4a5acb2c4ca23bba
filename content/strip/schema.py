"""The field `strip` of the front matter: panels, who stands where how and says what, what lies beside them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from pydantic import model_validator as model_rule

from content.strip.parts import parts

COLUMNS = ("left", "middle", "right")
MOST_PANELS, MOST_PEOPLE, MOST_SAID = 12, 3, 60
_PARTS = parts()
_PEOPLE, _POSES, _FACES = tuple(_PARTS.people), tuple(_PARTS.poses), tuple(_PARTS.faces)
_PLACES, _PROPS = tuple(_PARTS.places), tuple(_PARTS.props)
Column = Literal["left", "middle", "right"]
Said = Annotated[
    str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=MOST_SAID)
]
Caption = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cast(_Strict):
    """One person in a panel."""

    who: Literal[_PEOPLE]  # type: ignore[valid-type]
    pose: Literal[_POSES] = "stand"  # type: ignore[valid-type]
    face: Literal[_FACES] = "calm"  # type: ignore[valid-type]
    at: Column | None = None
    holds: Literal[_PROPS] | None = None  # type: ignore[valid-type]
    says: Said | None = None

    @model_rule(mode="after")
    def _can_hold(self) -> "Cast":
        if self.holds and (_PARTS.poses[self.pose].hand == "none" or _PARTS.people[self.who].frame):
            raise ValueError("strip_holds")
        return self


class Thing(_Strict):
    """One thing beside the people; its name alone is enough."""

    what: Literal[_PROPS]  # type: ignore[valid-type]
    at: Column | None = None


class Panel(_Strict):
    """One picture of the strip."""

    place: Literal[_PLACES]  # type: ignore[valid-type]
    cast: Annotated[list[Cast], Field(max_length=MOST_PEOPLE)] = []
    props: Annotated[list[Thing], Field(max_length=2)] = []
    caption: Caption | None = None

    @field_validator("props", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        if isinstance(given, list):
            return [{"what": one} if isinstance(one, str) else one for one in given]
        return given

    @model_rule(mode="after")
    def _fits(self) -> "Panel":
        if not self.cast and not self.props:
            raise ValueError("strip_empty")
        chosen = [one.at for one in self.cast if one.at] + [one.at for one in self.props if one.at]
        if len(set(chosen)) != len(chosen):
            raise ValueError("strip_at")
        if len(self.cast) + len(self.props) > len(COLUMNS):
            raise ValueError("strip_props")
        return self

    def columns(self) -> tuple[dict[str, Cast], dict[str, Thing]]:
        """Who and what stands in which column: as chosen; else people outside first, things where there is room."""
        people: dict[str, Cast] = {one.at: one for one in self.cast if one.at}
        things: dict[str, Thing] = {one.at: one for one in self.props if one.at}
        order = ("left", "right", "middle") if len(self.cast) + len(self.props) > 1 else ("middle",)
        free = [column for column in order if column not in people and column not in things]
        for person in self.cast:
            if person.at is None:
                people[free.pop(0)] = person
        for thing in self.props:
            if thing.at is None:
                free.sort(key=("middle", "right", "left").index)
                things[free.pop(0)] = thing
        return people, things
