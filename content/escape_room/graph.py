"""A room as a picture for editors: scenes, dialogues, locks and endings, and what leads from one to another."""

from collections.abc import Iterator
from typing import Any

from content.escape_room.conditions import Clause
from content.escape_room.format import Room
from content.escape_room.outline import Place, parts
from content.escape_room.texts import Part

_OWNERS = {"scenes": "scene", "dialogues": "dialogue", "locks": "lock"}
_LEADS = (("go", "scene"), ("talk", "dialogue"), ("lock", "lock"), ("end", "ending"))


def graph(room: Room, lang: str = "zh") -> dict[str, list[dict[str, Any]]]:
    """`nodes` (id `kind:name`, kind, name, title) and `edges` (source, target, kind, place of the field, when)."""
    titles = {
        "scene": {name: one.title.of(lang) for name, one in room.scenes.items()},
        "dialogue": {name: room.characters[one.by].name.of(lang) for name, one in room.dialogues.items()},
        "lock": {name: one.title.of(lang) for name, one in room.locks.items()},
        "ending": {name: one.title.of(lang) for name, one in room.endings.items()},
    }
    nodes = [
        {
            "id": f"{kind}:{name}",
            "kind": kind,
            "name": name,
            "title": title,
            "start": (kind, name) == ("scene", room.start),
        }
        for kind, named in titles.items()
        for name, title in named.items()
    ]
    return {"nodes": nodes, "edges": list(_edges(room))}


def _edges(room: Room) -> Iterator[dict[str, Any]]:
    for name, scene in room.scenes.items():
        for at, door in scene.doors.items():
            place: Place = ("scenes", name, "doors", at)
            yield _edge(f"scene:{name}", f"scene:{door.to}", "door", place, door.when)
            if door.lock:
                yield _edge(f"scene:{name}", f"lock:{door.lock}", "guard", place, door.when)
    for place, part in parts(room):
        if isinstance(part, Clause):
            source = f"{_OWNERS[str(place[0])]}:{place[1]}"
            for field, kind in _LEADS:
                if target := getattr(part, field):
                    yield _edge(source, f"{kind}:{target.partition('/')[0]}", field, place, part.when)


def _edge(source: str, target: str, kind: str, place: Place, when: Part | None) -> dict[str, Any]:
    condition = when.model_dump(mode="json", by_alias=True, exclude_defaults=True) if when else None
    return {"source": source, "target": target, "kind": kind, "place": list(place), "when": condition}
