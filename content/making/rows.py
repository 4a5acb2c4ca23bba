"""What the buttons of rows do to the values of a form, before anything is saved: add, remove, up, down."""

from content.making.tree import NAME, ROW, Values

VERBS = ("add", "remove", "up", "down")


def acted(values: Values, do: str) -> Values:
    """The values after `add:hotspots`, `remove:hotspots.2`, `up:…`, `down:…`; the same for anything else."""
    verb, _colon, path = do.partition(":")
    if verb == "add":
        return _added(values, path)
    owner, _dot, number = path.rpartition(".")
    rows = list(values.get(f"{owner}.{ROW}", ()))
    if verb not in VERBS or number not in rows:
        return values
    at = rows.index(number)
    rows.pop(at)
    if verb != "remove":
        rows.insert(max(0, at - 1) if verb == "up" else at + 1, number)
    return {**values, f"{owner}.{ROW}": rows}


def _added(values: Values, path: str) -> Values:
    rows = list(values.get(f"{path}.{ROW}", ()))
    number = max((int(one) for one in rows if one.isdecimal()), default=-1) + 1
    names = {"".join(values.get(f"{path}.{row}.{NAME}", ())) for row in rows}
    stem = {"replies": "reply"}.get(path.rpartition(".")[2], path.rpartition(".")[2].removesuffix("s"))
    return {
        **values,
        f"{path}.{ROW}": [*rows, str(number)],
        f"{path}.{number}.{NAME}": [free_name(stem, names)],
    }


def free_name(stem: str, names: set[str]) -> str:
    """`scene-3`: the first that is not taken."""
    number = len(names) + 1
    while f"{stem}-{number}" in names:
        number += 1
    return f"{stem}-{number}"
