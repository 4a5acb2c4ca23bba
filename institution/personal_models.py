"""Table of requests for what is held about a person."""

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, Column
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime
from core.i18n import mark

EXPORT, ERASE = "export", "erase"
PHONE, EMAIL = "phone", "email"
WAITING, READY, DONE, REJECTED, WITHDRAWN, LAPSED = (
    "waiting", "ready", "done", "rejected", "withdrawn", "lapsed",
)  # fmt: skip
WISH_NAMES = {EXPORT: mark("导出个人信息"), ERASE: mark("删除个人信息")}
ADDRESS_NAMES = {PHONE: mark("手机号"), EMAIL: mark("电子邮箱"), "webhook": mark("接口标识")}
STATE_NAMES = {
    WAITING: mark("待审批"),
    READY: mark("可以下载"),
    DONE: mark("已办结"),
    REJECTED: mark("未批准"),
    WITHDRAWN: mark("已撤回"),
    LAPSED: mark("过期未下载"),
}


class PrivacyRequest(SQLModel, table=True):
    """A wish to see or to erase what is held under an address, which stands here only masked and as hashes.

    `lookups` are the blind indexes of the address under every key; `fingerprint` is what the approval names;
    `found` says by holder how many rows the decision was about, and no more.
    """

    __tablename__ = "privacy_request"
    __table_args__ = (CheckConstraint("kind IN ('export', 'erase')", name="privacy_kind"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=8)
    address_kind: str = Field(max_length=8)
    masked: str = Field(max_length=120)
    lookups: list[str] = Field(sa_column=Column(JSON, nullable=False))
    fingerprint: str = Field(max_length=64)
    reason: str = Field(max_length=500)
    evidence: str = Field(max_length=200)
    outlet_code: str = Field(default="", max_length=32, index=True)
    requested_by: int = Field(foreign_key="staff.id", index=True)
    requested_at: datetime = Field(sa_type=UtcDateTime)
    approval_id: int | None = Field(default=None, foreign_key="approval.id")
    state: str = Field(max_length=16, index=True)
    found: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ready_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
