"""What of campaigns, bases and halls shows a piece: for who is about to take it down. All of it reads what is published,
so that nothing has to be stopped here."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, func, select

from campaign.base.models import EducationBase, HallScreen
from campaign.models import Campaign, CampaignPiece
from campaign.play_sessions.models import PlaySession
from content.off_site.withdrawing import Concern
from core.i18n import gettext as _


def concerned(session: Session, key: str, now: datetime) -> list[Concern]:
    """Campaigns, shelves, screens in halls and rooms in play, each with what happens to it."""
    return [
        *_campaigns(session, key),
        *_shelves(session, key),
        *_screens(session),
        *_sessions(session, key, now),
    ]


def heroes(session: Session) -> Iterable[str]:
    """The files of the pictures of campaigns."""
    for url in session.exec(select(Campaign.hero_url).where(Campaign.hero_url != "")):
        yield url.rsplit("/", 1)[-1]


def _campaigns(session: Session, key: str) -> list[Concern]:
    query = (
        select(Campaign)
        .join(CampaignPiece, col(CampaignPiece.campaign_code) == col(Campaign.code))
        .where(CampaignPiece.piece_key == key)
    )
    return [
        Concern(_("活动期：%(name)s", name=one.name), _("不再列出这一篇"), f"/desk/campaigns/{one.code}")
        for one in session.exec(query.order_by(col(Campaign.code)))
    ]


def _shelves(session: Session, key: str) -> list[Concern]:
    shelves = session.exec(select(EducationBase.shelf)).all()
    count = sum(key in shelf for shelf in shelves)
    if not count:
        return []
    return [Concern(_("基地书架 %(count)s 个", count=count), _("不再列出这一篇"), "/desk/base")]


def _screens(session: Session) -> list[Concern]:
    paired = select(func.count()).where(col(HallScreen.key_hash).is_not(None))
    count = session.exec(paired).one()
    if not count:
        return []
    what = _("联网的 30 秒内不再播放；断网的，一联网就不再播放")
    return [Concern(_("大堂屏幕 %(count)s 块", count=count), what, "/desk/base")]


def _sessions(session: Session, key: str, now: datetime) -> list[Concern]:
    under_way = select(func.count()).where(
        PlaySession.piece_key == key, col(PlaySession.ended_at).is_(None), col(PlaySession.closes_at) > now
    )
    count = session.exec(under_way).one()
    if not count:
        return []
    return [Concern(_("一起玩的场次 %(count)s 场", count=count), _("不能再玩，已得的分数保留"), "/desk/play")]
