"""Who counts besides us: the sources, how their files name columns, what their files leave unsaid, samples.

WeChat: the back office's export of single articles and the fields of `/datacube/getarticleread` and
`getarticleshare`. SMS: the daily summaries and the receipts of the vendors. One quantity is guessed per kind;
person-times (次数) before people (人数), because reach is person-times.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.errors import NotFound
from core.i18n import mark
from tracking.imports.fields import (
    CAMPAIGN,
    CHANNEL,
    COUNT,
    DAY,
    HEADINGS,
    KIND,
    OUTLET,
    PIECE,
    QUANTITY,
    RECEIPT,
    STATUS,
)

_VISITED, _SHARED, _COMPLETED = COUNT + "visited", COUNT + "shared", COUNT + "completed"


@dataclass(frozen=True, slots=True)
class Source:
    """A source: key, label, hint (msgids), its own headings by field (likeliest first), constants, a sample."""

    key: str
    label: str
    hint: str
    headings: Mapping[str, tuple[str, ...]]
    constants: Mapping[str, str]
    sample: Sequence[Sequence[str]] = field(default_factory=tuple)

    def words(self, name: str) -> tuple[str, ...]:
        """The headings that mean a field here: the source's own first, then everybody's."""
        return (*self.headings.get(name, ()), *HEADINGS.get(name, ()))


WECHAT = Source(
    "wechat",
    mark("微信图文统计"),
    mark("公众平台导出的单篇图文数据，或接口 getarticleread、getarticleshare 的结果。"),
    {
        PIECE: ("内容标题", "图文标题", "文章标题", "标题", "title", "msg_title"),
        DAY: ("发表时间", "发布日期", "ref_date"),
        _VISITED: ("阅读次数", "图文阅读次数", "总阅读次数", "int_page_read_count", "read_count", "reads",
                   "阅读人数", "总阅读人数", "read_user", "int_page_read_user"),
        _SHARED: ("分享次数", "分享转发次数", "总分享次数", "share_count", "分享人数", "总分享人数", "share_user"),
        _COMPLETED: ("读完人数", "阅读完成人数", "finished"),
        COUNT + "delivered": ("送达人数", "target_user"),
    },
    {CHANNEL: "wechat"},
    (
        ("日期", "内容标题", "阅读次数", "阅读人数", "分享次数"),
        ("2026-09-15", "full-surrender", "1520", "1204", "86"),
        ("2026-09-15", "ai-voice", "988", "803", "41"),
        ("2026-09-16", "full-surrender", "431", "390", "12"),
    ),
)  # fmt: skip
SMS = Source(
    "sms",
    mark("短信回执"),
    mark("供应商的每日汇总，或逐条回执（有回执编号与状态；请先删去手机号列）。"),
    {
        DAY: ("发送日期", "接收时间", "回执时间", "send_date", "report_time", "receive_date"),
        COUNT + "delivered": ("成功数", "送达成功", "发送成功", "接收成功", "成功条数", "success", "responded_success_count"),
        RECEIPT: ("回执编号", "回执id", "消息编号", "bizid", "serialno", "msgid", "message_id"),
        STATUS: ("状态", "回执状态", "发送状态", "status", "send_status", "report_status"),
    },
    {CHANNEL: "sms", KIND: "delivered"},
    (
        ("日期", "网点编号", "发送条数", "成功数"),
        ("2026-09-15", "33010601", "500", "487"),
        ("2026-09-15", "33010602", "320", "311"),
    ),
)  # fmt: skip
LIVESTREAM = Source(
    "livestream",
    mark("直播观看"),
    mark("直播平台的场次数据：观看人次、完整观看、分享、报名。"),
    {
        DAY: ("直播日期", "开播时间", "开播日期", "live_date", "start_time"),
        PIECE: ("主题编号",),
        _VISITED: ("观看人次", "观看次数", "累计观看", "views", "观看人数", "viewers", "uv"),
        _COMPLETED: ("完整观看人数", "看完人数", "完播人数"),
        COUNT + "engaged": ("互动人数", "评论人数"),
        COUNT + "attended": ("签到人数", "到场人数"),
    },
    {CHANNEL: "livestream"},
    (
        ("直播日期", "主题", "观看人次", "完整观看人数", "分享次数"),
        ("2026-09-16", "九月专场：远离非法集资", "23817", "6120", "905"),
    ),
)
APP = Source(
    "app",
    mark("App 统计"),
    mark("自有 App 的埋点统计：页面访问、读完、分享、推送送达。"),
    {
        PIECE: ("页面", "页面编号", "内容编号", "page", "page_key"),
        _VISITED: ("访问次数", "浏览次数", "pv", "访问人数", "uv"),
        _COMPLETED: ("读完次数", "阅读完成次数"),
        COUNT + "delivered": ("推送送达", "推送到达", "push_delivered"),
    },
    {CHANNEL: "app"},
    (
        ("日期", "页面", "访问次数", "读完次数", "分享次数"),
        ("2026-09-15", "full-surrender", "8420", "3106", "122"),
        ("2026-09-15", "human-help", "1035", "610", "4"),
    ),
)
SCREENS = Source(
    "screens",
    mark("柜面屏幕"),
    mark("柜面屏、自助终端的点播与取阅次数，按网点。"),
    {
        OUTLET: ("所属网点", "终端网点"),
        CAMPAIGN: ("宣传期",),
        _VISITED: ("点播次数", "触摸次数", "打开次数", "plays", "opens"),
        _COMPLETED: ("播完次数", "看完次数"),
        COUNT + "handed_out": ("取阅份数", "领取份数"),
    },
    {CHANNEL: "screen"},
    (
        ("日期", "网点编号", "内容", "点播次数", "看完次数"),
        ("2026-09-15", "33010601", "full-surrender", "64", "31"),
        ("2026-09-15", "33010602", "ai-voice", "52", "20"),
    ),
)
SOURCES: Mapping[str, Source] = {one.key: one for one in (WECHAT, SMS, LIVESTREAM, APP, SCREENS)}
COUNTED = (QUANTITY, *(name for name in HEADINGS if name.startswith(COUNT)))


def get(key: str) -> Source:
    """The source of this key, or NotFound."""
    if key not in SOURCES:
        raise NotFound(mark("没有“%(key)s”这种来源，请从列表里选。"), field="source", key=key)
    return SOURCES[key]
