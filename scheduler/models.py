"""Tables of the scheduler: accounts at channels, plans, their firings (pushes); the outbox is `outbox_models`."""

import hashlib
from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime
from core.i18n import mark
from scheduler.meant_models import PlanMeant, PushMeant
from scheduler.outbox_models import TROUBLE, Batch, Delivery

__all__ = [
    "APPROVAL_NAMES",
    "BATCH_NAMES",
    "DELIVERY_NAMES",
    "PLAN_NAMES",
    "PUSH_NAMES",
    "TROUBLE",
    "Batch",
    "BatchState",
    "ChannelAccount",
    "Delivery",
    "DeliveryState",
    "Plan",
    "PlanApproval",
    "PlanState",
    "Push",
    "PushState",
]


class PlanState(StrEnum):
    """The life of a plan."""

    draft = "draft"
    active = "active"
    paused = "paused"
    ended = "ended"


class PushState(StrEnum):
    """The life of one firing. `overtaken`: found too late, a person decides; `cutting`: not in batches yet."""

    overtaken = "overtaken"
    skipped = "skipped"
    cutting = "cutting"
    running = "running"
    paused = "paused"
    done = "done"
    cancelled = "cancelled"


class BatchState(StrEnum):
    """The life of a batch. `uncertain`: for some recipients only a person or a receipt can tell."""

    queued = "queued"
    claimed = "claimed"
    sent = "sent"
    partial = "partial"
    failed = "failed"
    uncertain = "uncertain"
    cancelled = "cancelled"


class DeliveryState(StrEnum):
    """The life of one recipient's row. `sending` is committed before the message is handed over."""

    queued = "queued"
    sending = "sending"
    sent = "sent"
    failed = "failed"
    refused = "refused"
    uncertain = "uncertain"
    cancelled = "cancelled"


class PlanApproval(StrEnum):
    """How the last request for approval stands, for lists; the guard is the approval of the plan's hash."""

    none = ""
    asked = "asked"
    approved = "approved"
    changes = "changes"
    rejected = "rejected"


PLAN_NAMES = {
    PlanState.draft: mark("草稿"),
    PlanState.active: mark("执行中"),
    PlanState.paused: mark("已暂停"),
    PlanState.ended: mark("已结束"),
}
APPROVAL_NAMES = {
    PlanApproval.none: mark("还没有提交审批"),
    PlanApproval.asked: mark("审批中"),
    PlanApproval.approved: mark("已批准"),
    PlanApproval.changes: mark("退回修改"),
    PlanApproval.rejected: mark("未批准"),
}
PUSH_NAMES = {
    PushState.overtaken: mark("已过时，待决定"),
    PushState.skipped: mark("已跳过"),
    PushState.cutting: mark("分批中"),
    PushState.running: mark("推送中"),
    PushState.paused: mark("已暂停"),
    PushState.done: mark("已完成"),
    PushState.cancelled: mark("已取消"),
}
BATCH_NAMES = {
    BatchState.queued: mark("待发送"),
    BatchState.claimed: mark("发送中"),
    BatchState.sent: mark("已送达"),
    BatchState.partial: mark("部分送达"),
    BatchState.failed: mark("失败"),
    BatchState.uncertain: mark("结果不明"),
    BatchState.cancelled: mark("已取消"),
}
DELIVERY_NAMES = {
    DeliveryState.queued: mark("待发送"),
    DeliveryState.sending: mark("发送中"),
    DeliveryState.sent: mark("已送达"),
    DeliveryState.failed: mark("失败"),
    DeliveryState.refused: mark("已退订，未发"),
    DeliveryState.uncertain: mark("结果不明"),
    DeliveryState.cancelled: mark("已取消"),
}


class ChannelAccount(SQLModel, table=True):
    """An account at a receiver: a webhook, a mail server, a platform. Plans at its node and below may use it.

    `options` are what a platform wants by its own names; `fingerprint` is a keyed hash of the secrets of a group's
    robot, whose secret alone says which group it posts into; `failover_id` is the account that takes over from it.

    Secrets are ciphertext and never shown again. Until `previous_until` a webhook is signed with the secret
    before as well. An empty `secret_sealed` of a webhook is the secret derived from its address, which
    receivers of the first releases hold.
    """

    __tablename__ = "channel_account"
    __table_args__ = (UniqueConstraint("outlet_code", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    channel: str = Field(max_length=16)
    name: str = Field(max_length=80)
    address: str = Field(max_length=500)
    port: int = 0
    tls: str = Field(default="", max_length=16)
    login: str = Field(default="", max_length=200)
    sender: str = Field(default="", max_length=200)
    options: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    fingerprint: str = Field(default="", max_length=16)
    secret_sealed: str = Field(default="", max_length=8000)
    previous_sealed: str = Field(default="", max_length=8000)
    previous_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    secret_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    active: bool = True
    failover_id: int | None = Field(default=None, foreign_key="channel_account.id")
    demo: bool = False
    outlet_code: str = Field(default="", max_length=32, index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)

    @property
    def line(self) -> str:
        """Where messages go and in whose name, in words: what an approval of a plan covers."""
        if self.channel == "email":
            return f"{self.sender} ← {self.login}@{self.address}:{self.port} {self.tls}"
        said = [f"{self.login}@{self.address}" if self.login else self.address, self.sender]
        said += [f"{name}={value}" for name, value in sorted(self.options.items()) if value]
        said += [f"#{self.fingerprint}"] if self.fingerprint else []
        text = " ".join(filter(None, said))
        return text if len(text) <= 500 else f"{text[:430]}… {hashlib.sha256(text.encode()).hexdigest()}"


class Plan(PlanMeant, table=True):
    """What goes out, to whom, on which channel, when. `first_at` is local time of the institution, without
    zone, because a recurrence means the same hour of the clock all year. Without `account_id` mail goes by
    the mail server of the settings; without `list_id` it goes into the group of its account. `parameters` fill the
    `template` that the platform approved: pairs of a name and a text with placeholders, in their order. `off_days`
    says what happens on weekends and holidays. `reason` says why it was stopped by itself."""

    __tablename__ = "push_plan"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80)
    piece_key: str = Field(default="", max_length=80)
    subject: str = Field(default="", max_length=200)
    body: str = Field(default="", max_length=5000)
    summary: str = Field(default="", max_length=300)
    template: str = Field(default="", max_length=100)
    failover_template: str = Field(default="", max_length=100)
    parameters: list[list[str]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    list_id: int | None = Field(default=None, foreign_key="contact_list.id")
    channel: str = Field(max_length=16)
    account_id: int | None = Field(default=None, foreign_key="channel_account.id", index=True)
    campaign: str = Field(default="", max_length=80)
    outlet_code: str = Field(default="", max_length=32, index=True)
    first_at: str = Field(max_length=16)
    rule: str = Field(default="", max_length=200)
    stale_hours: float = Field(default=6.0)
    off_days: str = Field(default="", max_length=16)
    state: str = Field(default=PlanState.draft, max_length=16)
    approval: str = Field(default=PlanApproval.none, max_length=16)
    reason: str = Field(default="", max_length=500)
    next_due_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    demo: bool = False
    created_by: int | None = Field(default=None, foreign_key="staff.id")
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class Push(PushMeant, table=True):
    """One firing of a plan, with a copy of what the plan said then; at most one per plan and moment.

    `target` is the line of its account when it fired: what was approved goes nowhere else. It is cut page by page:
    `cut_after` is the last contact that stands in a batch, `whole` says that nobody is left to cut, and until then
    `total` is an estimate. `tried` and `misses` count since it was started or resumed, for the stop on failures.
    """

    __tablename__ = "push"
    __table_args__ = (
        UniqueConstraint("plan_id", "due_at"),
        UniqueConstraint("plan_id", "after_id", name="push_follows_once"),
        Index("push_state", "state"),
    )

    id: int | None = Field(default=None, primary_key=True)
    plan_id: int = Field(foreign_key="push_plan.id")
    due_at: datetime = Field(sa_type=UtcDateTime)
    state: str = Field(max_length=16)
    reason: str = Field(default="", max_length=500)
    piece_key: str = Field(default="", max_length=80)
    subject: str = Field(default="", max_length=200)
    body: str = Field(default="", max_length=5000)
    summary: str = Field(default="", max_length=300)
    template: str = Field(default="", max_length=100)
    parameters: list[list[str]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    list_id: int | None = None
    channel: str = Field(max_length=16)
    outlet_code: str = Field(default="", max_length=32, index=True)
    account_id: int | None = Field(default=None, foreign_key="channel_account.id")
    target: str = Field(default="", max_length=500)
    campaign: str = Field(default="", max_length=80)
    total: int = 0
    no_address: int = 0
    no_consent: int = 0
    refused: int = 0
    capped: int = 0
    cut_after: int = 0
    whole: bool = False
    tried: int = 0
    misses: int = 0
    created_at: datetime = Field(sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
