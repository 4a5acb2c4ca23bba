"""Tables of the audience: contact lists, contacts (encrypted), consents, refusals; and the insert that yields."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, Session, SQLModel

from core.database import KEY_ALONE, UtcDateTime, inserting
from core.i18n import mark

EMAIL, WEBHOOK, SMS = "email", "webhook", "sms"
CHANNEL_NAMES = {
    EMAIL: mark("电子邮件"),
    WEBHOOK: mark("接口推送"),
    SMS: mark("短信"),
    "wechat": mark("微信公众号"),
    "wecom_app": mark("企业微信应用"),
    "jpush": mark("极光推送"),
    "getui": mark("个推"),
    "webpush": mark("浏览器推送"),
}
EDUCATION, SERVICE, MARKETING = "education", "service", "marketing"
PURPOSE_NAMES = {
    EDUCATION: mark("金融教育宣传"),
    SERVICE: mark("服务通知"),
    MARKETING: mark("产品与活动推广"),
}
# Within education: the letters of the diary, which somebody may leave alone. Whoever agreed to education agreed to them.
DIARY = f"{EDUCATION}.diary"


def levels(purpose: str) -> tuple[str, ...]:
    """What a purpose stands in, the widest first: people agree to the first, and may refuse each."""
    return tuple(dict.fromkeys((purpose.partition(".")[0], purpose)))


class ContactList(SQLModel, table=True):
    """A named list of people who agreed to be written to; a name is used once in each node of the tree."""

    __tablename__ = "contact_list"
    __table_args__ = (UniqueConstraint("outlet_code", "name", name="contact_list_name"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80)
    outlet_code: str = Field(default="", max_length=32, index=True)
    demo: bool = False
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class Contact(SQLModel, table=True):
    """A person. `*_sealed` is ciphertext, `*_index` the keyed hash that finds it; `identity` is the hash of
    the first address the person has (e-mail, webhook id, phone), so that importing again finds the row.

    `holder_code` is the node whose lists hold this row ("" the whole institution): each part of the tree keeps
    a row of its own, so that none sees or changes what another knows. `outlet_code` is the outlet that serves
    the person, for whom reach counts.
    """

    __tablename__ = "contact"
    __table_args__ = (
        UniqueConstraint("holder_code", "identity", name="contact_identity"),
        Index("ix_contact_segment", "holder_code", "province", "language"),
    )

    id: int | None = Field(default=None, primary_key=True)
    identity: str = Field(max_length=64)
    holder_code: str = Field(default="", max_length=32)
    name_sealed: str = Field(default="", max_length=500)
    email_sealed: str = Field(default="", max_length=700)
    email_index: str | None = Field(default=None, max_length=64, index=True)
    phone_sealed: str = Field(default="", max_length=500)
    phone_index: str | None = Field(default=None, max_length=64, index=True)
    webhook_sealed: str = Field(default="", max_length=500)
    webhook_index: str | None = Field(default=None, max_length=64, index=True)
    outlet_code: str = Field(default="", max_length=32, index=True)
    province: str = Field(default="", max_length=40)
    language: str = Field(default="", max_length=8)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class ContactMember(SQLModel, table=True):
    """A contact stands in a list."""

    __tablename__ = "contact_member"
    __table_args__ = (KEY_ALONE,)

    list_id: int = Field(foreign_key="contact_list.id", primary_key=True)
    contact_id: int = Field(foreign_key="contact.id", primary_key=True, index=True)


class Consent(SQLModel, table=True):
    """The proof that a person agreed to one channel for one purpose: when, where, to which text.

    The constraint's index finds those of a contact.
    """

    __tablename__ = "consent"
    __table_args__ = (UniqueConstraint("contact_id", "channel", "purpose", "given_at"),)

    id: int | None = Field(default=None, primary_key=True)
    contact_id: int = Field(foreign_key="contact.id")
    channel: str = Field(max_length=16)
    purpose: str = Field(max_length=40)
    given_at: datetime = Field(sa_type=UtcDateTime)
    source: str = Field(max_length=200)
    text_version: str = Field(default="", max_length=60)
    recorded_at: datetime = Field(sa_type=UtcDateTime)


class Refusal(SQLModel, table=True):
    """An address that said no on a channel. Kept by hash alone, so it outlives the contact and any import."""

    __tablename__ = "refusal"

    channel: str = Field(max_length=16, primary_key=True)
    address_index: str = Field(max_length=64, primary_key=True)
    refused_at: datetime = Field(sa_type=UtcDateTime)
    via: str = Field(max_length=40)


class FormerIndex(SQLModel, table=True):
    """An index by which an address was known under an older key: letters sent then still carry it.

    It leads to the index that stands now, and goes when the person's data goes.
    """

    __tablename__ = "former_index"

    former: str = Field(primary_key=True, max_length=64)
    current: str = Field(max_length=64, index=True)
    moved_at: datetime = Field(sa_type=UtcDateTime)


def put_unless_there(session: Session, one: Contact | ContactList, *key: str) -> int | None:
    """Insert a row unless one with the same key is there, also of somebody in the same moment; its number, or None."""
    made = inserting(session.get_bind().dialect)(type(one)).values(one.model_dump(exclude={"id"}))
    made = made.on_conflict_do_nothing(index_elements=key).returning(type(one).id)
    number: int | None = session.execute(made).scalar()
    return number
