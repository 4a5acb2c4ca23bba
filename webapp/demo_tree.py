"""The demo institution's tree: real places, invented outlets. Pure: the same data gives the same tree.

Provinces, cities and counties are real (GB/T 2260); streets, house numbers, telephone and plaque numbers are
made up. The area code 000 does not exist, so that no number belongs to anybody.
"""

import csv
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from institution import timeline
from institution.timeline import Step

GEOGRAPHY = Path(__file__).resolve().parent / "starter" / "geography.csv"
HEAD_OFFICE = "100000"
OUTLETS = 2_500
_SEED = 20_231_228
_PEOPLES = re.compile(
    "朝鲜族|土家族|苗族|藏族|羌族|彝族|布依族|侗族|哈尼族|壮族|傣族|白族|景颇族|傈僳族|回族|蒙古族|蒙古|柯尔克孜|哈萨克"
)
_FIRST = "望听云松竹桐枫兰荷梧晴清和安乐长春福康宁永锦知若"
_SECOND = "舒涛栖泉溪湾桥亭台岚屏浦渡洲园坊里泽源岭"
_STREETS = ("路", "街", "路", "大道", "路", "巷")
_HOURS = ("周一至周五 8:30–17:00", "周一至周五 9:00–17:00", "周一至周六 9:00–17:00", "周一至周日 9:00–16:30")
_CLOSED, _OPENED, _RENAMED, _MOVED = 26, 44, 30, 12


@dataclass(slots=True)
class Place:
    """A line of the geography: a province, a city, or a municipality that is both."""

    code: str
    name: str
    short: str
    longitude: float
    latitude: float
    weight: float
    counties: list[str]


@dataclass(slots=True)
class Planned:
    """One node to be made: its columns, its history, and how much of the reach it has."""

    values: dict[str, Any]
    steps: list[Step] = field(default_factory=list)
    weight: float = 0.0


def places() -> list[Place]:
    """All lines of the geography, in the order of their codes."""
    with GEOGRAPHY.open(encoding="utf-8", newline="") as file:
        return [
            Place(
                row["code"], row["name"], row["short"],
                float(row["longitude"] or 0), float(row["latitude"] or 0), float(row["weight"] or 0),
                row["counties"].split(),
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip


def tree(outlets: int = OUTLETS) -> list[Planned]:
    """Head office, provincial branches, cities (in municipalities: districts) and `outlets` outlets."""
    luck = random.Random(_SEED)  # noqa: S311  (invented data, always the same)
    lines = places()
    nodes = [_head_office()]
    served = [place for place in lines if place.counties]
    shares = dict(
        zip((place.code for place in served), _shares([p.weight**0.8 for p in served], outlets), strict=True)
    )
    province = lines[0]
    found: list[Planned] = []
    for place in lines:
        if place.code.endswith("0000"):
            province = place
            nodes.append(_province(place, lines))
        if place.counties:
            branches = _branches(province, place)
            nodes += branches
            found += _outlets(province, place, branches, shares[place.code], luck)
    _live(found, luck)
    return nodes + found


def _head_office() -> Planned:
    return _node(HEAD_OFFICE, "示范人寿保险总公司", "head_office", None, longitude=116.36, latitude=39.92)


def _province(place: Place, lines: Sequence[Place]) -> Planned:
    name = place.short if place.name.endswith("自治区") else place.name
    seat = place if place.longitude else next(one for one in lines if one.code == f"{place.code[:2]}0100")
    return _node(
        place.code, f"{name}分公司", "province", HEAD_OFFICE,
        province=place.name, longitude=seat.longitude, latitude=seat.latitude,
    )  # fmt: skip


def _branches(province: Place, place: Place) -> list[Planned]:
    """The city's branch; in a municipality one branch for each district."""
    where = {"province": province.name, "city": place.name}
    if place is not province:
        name = _PEOPLES.sub("", place.name).replace("自治州", "州")
        spot = {"longitude": place.longitude, "latitude": place.latitude}
        return [_node(place.code, f"{name}分公司", "city", province.code, **where, **spot)]
    found = []
    for text in place.counties:
        name, _, number = text.partition("=")
        code = f"{place.code[:2]}{'02' if name.endswith('县') else '01'}{number}"
        found.append(_node(code, f"{short_name(name)}支公司", "county", province.code, **where, county=name))
    return found


def short_name(county: str) -> str:
    """西湖区 → 西湖; 东区 stays 东区, so that a name is never a single character."""
    name = re.sub(
        r"(各族|满族|蒙古族|土家族|苗族|傣族|彝族|拉祜族|回族|瑶族|哈萨克|土族)+自治县$", "", county
    )
    name = re.sub(r"(经济开发区|新区|区|县|市|镇|街道|左旗|旗)$", "", name) if name == county else name
    return name if len(name) > 1 else county


def _outlets(
    province: Place, place: Place, branches: Sequence[Planned], count: int, luck: random.Random
) -> Iterator[Planned]:
    used: set[str] = set()
    for number in range(count):
        at = number % len(place.counties)
        county = place.counties[at].partition("=")[0]
        parent = branches[at if len(branches) > 1 else 0].values["code"]
        prefix = parent if len(branches) > 1 else f"{place.code[:4]}{at + 1:02d}"
        street = _street(luck, used)
        spread = 0.06 if number < len(place.counties) else 0.22
        steps_from = date(luck.randint(1998, 2018), luck.randint(1, 12), luck.randint(1, 28))
        yield Planned(
            _values(
                f"{prefix}{number // len(place.counties) + 1:02d}",
                f"{short_name(county)}{street}柜面", "outlet", parent,
                province=province.name, city=place.name, county=county,
                address=f"{'' if place is province else province.name}{place.name}{county}{street} {luck.randint(1, 398)} 号",
                longitude=round(place.longitude + luck.uniform(-spread, spread), 4),
                latitude=round(place.latitude + luck.uniform(-spread, spread), 4),
                phone=f"000-5550-{luck.randint(0, 9999):04d}", hours=luck.choice(_HOURS), open_on=steps_from,
            ),
            weight=round(luck.lognormvariate(0, 0.5) * (1.6 if at < 3 else 1.0) * (place.weight / 420) ** 0.25, 4),
        )  # fmt: skip


def _street(luck: random.Random, used: set[str]) -> str:
    while True:
        street = luck.choice(_FIRST) + luck.choice(_SECOND) + luck.choice(_STREETS)
        if street not in used:
            used.add(street)
            return street


def _live(found: list[Planned], luck: random.Random) -> None:
    """Plaques, then what happened in 2022 and 2023: some opened, closed, were renamed or moved."""
    lots = luck.sample(range(len(found)), min(len(found), _CLOSED + _OPENED + _RENAMED + _MOVED))
    closed, opened = set(lots[:_CLOSED]), set(lots[_CLOSED : _CLOSED + _OPENED])
    renamed, moved = lots[_CLOSED + _OPENED :][:_RENAMED], lots[_CLOSED + _OPENED + _RENAMED :]
    for number, each in enumerate(found):
        values = each.values
        if number in opened:
            values["open_on"] = _day(luck, date(2022, 2, 1), 650)
        hung = (
            _day(luck, date(2021, 3, 1), 280) if number not in opened else values["open_on"] + timedelta(21)
        )
        values["plaque_on"] = hung
        values["plaque_number"] = f"消保基地-{values['code'][:2]}-{number + 1:04d}"
        if number in closed:
            values["closed_on"] = _day(luck, date(2022, 6, 1), 540)
        each.steps = [_first(values)]
        if values["closed_on"]:
            each.steps = timeline.closed(each.steps, None, values["closed_on"], values["closed_on"])
    _rename([found[number] for number in renamed], luck)
    _move([found[number] for number in moved], found, luck)


def _rename(chosen: Sequence[Planned], luck: random.Random) -> None:
    for each in chosen:
        now = each.values["name"]
        each.steps[0] = Step(
            each.steps[0].since, now.replace("柜面", "营业部"), "outlet", each.values["parent_code"]
        )
        each.steps = timeline.renamed(
            each.steps, _day(luck, date(2022, 9, 1), 420), now, "outlet", each.values["parent_code"]
        )


def _move(chosen: Sequence[Planned], found: Sequence[Planned], luck: random.Random) -> None:
    """Outlets of a municipality that belonged to the branch of another district before."""
    districts = sorted(
        {each.values["parent_code"] for each in found if each.values["parent_code"][2:4] in ("01", "02")}
    )
    inner = [each for each in found if each.values["parent_code"] in districts and len(each.steps) == 1]
    for each in luck.sample(inner, min(len(chosen), len(inner))):
        parent = each.values["parent_code"]
        near = [code for code in districts if code[:2] == parent[:2] and code != parent]
        if near:
            first = each.steps[0]
            each.steps = [Step(first.since, first.name, "outlet", luck.choice(near))]
            each.steps = timeline.renamed(
                each.steps, _day(luck, date(2022, 7, 1), 480), first.name, "outlet", parent
            )


def _day(luck: random.Random, first: date, days: int) -> date:
    return first + timedelta(luck.randint(0, days))


def _shares(weights: Sequence[float], total: int) -> list[int]:
    """`total` by largest remainder, at least 1 each."""
    whole = sum(weights)
    spare = total - len(weights)
    exact = [weight / whole * spare for weight in weights]
    parts = [int(each) for each in exact]
    most = sorted(range(len(exact)), key=lambda at: exact[at] - parts[at], reverse=True)
    for at in most[: spare - sum(parts)]:
        parts[at] += 1
    return [1 + part for part in parts]


def _node(code: str, name: str, kind: str, parent: str | None, **more: Any) -> Planned:
    values = _values(code, name, kind, parent, **more)
    return Planned(values, [_first(values)])


def _first(values: dict[str, Any]) -> Step:
    return Step(
        values["open_on"] or timeline.BEGINNING, values["name"], values["kind"], values["parent_code"]
    )


def _values(code: str, name: str, kind: str, parent: str | None, **more: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "province": "", "city": "", "county": "", "address": "", "longitude": None, "latitude": None,
        "phone": "", "hours": "", "plaque_number": "", "plaque_on": None, "open_on": None, "closed_on": None,
    }  # fmt: skip
    return {"code": code, "name": name, "kind": kind, "parent_code": parent} | empty | more
