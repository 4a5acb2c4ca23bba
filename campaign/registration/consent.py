"""The texts that people agree to when they register: each version stays, for the proof of what was agreed.

PIPL art. 14, 17: purpose, manner and kind of data in plain words before consent; art. 31: nothing about children
under 14 but their number.
"""

from core.i18n import mark

TEXTS = {
    "2026-11": mark(
        "我们只用您的姓名和手机号为这场活动留位、联系您和现场签到；活动结束 180 天后删除。不用于推销，不给别人。"
        "14 岁以下的小朋友只记人数。您随时可以用报名后的链接更改或取消。"
    ),
}
CURRENT = "2026-11"
