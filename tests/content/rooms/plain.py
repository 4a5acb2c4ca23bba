"""A browser without script: reads the forms of a page and presses their buttons."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

Fields = list[tuple[str, str]]


@dataclass
class Form:
    """A form: where it goes, and what it sends before anybody touches it."""

    action: str
    fields: Fields = field(default_factory=list)


class Page(HTMLParser):
    """What a browser knows of a page: its forms, its buttons by `do`, its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.forms: list[Form] = []
        self.named: dict[str, Form] = {}
        self._later: list[tuple[str, str]] = []
        self.buttons: dict[str, Form] = {}
        self.labels: dict[str, str] = {}
        self.options: dict[str, str] = {}
        self._open: Form | None = None
        self._pick = ""
        self._said: list[str] = []
        self.feed(html)
        for value, name in self._later:
            self.buttons[value] = self.named[name]
        self.text = re.sub(r"\s+", " ", "".join(self._said))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(of.get("action", ""))
            self.forms.append(self._open)
            if "id" in of:
                self.named[of["id"]] = self._open
        elif tag == "input" and self._open is not None and of.get("type") == "hidden":
            self._open.fields.append((of["name"], of.get("value", "")))
        elif (tag == "input" and of.get("name") == "pick") or (tag == "option" and of.get("value")):
            self._pick = of["value"]
        elif tag == "button" and of.get("name") == "do":
            if "form" in of:
                self._later.append((of["value"], of["form"]))
            elif self._open is not None:
                self.buttons[of["value"]] = self._open

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None

    def handle_data(self, data: str) -> None:
        self._said.append(data)
        if self._pick and data.strip():
            self.labels[data.strip()] = self._pick
            self._pick = ""

    def sent(self, do: str, more: Mapping[str, str | Sequence[str]]) -> tuple[str, MultiDict[str, str]]:
        """Where a button's form goes, and all that it sends."""
        form = self.buttons[do]
        pairs: Fields = [*form.fields, ("do", do)]
        for name, value in more.items():
            pairs += [(name, value)] if isinstance(value, str) else [(name, one) for one in value]
        return form.action, MultiDict(pairs)


class Plain:
    """A visitor who has no script."""

    def __init__(self, client: FlaskClient, headers: Mapping[str, str] | None = None) -> None:
        self.client, self.headers = client, dict(headers or {})
        self.status = 0
        self.page = Page("")
        self.seen: list[str] = []

    def open(self, path: str) -> Page:
        """Ask for a page, going where it leads."""
        return self._got(self.client.get(path, headers=self.headers, follow_redirects=True))

    def press(self, do: str, **more: str | Sequence[str]) -> Page:
        """Press the button of this name, with what was filled in."""
        action, fields = self.page.sent(do, more)
        return self.post(action, fields)

    def post(self, action: str, fields: MultiDict[str, str]) -> Page:
        """Send a form."""
        return self._got(self.client.post(action, data=fields, headers=self.headers, follow_redirects=True))

    def _got(self, answer: object) -> Page:
        self.status = answer.status_code  # type: ignore[attr-defined]
        self.page = Page(answer.get_data(as_text=True))  # type: ignore[attr-defined]
        self.seen.append(self.page.html)
        return self.page

    def picks(self, *labels: str) -> list[str]:
        """The numbers of what is shown under these words."""
        return [self.page.labels[label] for label in labels]
