"""Which account may take over from another, and what the approval of a plan covers of it."""

from sqlmodel import Session, col, select

from campaign.addresses import kind_of
from campaign.contacts import EMAIL, SMS, WEBHOOK
from core.errors import Conflict, Invalid
from core.i18n import mark
from scheduler.channels import registry
from scheduler.models import ChannelAccount, Plan

# Addresses that are a person's own. A follower, a member, a device is known to one account only.
_PORTABLE = (EMAIL, SMS, WEBHOOK)


def allowed(channel: str) -> bool:
    """Whether accounts of this channel may have one that takes over."""
    return not registry.to_group(channel) and kind_of(channel) in _PORTABLE


def candidates(
    session: Session, channel: str, outlet_code: str, but: int | None = None
) -> list[ChannelAccount]:
    """Open accounts of the same node that reach the same kind of address."""
    if not allowed(channel):
        return []
    query = select(ChannelAccount).where(
        col(ChannelAccount.active).is_(True), ChannelAccount.outlet_code == outlet_code
    )
    kind = kind_of(channel)
    return [
        one
        for one in session.exec(query.order_by(col(ChannelAccount.name)))
        if one.id != but and allowed(one.channel) and kind_of(one.channel) == kind
    ]


def checked(
    session: Session, channel: str, outlet_code: str, failover_id: int | None, account: ChannelAccount | None
) -> int | None:
    """The account that takes over; Invalid when it cannot, or when it would lead back to this one; Conflict when this
    account moves away from those for which it stands in."""
    own = account.id if account else None
    if account is not None and account.outlet_code != outlet_code and stood_in_for(session, own):
        raise Conflict(mark("别的账号由这个账号接替，先取消接替，再改所属机构。"), field="outlet_code")
    if failover_id is None:
        return None
    kept = account is not None and (account.failover_id, account.outlet_code) == (failover_id, outlet_code)
    if not kept and failover_id not in [one.id for one in candidates(session, channel, outlet_code, own)]:
        raise Invalid(mark("接替账号须是同一机构、同一种地址、已启用的另一个账号。"), field="failover_id")
    seen, following = {own}, session.get(ChannelAccount, failover_id)
    while following is not None:
        if following.id in seen:
            raise Invalid(mark("这样会绕回这个账号自己，请另选一个接替账号。"), field="failover_id")
        seen.add(following.id)
        following = session.get(ChannelAccount, following.failover_id) if following.failover_id else None
    return failover_id


def stood_in_for(session: Session, account_id: int | None) -> list[int]:
    """The accounts for which this one stands in."""
    query = select(ChannelAccount.id).where(col(ChannelAccount.failover_id) == account_id)
    return [number for number in session.exec(query) if number is not None] if account_id else []


def of(session: Session, plan: Plan) -> ChannelAccount | None:
    """The account that takes over from the plan's own, if there is one."""
    account = session.get(ChannelAccount, plan.account_id) if plan.account_id else None
    return session.get(ChannelAccount, account.failover_id) if account and account.failover_id else None


def line(session: Session, plan: Plan) -> str:
    """Where the account leads that takes over; empty without one."""
    found = of(session, plan)
    return f"{found.channel} {found.line}" if found else ""


def check_template(session: Session, plan: Plan) -> None:
    """Invalid when the account that takes over sends by a template and the plan names none of its own."""
    found = of(session, plan)
    if found is not None and registry.get(found.channel).templated and not plan.failover_template:
        raise Invalid(
            mark(
                "账号不通时由“%(name)s”接替，它要用自己审核过的模板：请填写接替账号的模板编号，或请管理员取消接替。"
            ),
            field="failover_template",
            name=found.name,
        )
