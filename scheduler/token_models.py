"""The table of access tokens that all workers share."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class ChannelToken(SQLModel, table=True):
    """The token of one account at its platform, sealed. `round` counts the tokens there were, so that who saw an old
    one cannot replace a new one; `owner` fetches the next one, which is believed until `lease_until`."""

    __tablename__ = "channel_token"

    account: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    sealed: str = Field(default="", max_length=4000)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    round: int = 0
    owner: str = Field(default="", max_length=32)
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
