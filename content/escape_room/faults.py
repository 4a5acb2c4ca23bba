"""What is wrong with a room: data that names scene, lock and the missing piece, and says it in a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from content import faults
from core.i18n import gettext as _
from core.i18n import mark


@dataclass(frozen=True)
class RoomFault:
    """One thing to mend. `place`: fields from the top of the file; `path`: steps of a player; `missing`: names."""

    kind: str
    file: str = ""
    line: int = 0
    place: tuple[str | int, ...] = ()
    scene: str = ""
    lock: str = ""
    missing: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    words: Mapping[str, object] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """Line and field, as far as known."""
        line = _("第 %(line)s 行", line=self.line) if self.line else ""
        return " ".join(part for part in (line, ".".join(map(str, self.place))) if part)

    @property
    def rule(self) -> str:
        """What is wrong and what to do, in the locale in force."""
        words = {"missing": _("、").join(self.missing), "lock": self.lock, "scene": self.scene}
        return _(RULES[self.kind]) % {**words, **self.words}

    def __str__(self) -> str:
        return str(self.plain())

    def plain(self) -> faults.Fault:
        """The same as a fault of any piece."""
        steps = _("（走法：%(path)s）", path=" → ".join(self.path)) if self.path else ""
        return faults.Fault(self.file, self.where, self.rule + steps)

    def as_json(self) -> dict[str, object]:
        """For programs and for the editor."""
        return {
            "kind": self.kind,
            "file": self.file,
            "line": self.line,
            "place": list(self.place),
            "scene": self.scene,
            "lock": self.lock,
            "missing": list(self.missing),
            "path": list(self.path),
            "rule": self.rule,
        }


def at(fault: RoomFault, place: tuple[str | int, ...]) -> RoomFault:
    """The fault with its place, and the scene or lock that the place is in."""
    owner = {"scenes": "scene", "locks": "lock"}.get(str(place[0]) if place else "")
    within = {owner: str(place[1])} if owner and len(place) > 1 else {}
    return RoomFault(**{**fault.__dict__, **within, "place": place})


RULES = {
    # Reading
    "size": mark("文件太大：最多 %(most)s 个字符。"),
    "encoding": mark("文件要用 UTF-8 编码保存。"),
    "yaml": mark("不是正确的 YAML：引号、冒号后的空格、缩进请检查。"),
    "mapping": mark("文件要写成“字段: 值”，每行一个。"),
    "alias": mark("不能用 & 和 *（锚点和引用），请把内容写出来。"),
    "tag": mark("不能用 ! 开头的标记。"),
    "deep": mark("层次太深，请检查缩进。"),
    "twice": mark("“%(name)s”写了两次，请删去一处或换一个名字。"),
    "missing_field": mark("这个字段必须填写。"),
    "unknown_field": mark("没有这个字段，请检查拼写；文字里有逗号或冒号就加引号。"),
    "one_of": mark("只能是：%(expected)s。"),
    "name": mark("名字只能用小写字母、数字、- 和 _，以字母开头，最多 40 个字符。"),
    "picture_name": mark("图片写作 名称.svg，放在同一个文件夹里，名称用字母、数字、- 和 _。"),
    "text": mark("请写成文字；数字要加引号。"),
    "empty": mark("不能为空。"),
    "long": mark("太长或太多了，最多 %(most)s。"),
    "few": mark("太少了，至少 %(least)s。"),
    "number": mark("请写成数字，不加引号。"),
    "small": mark("数字太小了，至少 %(least)s。"),
    "big": mark("数字太大了，最多 %(most)s。"),
    "yes_no": mark("请写 true 或 false。"),
    "part": mark("请写成“字段: 值”的形式。"),
    "list": mark("请写成列表：[甲, 乙]。"),
    "date": mark("日期写作 2026-11-22。"),
    "other": mark("填写的内容不对。"),
    "box_four": mark("位置写四个数：[左, 上, 宽, 高]，单位是图片的百分之几。"),
    "box_inside": mark("位置超出了图片：左加宽、上加高都不能超过 100。"),
    "one_right": mark("要有一个、也只能有一个正确答案（right: true）。"),
    "some_right": mark("至少要有一个正确答案（right: true）。"),
    "some_fraud": mark("至少要有一处是骗局（fraud: true）。"),
    "one_way": mark("next（接着说）、fall（上当）、out（脱身）要写一个，也只能写一个。"),
    "right_then": mark("这里的 then 只用于答错的选项；答对后的事写在锁的 then 里。"),
    "no_such": mark("没有叫“%(name)s”的%(what)s。%(near)s"),
    "no_line": mark("对话里没有“%(name)s”这一句。%(near)s"),
    "enter_go": mark("enter 里不能再去别的场景。"),
    "same_code": mark("答案“%(name)s”同时写成了答错的样子，请去掉一处。"),
    "alt": mark("有图片就要写 alt，说明图上画了什么。"),
    "key": mark("key 要与文件夹同名：%(name)s。"),
    "no_picture": mark("文件夹里没有图片“%(name)s”。"),
    "bad_picture": mark("图片“%(name)s”不能用：%(why)s"),
    # Proof
    "bound": mark("状态太多：看了 %(count)s 个还没有看完，所以不能算证明过。请减少岔路，或调大上限。"),
    "ending": mark("走不到结局“%(name)s”。"),
    "dead_end": mark("走到这里就再也出不去了：场景“%(scene)s”%(why)s。"),
    "needs": mark("锁“%(lock)s”要用到“%(missing)s”，可是走到锁前时还得不到。"),
    "never_opens": mark("锁“%(lock)s”遇得到，却没有办法打开。"),
    "unreached_scene": mark("没有路能到场景“%(name)s”。"),
    "unreached_hotspot": mark("场景“%(scene)s”里的“%(name)s”永远看不到。"),
    "unreached_door": mark("场景“%(scene)s”里的门“%(name)s”永远走不过去。"),
    "unreached_item": mark("得不到物品“%(name)s”。"),
    "unreached_clue": mark("得不到线索“%(name)s”。"),
    "unreached_dialogue": mark("对话“%(name)s”永远不会开始。"),
    "unreached_line": mark("“%(name)s”这一句永远听不到。"),
    "unreached_reply": mark("“%(name)s”这句回答永远说不了。"),
    "unreached_lock": mark("没有地方会遇到锁“%(lock)s”。"),
    "untaught": mark("没有一把锁教知识点“%(name)s”（写在锁的 teaches 里）。"),
    "teaches_nothing": mark("锁“%(lock)s”没有写它教什么（teaches）。"),
    "unexplained": mark("锁“%(lock)s”答错时（%(name)s）没有解释，请写 because 或 otherwise。"),
    "questions": mark("知识点“%(name)s”至少要有两道平行题（questions），前后各用一道。"),
}
