"""Rules that hold between the nodes of the tree: codes, parents, levels, one head office, no circles."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.i18n import gettext, mark
from institution.models import OUTLET_KIND_NAMES, Outlet, OutletKind
from institution.outlet_rows import Draft, Fault
from institution.outlets import LEVELS


@dataclass(frozen=True, slots=True)
class Node:
    """A node as it would stand: its level and parent."""

    kind: str
    parent: str | None


def duplicates(drafts: Iterable[Draft]) -> list[Fault]:
    """A fault for every row whose code stands in another row too."""
    drafts = list(drafts)
    counts = Counter(each.code for each in drafts if each.code)
    rows: dict[str, list[int]] = {}
    for each in drafts:
        rows.setdefault(each.code, []).append(each.row.number)
    return [
        Fault(
            each.row.number,
            "code",
            mark("编号 %(code)s 与第 %(other)s 行重复，一个编号只能有一行。"),
            {"code": each.code, "other": next(row for row in rows[each.code] if row != each.row.number)},
        )
        for each in drafts
        if counts[each.code] > 1
    ]


def standing(drafts: Iterable[Draft], existing: Mapping[str, Outlet]) -> dict[str, Node]:
    """The tree as it would stand with these rows applied."""
    nodes = {code: Node(outlet.kind, outlet.parent_code) for code, outlet in existing.items()}
    for each in drafts:
        was = nodes.get(each.code, Node("", None))
        kind = each.values.get("kind", was.kind)
        nodes[each.code] = Node(kind, each.values.get("parent_code", was.parent))
    return nodes


def check(
    drafts: list[Draft], existing: Mapping[str, Outlet], refused: set[str], spared: set[str]
) -> list[Fault]:
    """The faults of these rows against each other and the tree.

    `refused`: codes of rows that will not be applied, `spared`: codes of faulty rows that are reported
    already, so that a row under one of them is not reported as well.
    """
    nodes = standing(drafts, existing)
    rings = circles(nodes)
    below: dict[str, list[str]] = {}
    for code, node in nodes.items():
        if node.parent:
            below.setdefault(node.parent, []).append(code)
    heads = sorted(code for code, node in nodes.items() if node.kind == OutletKind.head_office)
    faults: list[Fault] = []
    for each in drafts:
        fault = (
            _kind_fault(each, nodes)
            or _parent_fault(each, nodes, refused, spared)
            or _ring_fault(each, rings)
            or _head_fault(each, nodes, heads, existing)
            or _level_fault(each, nodes, below.get(each.code, []))
        )
        if fault:
            faults.append(Fault(each.row.number, *fault))
    return faults


def orphans(drafts: Iterable[Draft], known: set[str]) -> list[Fault]:
    """Of rows that have other faults: the unknown parents, so that one look tells everything."""
    found = []
    for each in drafts:
        parent = each.values.get("parent_code")
        if parent and parent not in known:
            found.append(Fault(each.row.number, "parent_code", _UNKNOWN_PARENT, {"parent": parent}))
    return found


_UNKNOWN_PARENT = mark("没有编号为 %(parent)s 的上级：文件里和现有网点里都找不到。")
_Found = tuple[str, str, dict[str, object]] | None


def _kind_fault(each: Draft, nodes: Mapping[str, Node]) -> _Found:
    if nodes[each.code].kind:
        return None
    return "kind", mark("新增的机构要写明级别。"), {}


def _parent_fault(each: Draft, nodes: Mapping[str, Node], refused: set[str], spared: set[str]) -> _Found:
    parent = nodes[each.code].parent
    if parent is None and nodes[each.code].kind != OutletKind.head_office:
        return "parent_code", mark("缺少上级编号；只有总公司没有上级，整棵树只能有一个顶。"), {}
    if parent is None or parent in nodes or parent in spared:
        return None
    if parent in refused:
        return (
            "parent_code",
            mark("上级 %(parent)s 那一行有错，没有导入，它的下级也先不导入。"),
            {"parent": parent},
        )
    return (
        "parent_code",
        mark("没有编号为 %(parent)s 的上级：文件里和现有网点里都找不到。"),
        {"parent": parent},
    )


def _ring_fault(each: Draft, rings: Mapping[str, list[str]]) -> _Found:
    if each.code not in rings:
        return None
    return "parent_code", mark("上下级成了一个圈：%(ring)s。"), {"ring": " → ".join(rings[each.code])}


def _head_fault(
    each: Draft, nodes: Mapping[str, Node], heads: list[str], existing: Mapping[str, Outlet]
) -> _Found:
    if nodes[each.code].kind != OutletKind.head_office or len(heads) < 2:
        return None
    other = next(code for code in heads if code != each.code)
    if each.code in existing and other not in existing:
        return None  # the head office that stands stays; the newcomer is at fault
    if other in existing and existing[other].demo:
        rule = mark("树里现在是示范机构的总公司 %(code)s；请先运行 signpost demo clear，再导入自己的网点。")
        return "kind", rule, {"code": other}
    return "kind", mark("已有总公司 %(code)s，总公司只能有一个。"), {"code": other}


def _level_fault(each: Draft, nodes: Mapping[str, Node], below: list[str]) -> _Found:
    node = nodes[each.code]
    parent = nodes.get(node.parent) if node.parent else None
    if parent and parent.kind and LEVELS[parent.kind] >= LEVELS[node.kind]:
        return (
            "parent_code",
            mark("上级 %(parent)s 是%(above)s，不能管%(kind)s：上级的级别要更高。"),
            {"parent": node.parent, "above": _kind_name(parent.kind), "kind": _kind_name(node.kind)},
        )
    for code in below:
        child = nodes[code]
        if child.kind and "kind" in each.values and LEVELS[child.kind] <= LEVELS[node.kind]:
            rule = mark("改成%(kind)s后管不了下级 %(child)s（%(below)s）。")
            names = {"kind": _kind_name(node.kind), "child": code, "below": _kind_name(child.kind)}
            return "kind", rule, {**names}
    return None


def _kind_name(kind: str) -> str:
    return gettext(OUTLET_KIND_NAMES[OutletKind(kind)])


def circles(nodes: Mapping[str, Node]) -> dict[str, list[str]]:
    """For every code that stands in a circle, the circle starting and ending with it."""
    done: set[str] = set()
    rings: dict[str, list[str]] = {}
    for start in nodes:
        way: list[str] = []
        seen: dict[str, int] = {}
        code: str | None = start
        while code is not None and code in nodes and code not in done and code not in seen:
            seen[code] = len(way)
            way.append(code)
            code = nodes[code].parent
        if code is not None and code in seen:
            ring = way[seen[code] :]
            rings.update({each: [*ring[at:], *ring[: at + 1]] for at, each in enumerate(ring)})
        done.update(way)
    return rings
