"""What a return can say by choice: forms, places, partners, materials, works. Keys are stored, words are shown."""

from core.i18n import mark
from tracking.dimensions import AUDIENCES, PLACES

OUTLET, ONLINE = "outlet", "online"
FORMS = {
    "lecture": mark("讲座"),
    "booth": mark("展台"),
    "visit": mark("走访"),
    "talk": mark("座谈"),
    "salon": mark("柜面微课堂"),
    "contest": mark("竞赛游园"),
    "livestream": mark("线上直播"),
    "other": mark("其他形式"),
}
ONLINE_FORMS = frozenset({"livestream"})
COURSES = frozenset({"lecture", "salon"})  # what campaigns count as 讲座、培训
# The five kinds of places that campaigns report, the outlet itself, and none at all.
WHERE = {**PLACES, OUTLET: mark("本网点"), ONLINE: mark("线上")}
GROUPS = AUDIENCES
PARTNERS = {
    "regulator": mark("监管部门"),
    "association": mark("行业协会"),
    "police": mark("公安"),
    "community": mark("社区、村居"),
    "school": mark("学校"),
    "bank": mark("银行同业"),
    "media": mark("媒体"),
    "other": mark("其他单位"),
}
MATERIALS = {
    "leaflet": mark("折页、单页"),
    "booklet": mark("手册、读本"),
    "poster": mark("海报、展板"),
    "gift": mark("宣传品"),
    "other": mark("其他资料"),
}
# What institutions are asked for after a campaign, each with its unit.
WORKS = {
    "wechat": (mark("微信发布、转发"), mark("条")),
    "weibo": (mark("微博发布、转发"), mark("条")),
    "video": (mark("原创短视频"), mark("件")),
    "original": (mark("其他原创作品"), mark("件")),
    "case": (mark("以案说险"), mark("篇")),
    "warning": (mark("风险提示"), mark("篇")),
    "press": (mark("媒体报道"), mark("篇")),
    "sms": (mark("公益短信"), mark("条")),
    "screen": (mark("LED、自助屏"), mark("块")),
}
