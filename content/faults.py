"""What is wrong with a file of a piece: file, field, rule."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import Invalid
from core.i18n import mark

_SHOWN = 30


@dataclass(frozen=True)
class Fault:
    """One thing to mend: in which file, in which field or line, and the rule in a sentence; `line` where it is known."""

    file: str
    field: str
    rule: str
    line: int = 0

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.field, self.rule) if part)


class Faulty(Invalid):
    """Pieces that break rules; nothing of what was given is applied. `faults` names every one."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        lines = [str(fault) for fault in faults[:_SHOWN]] + (["…"] if len(faults) > _SHOWN else [])
        super().__init__(
            mark("有 %(count)s 处需要修改，没有保存任何内容：\n%(faults)s"),
            field=faults[0].field if faults else None,
            count=len(faults),
            faults="\n".join(lines),
        )
        self.faults = list(faults)
