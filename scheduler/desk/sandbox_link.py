"""The way from the desk to the sandbox's inbox, where something led there: only beside the demo institution."""

from sqlmodel import col, select

from core.http import reading, service
from core.settings import Settings
from scheduler.desk.routes import blueprint
from scheduler.models import ChannelAccount


@blueprint.app_template_global("sandbox_inbox")
def sandbox_inbox(account_id: int | None = None, channel: str = "") -> str:
    """The inbox's address, where the account (None: any) is one of the demo's; "" else."""
    port = service(Settings).sandbox_port
    query = select(ChannelAccount.id).where(col(ChannelAccount.demo))
    if account_id is not None:
        query = query.where(ChannelAccount.id == account_id)
    with reading() as session:
        found = port and session.exec(query.limit(1)).first() is not None
    if not found:
        return ""
    return f"http://127.0.0.1:{port}/" + (f"?app={channel}" if channel else "")
