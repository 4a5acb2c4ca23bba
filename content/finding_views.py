"""Public pages for finding: search, topics, rights, the directory of service guides.

Search answers a GET and is kept nowhere: what somebody looks for is theirs. The others are published pages.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from content import lifecycle, pages
from content.finding import directory, searching, subjects
from content.finding.documents import Documents
from content.finding.question import asked
from content.finding.searching import Found, Narrowed
from content.models import KIND_NAMES, Kind
from content.pages import PageFacts
from core.http import page_number, render, service
from core.http import reading as session_for_reading
from core.i18n import gettext as _
from core.settings import Settings
from tracking.attribution import Attributions, PageKeys

blueprint = Blueprint("finding", __name__, template_folder="templates")
_FEW = 12


@dataclass(frozen=True, slots=True)
class SearchPage:
    """What was found and what to choose next."""

    found: Found
    popular: list[str]

    @property
    def text(self) -> str:
        """What was typed."""
        return self.found.question.typed

    @property
    def is_asked(self) -> bool:
        """Whether anything was asked at all."""
        return bool(self.text or self.found.narrowed.items())

    def to(self, name: str, value: str) -> str:
        """The address of the same question with one narrowing set, or let go with ""."""
        given = {**dict(self.found.narrowed.items()), name: value}
        query = {"q": self.text, **given}
        return "/search?" + urlencode({key: text for key, text in query.items() if text})

    @property
    def narrowings(self) -> list[tuple[str, str, list[tuple[str, str, int]]]]:
        """The choices: field, label, (value, name, how many); one that leaves no choice is not shown."""
        labels = {
            "kind": _("类型"),
            "topic": _("话题"),
            "right": _("权利"),
            "audience": _("适合谁"),
            "year": _("年份"),
        }
        chosen = dict(self.found.narrowed.items())
        made = []
        for name, label in labels.items():
            values = [(value, _name(name, value), count) for value, count in self.found.facets[name][:_FEW]]
            if len(values) > 1 or name in chosen:
                made.append((name, label, values))
        return made

    @property
    def chosen(self) -> list[tuple[str, str, str]]:
        """What it is narrowed to: field, value, name."""
        return [(name, value, _name(name, value)) for name, value in self.found.narrowed.items()]


@blueprint.get("/search")
def search() -> ResponseReturnValue:
    """What is on the site about what somebody typed."""
    question, narrowed = asked(request.args.get("q", "")), Narrowed.of(request.args)
    documents = service(Documents)
    with session_for_reading() as session:
        found = searching.search(
            session, documents, question, narrowed, zone=service(Settings).zone, page=page_number()
        )
        popular = searching.popular(session, documents) if not found.hits or not question.typed else []
    answer = Response(render("content/search.html", SearchPage(found, popular)), mimetype="text/html")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


@blueprint.get("/topics")
def topics() -> str:
    """All topics and the eight rights."""
    with session_for_reading() as session:
        page = subjects.overview(lifecycle.published_list(session))
    return _published("content/topics.html", page)


@blueprint.get("/topics/<path:name>")
def topic(name: str) -> str:
    """Everything about a topic."""
    with session_for_reading() as session:
        page = subjects.topic(lifecycle.published_list(session), name)
    return _published("content/subject.html", page)


@blueprint.get("/rights/<slug>")
def right(slug: str) -> str:
    """What one of the eight rights means, and everything about it."""
    with session_for_reading() as session:
        page = subjects.right(lifecycle.published_list(session), slug)
    return _published("content/subject.html", page)


@blueprint.get("/guides")
def guides() -> str:
    """How to reach the institution, by what somebody wants and by how they can."""
    with session_for_reading() as session:
        found = lifecycle.published_list(session, Kind.guide)
    page = directory.directory(found, request.args.get("task", ""), request.args.get("suit", ""))
    return _published("content/guides.html", page)


def _published(template: str, page: object) -> str:
    keys = PageKeys()
    pages.mark(request.environ, PageFacts(keys))
    return render(template, page, sealed=service(Attributions).seal(keys))


def _name(field: str, value: str) -> str:
    if field == "kind":
        return _(KIND_NAMES[Kind(value)]) if value in set(Kind) else value
    return _(value) if field == "right" and value in subjects.SLUGS else value
