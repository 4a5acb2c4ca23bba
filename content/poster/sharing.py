"""For whom pictures are stamped: the whole institution, a branch or an outlet, perhaps within a campaign."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from content.poster.stamping import Stamp
from core.errors import Invalid
from core.i18n import gettext as _
from core.i18n import mark, using_locale
from institution.models import Outlet, OutletKind
from institution.powers import WHOLE
from tracking import links
from tracking.attribution import PARAMETER, Attribution, Attributions
from tracking.links import Aim

CHANNEL = "poster"


@dataclass(frozen=True, slots=True)
class Sharing:
    """A piece and the campaign in which it is shared ("": none); `name` is the campaign's."""

    key: str
    campaign: str = ""
    name: str = ""

    @property
    def aim(self) -> Aim:
        """Where the short links lead, and what a visit counts for."""
        return Aim(f"/p/{self.key}", self.campaign, CHANNEL, note=self.name[:60])


@dataclass(frozen=True, slots=True)
class Signed:
    """What addresses are made of where there is no short link yet."""

    attributions: Attributions
    public_url: str
    institution: str


def stamps(
    session: Session, sharing: Sharing, codes: Sequence[str], today: date, *, signed: Signed
) -> dict[str, Stamp]:
    """Node → its stamp: with its short link where there is one, else with a signed address, which is longer."""
    short = links.of_outlets(session, sharing.aim, codes, today)
    found = {one.code: one for one in session.exec(select(Outlet).where(col(Outlet.code).in_(codes)))}
    made = {}
    for code in codes:
        if code != WHOLE and code not in found:
            raise Invalid(mark("没有编号为“%(code)s”的机构，请检查范围。"), field="outlet_code", code=code)
        link = (
            f"{signed.public_url}{links.PREFIX}{short[code].code}"
            if code in short
            else _long(sharing, code, signed)
        )
        name, under = _words(found.get(code), sharing, signed)
        made[code] = Stamp(link, name, under)
    return made


def of_visit(session: Session, key: str, visit: Attribution | None, signed: Signed) -> Stamp:
    """The stamp of a picture that a visitor saves: it goes on counting for whose link led here."""
    found = session.get(Outlet, visit.outlet) if visit and visit.outlet else None
    sharing = Sharing(key, visit.campaign if visit else "")
    name, under = _words(found, sharing, signed)
    return Stamp(_long(sharing, found.code if found else WHOLE, signed), name, under)


def _long(sharing: Sharing, code: str, signed: Signed) -> str:
    token = signed.attributions.sign(Attribution(sharing.campaign, code, CHANNEL))
    return f"{signed.public_url}/p/{sharing.key}?{PARAMETER}={token}"


def _words(outlet: Outlet | None, sharing: Sharing, signed: Signed) -> tuple[str, str]:
    with using_locale("zh"):
        base = outlet is not None and outlet.kind == OutletKind.outlet
        usual = _("消费者权益保护教育宣传基地") if base else _("消费者权益保护教育宣传")
    return (outlet.name if outlet else signed.institution), sharing.name or usual
