"""Takes what was changed in a form over into the data of the file, and nothing else.

`old` is what the file says, `before` the same as the form would have sent it unchanged, `after` what was sent. Where
the form changed nothing the file's own way of saying it stays (a text without English, four numbers for a box), and
so does whatever the form knows nothing of.
"""

from typing import Any

from content.making.splicing import same


def merged(old: Any, before: Any, after: Any) -> Any:
    """The new data."""
    if same(before, after):
        return old
    if isinstance(before, dict) and isinstance(after, dict) and isinstance(old, dict):
        return _mapping(old, before, after)
    if isinstance(before, list) and isinstance(after, list) and isinstance(old, list):
        return _list(old, before, after)
    return after


def _mapping(old: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    values = {
        name: merged(old[name], before[name], new) if name in before and name in old else new
        for name, new in after.items()
    }
    foreign = {name: value for name, value in old.items() if name not in before and name not in after}
    both = [name for name in before if name in after]
    moved = both != [name for name in after if name in before]
    order = list(after) if moved else [name for name in old if name in values or name in foreign]
    order += [name for name in (*values, *foreign) if name not in order]
    return {name: values[name] if name in values else foreign[name] for name in order}


def _list(old: list[Any], before: list[Any], after: list[Any]) -> list[Any]:
    if len(old) != len(before):
        return after
    if len(before) == len(after):
        return [merged(*three) for three in zip(old, before, after, strict=True)]
    left = list(zip(old, before, strict=True))
    made = []
    for new in after:
        found = next((pair for pair in left if same(pair[1], new)), None)
        if found:
            left.remove(found)
        made.append(found[0] if found else new)
    return made
