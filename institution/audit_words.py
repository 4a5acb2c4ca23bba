"""What an audit record says, in words: kinds of things, fields, values, and where the thing is to be seen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from core.i18n import gettext, mark
from institution import approval_kinds, audit
from institution.audit_models import AuditRecord
from institution.models import OUTLET_KIND_NAMES
from institution.outlet_files import LABELS
from institution.outlet_plan import SORTS

audit.declare({"audit.export": mark("导出操作记录")})

KINDS: dict[str, str] = {
    "approval": mark("审批"),
    "audit": mark("操作记录"),
    "base": mark("教育宣传基地"),
    "campaign": mark("活动期"),
    "channel": mark("渠道账号"),
    "contact": mark("联系人"),
    "event": mark("系列活动"),
    "occurrence": mark("场次"),
    "registration": mark("报名"),
    "link": mark("短链接"),
    "list": mark("名单"),
    "outlet": mark("网点"),
    "path": mark("审批流程"),
    "piece": mark("内容"),
    "plan": mark("推送计划"),
    "plaques": mark("铜牌文件"),
    "posters": mark("各网点的长图"),
    "privacy": mark("个人信息"),
    "push": mark("推送"),
    "reach": mark("触达"),
    "refusal": mark("拒收"),
    "report": mark("定期报告"),
    "screen": mark("大堂屏幕"),
    "staff": mark("账号"),
    "stand_in": mark("代审"),
    "token": mark("接口令牌"),
}
# Where a thing of a kind is seen on the desk; {} is the record's subject.
PLACES: dict[str, str] = {
    "approval": "/desk/approvals/{}",
    "base": "/desk/base/{}",
    "campaign": "/desk/campaigns/{}",
    "channel": "/desk/channels/{}",
    "event": "/desk/events/series/{}",
    "occurrence": "/desk/events/o/{}",
    "registration": "/desk/events/r/{}",
    "link": "/desk/links?q={}",
    "list": "/desk/audience/{}",
    "outlet": "/desk/outlets/{}",
    "path": "/desk/approvals/paths",
    "piece": "/desk/pieces/{}",
    "plan": "/desk/plans/{}",
    "plaques": "/desk/base/plaques/{}",
    "posters": "/desk/posters/{}",
    "privacy": "/desk/privacy/{}",
    "push": "/desk/pushes/{}",
    "report": "/desk/reach/reports/{}",
    "staff": "/desk/staff?q={}",
    "stand_in": "/desk/approvals/stand-ins",
    "token": "/desk/api-tokens",
}
_NUMBERED = frozenset(
    {
        "approval",
        "channel",
        "list",
        "occurrence",
        "plan",
        "plaques",
        "posters",
        "privacy",
        "push",
        "registration",
        "report",
    }
)
FIELDS: dict[str, str] = {
    **LABELS,
    **SORTS,
    "absent": mark("不在的人"),
    "active": mark("启用"),
    "as_of": mark("变更日期"),
    "bad": mark("有错的行"),
    "by": mark("决定人"),
    "changed": mark("修改"),
    "changes": mark("逐项变化"),
    "channel": mark("渠道"),
    "count": mark("数量"),
    "created": mark("新增"),
    "decision": mark("决定"),
    "facilities": mark("无障碍设施"),
    "facilities_text": mark("设施说明"),
    "facilities_text_en": mark("设施说明（英文）"),
    "services": mark("服务项目"),
    "services_text": mark("服务说明"),
    "services_text_en": mark("服务说明（英文）"),
    "shelf": mark("书架"),
    "due_at": mark("期限"),
    "due_days": mark("期限（天）"),
    "email": mark("邮箱"),
    "ended_at": mark("结束时间"),
    "ends_on": mark("结束日期"),
    "erased": mark("已删除"),
    "file_sha256": mark("文件指纹"),
    "filter": mark("筛选条件"),
    "final": mark("最后一步"),
    "for": mark("代谁"),
    "form": mark("格式"),
    "from": mark("从"),
    "grants": mark("角色与范围"),
    "guest": mark("外部人员"),
    "hash": mark("内容指纹"),
    "login": mark("登录名"),
    "more": mark("未列出的"),
    "number": mark("版本"),
    "opinion": mark("意见"),
    "outlet_code": mark("所属机构"),
    "pieces": mark("内容"),
    "port": mark("端口"),
    "purposes": mark("用途"),
    "recipients": mark("收件人"),
    "roles": mark("角色"),
    "rows": mark("行数"),
    "sender": mark("发件人"),
    "sessions": mark("登录的设备"),
    "stand_in": mark("代审"),
    "new_list": mark("新名单"),
    "piece_key": mark("内容"),
    "starts_on": mark("开始日期"),
    "state": mark("状态"),
    "step": mark("第几步"),
    "steps": mark("步骤"),
    "subject": mark("主题"),
    "thing": mark("对象"),
    "title": mark("标题"),
    "to": mark("到"),
    "unchanged": mark("不变"),
    "until": mark("有效期至"),
    "approval": mark("报名要审核"),
    "capacity": mark("名额"),
    "closes_minutes": mark("开始前几分钟截止"),
    "first_on": mark("从哪天起"),
    "host": mark("主讲"),
    "last_on": mark("到哪天止"),
    "live_url": mark("直播链接"),
    "minutes": mark("时长（分钟）"),
    "offer_hours": mark("候补确认时限（小时）"),
    "on_holidays": mark("节假日照办"),
    "opens_days": mark("提前几天开放报名"),
    "party_most": mark("一次最多几人"),
    "place": mark("具体地点"),
    "plain": mark("含联系方式"),
    "questions": mark("要问的问题"),
    "reason": mark("原因"),
    "replay_url": mark("回放链接"),
    "rule": mark("重复"),
    "size": mark("人数"),
    "starts_at": mark("几点开始"),
    "summary": mark("一段话"),
    "theme": mark("主题色"),
    "topic": mark("主题"),
    "visible": mark("在网站上显示"),
    "waiting": mark("满了可候补"),
}
_DECISIONS = {
    "approved": mark("通过"),
    "changes": mark("退回修改"),
    "rejected": mark("不通过"),
    "withdrawn": mark("撤回"),
}
_LISTED = 200
_FIRST = ("title", "name", "state", "decision")  # what a line in the list tells before anything else


@dataclass(frozen=True, slots=True)
class Difference:
    """One field before and after, in words."""

    name: str
    label: str
    before: str
    after: str


def action(one: AuditRecord) -> str:
    """What was done."""
    return gettext(audit.ACTIONS.get(one.action, "")) or one.action


def actions() -> list[tuple[str, str]]:
    """All actions there are, (name, word), by word."""
    return sorted(((name, gettext(word)) for name, word in audit.ACTIONS.items()), key=lambda each: each[1])


def kind(name: str) -> str:
    """A kind of thing."""
    return gettext(KINDS[name]) if name in KINDS else name


def kinds() -> list[tuple[str, str]]:
    """The kinds of things, (name, word)."""
    return [(name, gettext(word)) for name, word in KINDS.items()]


def via(one: AuditRecord) -> str:
    """By which way it came: desk, command line …"""
    return gettext(audit.VIA_NAMES.get(one.via, "")) or one.via


def href(one: AuditRecord) -> str:
    """Where the thing is seen; empty when it has no page of its own."""
    place = PLACES.get(one.kind, "")
    if not place or not one.subject or (one.kind in _NUMBERED and not one.subject.isdigit()):
        return ""
    return place.format(quote(one.subject, safe=""))


def who(one: AuditRecord) -> str:
    """Who did it; the product itself is named in words."""
    return via(one) if one.via == "job" and one.actor_id is None else one.actor


def differences(one: AuditRecord) -> list[Difference]:
    """Before and after, field by field; only what differs was kept."""
    names = list(dict.fromkeys([*one.before, *one.after]))
    return [
        Difference(name, label(one, name), value(one, one.before, name), value(one, one.after, name))
        for name in names
    ]


def label(one: AuditRecord, name: str) -> str:
    """A field's name."""
    if name == "kind" and one.kind != "outlet":
        return gettext("类型")
    return gettext(FIELDS[name]) if name in FIELDS else name


def value(one: AuditRecord, values: Mapping[str, Any], name: str) -> str:
    """A field's value as a person reads it; empty where the field is missing or holds nothing."""
    found = values.get(name)
    if one.kind == "outlet" and name == "kind" and found in OUTLET_KIND_NAMES:
        return gettext(OUTLET_KIND_NAMES[found])
    if one.kind == "approval" and name == "kind" and found in approval_kinds.KINDS:
        return gettext(approval_kinds.KINDS[found].label)
    if name == "decision":
        return gettext(_DECISIONS.get(str(found), "")) or _text(found)
    return _text(found)


def _text(found: Any) -> str:
    if found is None or found == "":
        return ""
    if isinstance(found, bool):
        return gettext("是") if found else gettext("否")
    if isinstance(found, list) and all(not isinstance(each, (list, dict)) for each in found):
        return _listed([_text(each) for each in found])
    if isinstance(found, (list, dict)):
        return json.dumps(found, ensure_ascii=False, indent=1)
    return str(found)


def _listed(texts: list[str]) -> str:
    """A short list in one line, a long one line by line, a very long one from its beginning."""
    if len(texts) <= 6 and sum(map(len, texts)) < 60:
        return gettext("、").join(texts)
    rest = len(texts) - _LISTED
    more = [gettext("……另有 %(count)s 项，请导出查看。") % {"count": rest}] if rest > 0 else []
    return "\n".join([*texts[:_LISTED], *more])


def summary(one: AuditRecord, *, most: int = 2) -> str:
    """The first differences in one line, for a list."""
    lines = []
    told = [each for each in differences(one) if each.before or each.after]
    for each in sorted(told, key=lambda each: each.name not in _FIRST)[:most]:
        was, now = _short(each.before), _short(each.after)
        said = f"{was} → {now}" if was and now else now or (f"{was} → ∅" if was else "∅")
        lines.append(gettext("%(field)s：%(value)s") % {"field": each.label, "value": said})
    return gettext("；").join(lines) or _short(one.note)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:39] + "…"
