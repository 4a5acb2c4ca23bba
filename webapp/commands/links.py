"""`signpost links`: short links, QR codes and counting pictures from the command line."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import click

from content import pages
from core import clock
from core.database import Database
from core.errors import Invalid
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from core.signing import Keys
from institution.powers import WHOLE, Scope
from tracking import links as verbs
from tracking.attribution import Attribution, Attributions, PageKeys
from tracking.links import Aim
from tracking.pixel import KINDS, Pixels
from webapp.commands import plain_errors, runtime

verbs.on_change(pages.bump)  # a running server shows the change within a second
_EVERYTHING = Scope(frozenset({WHOLE}))
_CAMPAIGN = click.option("--campaign", default="", metavar="CODE", help="Campaign that visits count for.")
_CHANNEL = click.option("--channel", default=verbs.QR, show_default=True, help="Channel of the report.")


@click.group()
def links() -> None:
    """Short links, QR codes, and the picture that counts."""


def _today() -> date:
    return clock.today(runtime().service(Settings).zone)


def _address(code: str) -> str:
    return f"{runtime().service(Settings).public_url}{verbs.PREFIX}{code}"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid(mark("请把日期写成 2026-03-15。")) from None


@links.command()
@click.argument("path")
@click.option("--node", default=WHOLE, metavar="CODE", help="Branch or outlet that visits count for.")
@_CAMPAIGN
@_CHANNEL
@click.option("--until", default="", metavar="DATE", help="Last day on which it leads on.")
@click.option("--note", default="", help="For colleagues.")
@click.option("--svg", default="", metavar="FILE", help="Write its QR code there, too.")
@plain_errors
def make(**given: str) -> None:
    """Make a short link to PATH of this site and print its address."""
    aim = Aim(given["path"], given["campaign"], given["channel"], _day(given["until"]), given["note"])
    with runtime().service(Database).transaction() as session:
        made = verbs.make(session, aim, given["node"], by=None, now=clock.now())
    if given["svg"]:
        Path(given["svg"]).write_text(verbs.qr_svg(_address(made.code)), encoding="utf-8")
    click.echo(_address(made.code))


@links.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
@click.argument("text", default="")
@plain_errors
def list_(everything: bool, text: str) -> None:
    """List short links: address, path, node, campaign, channel, last day."""
    live_on = None if everything else _today()
    with runtime().service(Database).reading() as session:
        rows = list(session.exec(verbs.query(_EVERYTHING, text=text, live_on=live_on)))
    for one in rows:
        until = one.valid_until.isoformat() if one.valid_until else "—"
        state = "" if one.live(_today()) else _("已失效")
        click.echo(
            "\t".join(
                (_address(one.code), one.path, one.outlet_code, one.campaign, one.channel, until, state)
            )
        )


@links.command()
@click.argument("code")
@plain_errors
def end(code: str) -> None:
    """Have the short link CODE lead nowhere from now on."""
    with runtime().service(Database).transaction() as session:
        found = verbs.get(session, code.rpartition("/")[2])
        verbs.end(session, found, clock.now())
    click.echo(_("短链接 %(code)s 已停用。") % {"code": found.code})


@links.command()
@click.option("--node", default=WHOLE, metavar="CODE", help="Branch whose outlets; else all.")
@click.option("--path", default="/", show_default=True, help="Page of this site that it opens.")
@_CAMPAIGN
@_CHANNEL
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Write QR codes there.")
@plain_errors
def outlets(node: str, folder: Path | None, path: str, campaign: str, channel: str) -> None:
    """See that every open outlet has a short link; print outlet and address, write QR codes as SVG."""
    aim, today = Aim(path, campaign, channel), _today()
    with runtime().service(Database).transaction() as session:
        codes = [one.code for one in verbs.outlets_of(session, node, _EVERYTHING)]
        new = verbs.for_outlets(session, aim, codes, node=node, by=None, today=today, now=clock.now())
        found = verbs.of_outlets(session, aim, codes, today)
    _write({code: _address(found[code].code) for code in codes}, folder)
    click.echo(
        _("%(count)s 个网点都有码了，其中新建 %(new)s 个。") % {"count": len(codes), "new": new}, err=True
    )


def _write(addresses: Mapping[str, str], folder: Path | None) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    for code, address in addresses.items():
        click.echo(f"{code}\t{address}")
        if folder is not None:
            (folder / f"{code}.svg").write_text(verbs.qr_svg(address), encoding="utf-8")


@links.command()
@click.option("--kind", type=click.Choice(list(KINDS.values())), default="visited", show_default=True)
@click.option("--piece", default="", metavar="KEY", help="Piece that it counts for.")
@click.option("--node", default="", metavar="CODE", help="Branch or outlet that it counts for.")
@_CAMPAIGN
@click.option("--channel", default="email", show_default=True, help="Channel of the report.")
@plain_errors
def pixel(kind: str, piece: str, node: str, campaign: str, channel: str) -> None:
    """Print the address of a 1-pixel picture that counts where it is shown (mail, pages without JavaScript)."""
    token = runtime().service(Attributions).sign(Attribution(campaign, node, channel))
    path = Pixels(runtime().service(Keys)).path(kind, PageKeys(piece, campaign, node), token)
    click.echo(runtime().service(Settings).public_url + path)
