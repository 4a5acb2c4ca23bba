"""The application's routes: quick to make, for there are hundreds and a process builds addresses of few."""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

_Builder = Callable[..., tuple[str, str]]


class Route(Rule):
    """A route whose code that puts its address together is compiled when an address is first asked for.

    Werkzeug compiles it when the route is made, twice for each, which was nine tenths of making the application.
    """

    def _compile_builder(self, append_unknown: bool = True) -> _Builder:
        compiled = super()._compile_builder
        name = "_build_unknown" if append_unknown else "_build"

        def first(route: "Route", /, **values: Any) -> tuple[str, str]:
            builder = compiled(append_unknown).__get__(route, None)
            setattr(route, name, builder)
            return builder(**values)  # type: ignore[no-any-return]

        return first
