"""A return as it was typed: every field read, every fault with its field; what is good is kept beside what is not."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from campaign.returns.words import (
    FORMS,
    GROUPS,
    MATERIALS,
    ONLINE,
    ONLINE_FORMS,
    PARTNERS,
    WHERE,
    WORKS,
)
from core.i18n import gettext as _
from core.i18n import mark

MOST = 1_000_000  # of anything that one activity can count
_TEXTS = {"theme": 120, "partner_names": 200, "note": 2000}
_TIME = re.compile(r"([01]?\d|2[0-3])[:：]([0-5]\d)")
_SEVERAL = ("partners", "audiences")
FIELDS = (
    "held_on", "starts", "ends", "form", "place", "campaign_code", "piece_key", "occurrence_id", "staff", "heads",
    "joined", *_TEXTS, *(f"audience_{key}" for key in GROUPS), *(f"material_{key}" for key in MATERIALS),
    *(f"work_{key}" for key in WORKS),
)  # fmt: skip
Typed = dict[str, Any]


@dataclass(slots=True)
class Read:
    """What could be read, by column of a version, and what is wrong, by field of the form."""

    values: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def wrong(self, name: str, message: str, **params: Any) -> None:
        """Note the first fault of a field."""
        self.faults.setdefault(name, _(message) % params if params else _(message))


@dataclass(frozen=True, slots=True)
class Known:
    """The keys that a return may name, and the day it is."""

    today: date
    campaigns: Collection[str] = ()
    pieces: Collection[str] = ()


def typed(form: Mapping[str, list[str]]) -> Typed:
    """What stood in the fields of a form, and nothing else that was sent."""
    found: Typed = {name: form[name][0][:4000] for name in FIELDS if form.get(name)}
    for name in _SEVERAL:
        found[name] = [one[:40] for one in form.get(name, [])][:40]
    return found


def read(what: Mapping[str, Any], known: Known) -> Read:
    """All fields of what was typed."""
    found = Read()
    _when(found, what, known)
    _what(found, what, known)
    for name, most in _TEXTS.items():
        text = str(what.get(name, "")).strip()
        if len(text) > most:
            found.wrong(name, mark("这一栏最多写 %(most)s 个字。"), most=most)
        found.values[name] = text[:most]
    partners = [one for one in what.get("partners", []) if one in PARTNERS]
    found.values["partners"] = partners
    _figures(found, what)
    _groups(found, what)
    return found


def _when(found: Read, what: Mapping[str, Any], known: Known) -> None:
    text = str(what.get("held_on", "")).strip()
    day = None
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        found.wrong("held_on", mark("日期请写成 2026-09-15。"))
    if not text:
        found.wrong("held_on", mark("请填活动日期。"))
    if day is not None and day > known.today:
        found.wrong("held_on", mark("活动日期在今天之后：办完再来报。"))
    if day is not None and day.year < 2000:
        found.wrong("held_on", mark("请核对活动日期的年份。"))
    found.values["held_on"] = day
    for name in ("starts", "ends"):
        clock = str(what.get(name, "")).strip()
        fits = _TIME.fullmatch(clock)
        if clock and not fits:
            found.wrong(name, mark("时间请写成 09:30。"))
        found.values[name] = f"{int(fits[1]):02d}:{fits[2]}" if fits else ""
    starts, ends = found.values["starts"], found.values["ends"]
    if starts and ends and ends <= starts:
        found.wrong("ends", mark("结束时间要晚于开始时间。"))


def _what(found: Read, what: Mapping[str, Any], known: Known) -> None:
    for name, choices, asked in (
        ("form", FORMS, mark("请选活动形式。")),
        ("place", WHERE, mark("请选在哪里办的。")),
    ):
        key = what.get(name, "")
        if key not in choices:
            found.wrong(name, asked)
        found.values[name] = key if key in choices else ""
    if found.values["form"] in ONLINE_FORMS and found.values["place"] not in ("", ONLINE):
        found.wrong("place", mark("线上直播的地点请选“线上”。"))
    for name, some, unknown in (
        ("campaign_code", known.campaigns, mark("没有这个活动期，请重新选。")),
        ("piece_key", known.pieces, mark("没有这篇内容，请重新选。")),
    ):
        key = str(what.get(name, "")).strip()
        if key and key not in some:
            found.wrong(name, unknown)
        found.values[name] = key if key in some else ""
    number = str(what.get("occurrence_id", "")).strip()
    found.values["occurrence_id"] = int(number) if number.isdecimal() and len(number) < 10 else None


def _figures(found: Read, what: Mapping[str, Any]) -> None:
    for name in ("staff", "heads", "joined"):
        found.values[name] = _number(found, what, name) or 0
    if not str(what.get("heads", "")).strip():
        found.wrong("heads", mark("请填到场人数；没有人到场填 0。"))
    if "staff" not in found.faults and not found.values["staff"]:
        found.wrong("staff", mark("请填投入的宣传人员，至少 1 人。"))
    for column, start, keys in (("materials", "material_", MATERIALS), ("works", "work_", WORKS)):
        numbers = {key: _number(found, what, f"{start}{key}") for key in keys}
        found.values[column] = {key: number for key, number in numbers.items() if number}


def _number(found: Read, what: Mapping[str, Any], name: str) -> int | None:
    """A count as people type it: full-width digits and thousands separators too. None when empty or wrong."""
    text = re.sub(r"[,，\s]", "", unicodedata.normalize("NFKC", str(what.get(name, ""))))
    if not text:
        return None
    if not re.fullmatch(r"\d+", text, re.ASCII):
        found.wrong(name, mark("请填整数，不带单位，不小于 0。"))
        return None
    if len(text) > 9 or int(text) > MOST:
        found.wrong(name, mark("一场活动的数量不会超过 %(most)s，请核对。"), most=f"{MOST:,}")
        return None
    return int(text)


def _groups(found: Read, what: Mapping[str, Any]) -> None:
    """The groups that were there: those ticked and those with a number; the numbers fit into the head count."""
    groups: dict[str, int | None] = {}
    for key in GROUPS:
        number = _number(found, what, f"audience_{key}")
        if key in what.get("audiences", []) or number:
            groups[key] = number
    found.values["audiences"] = groups
    told = sum(number or 0 for number in groups.values())
    if told > found.values["heads"] and "heads" not in found.faults:
        found.wrong("audiences", mark("各类人群加起来是 %(told)s 人，多过到场人数，请核对。"), told=told)
