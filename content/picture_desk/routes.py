"""The blueprint of the desk of pictures, and what its addresses name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, request
from sqlmodel import Session

from content import history
from content.models import Kind, Revision
from content.picture_desk.plugs import Plugs
from content.poster.making import Posters
from content.poster.sharing import Sharing, Signed
from core.errors import NotFound
from core.http import service
from core.i18n import mark
from core.settings import Settings
from institution import access
from institution.powers import WHOLE
from tracking.attribution import Attributions

blueprint = Blueprint(
    "pictures_desk", __name__, url_prefix="/desk/pieces/<key>/pictures", template_folder="../templates"
)
SHARE = "link.edit"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for: a revision, for elders or not, shared by whom, within which campaign."""

    revision: Revision
    elder: bool
    outlet_code: str
    sharing: Sharing

    @property
    def values(self) -> dict[str, Any]:
        """The same as the query of an address."""
        found = {
            "number": str(self.revision.number),
            "size": "elder" if self.elder else "",
            "outlet": self.outlet_code,
            "campaign": self.sharing.campaign,
        }
        return {name: value for name, value in found.items() if value}

    def sized(self, size: str) -> dict[str, Any]:
        """The same in another size: "" or `elder`."""
        others = {name: value for name, value in self.values.items() if name != "size"}
        return others | ({"size": size} if size else {})


def asked(session: Session, key: str) -> Asked:
    """What the query asks for; without a number what is on the site, else the newest. NotFound for another kind."""
    piece = history.get_piece(session, key)
    if piece.kind != Kind.long_graphic:
        raise NotFound(mark("只有宣传长图能做成图片。"))
    number = request.values.get("number", 0, int)
    revision = (
        history.by_number(session, key, number)
        if number
        else history.published_revision(session, key) or history.newest(session, key)
    )
    if revision is None:
        raise NotFound(mark("没有找到这个版本。"))
    campaign = request.values.get("campaign", "")
    names = dict(campaigns(session))
    sharing = Sharing(key, campaign, names[campaign]) if campaign in names else Sharing(key)
    return Asked(revision, request.values.get("size") == "elder", _outlet(), sharing)


def campaigns(session: Session) -> Sequence[tuple[str, str]]:
    """The campaigns that the person may share it in, code and name."""
    return service(Plugs).campaigns(session, access.signed_in().scope("content.view"))


def _outlet() -> str:
    code = request.values.get("outlet", WHOLE)
    return code if len(code) <= 32 else WHOLE


def signed() -> Signed:
    """What addresses are signed with."""
    settings = service(Settings)
    return Signed(service(Attributions), settings.public_url, settings.institution_name)


def posters() -> Posters:
    """Who makes pictures."""
    return service(Posters)


def may_share(session: Session, code: str) -> bool:
    """Whether the person may make links of a node."""
    return access.signed_in().may_at(session, SHARE, code)
