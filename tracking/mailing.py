"""A report as a letter: figures, a chart as picture, the first rows, all rows attached, the definition under it.

Every part of the tree that the reader may see is a section of its own. The chart is the page's own definition,
drawn as PNG; mail programs show no SVG.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from sqlmodel import Session

from core import amounts
from core.i18n import gettext as _
from core.i18n import using_locale
from core.settings import Settings
from institution.letters import Content, File
from tracking import charts, export, periods, reports, spans
from tracking.groupings import BY_NAMES, DAY, MONTH
from tracking.periods import Period
from tracking.report_rhythm import Due
from tracking.reports import Ask, Line, Report
from tracking.store import ReachStore
from tracking.subscription_models import ReportSubscription

SHOWN, MOST_PARTS = 12, 5
# Many mail servers refuse more than 10 MB, and base64 adds a third.
LARGEST = 3 * 1024 * 1024
_SIZE = (460, 200)
_SHEET = "#fffdf8"
# The page's own properties, as they are in the light: a picture has no page around it.
_COLOURS = {charts.NOW: "#0e5e50", charts.BEFORE: "#a9c7bd", charts.GRID: "#e4dccb", charts.TEXT: "#4c5a5e"}
_TEMPLATES = Path(__file__).resolve().parent / "templates" / "tracking"
_STYLES = Path(__file__).resolve().parent.parent / "static" / "css"


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the tree: its report, the picture's name, the rows that are shown, how many more there are."""

    name: str
    report: Report
    chart: str
    chart_words: str
    rows: tuple[Line, ...]
    more: int
    grouping: str
    link: str
    attached: bool

    @property
    def comparing(self) -> bool:
        """Whether there is something to compare with."""
        return self.report.ask.compared.base is not None

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The definition and what was left out."""
        return list(export.facts(self.report))

    @property
    def empty(self) -> bool:
        """Whether nobody was reached."""
        return not self.report.total.gross and not self.rows


@dataclass(frozen=True, slots=True)
class ReportMail:
    """What the mail's templates see; `why` is the sentence of a letter without figures."""

    institution: str
    name: str
    when: str
    locale: str
    unsubscribe: str
    desk: str
    note: str = ""
    sections: tuple[Section, ...] = ()
    unshown: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """The sections of a report with their pictures and files: the same for all who may see the same parts."""

    sections: tuple[Section, ...]
    files: tuple[File, ...]
    unshown: int


def tell(
    store: ReachStore,
    session: Session,
    one: ReportSubscription,
    due: Due,
    *,
    parts: Sequence[str],
    public_url: str,
) -> Told:
    """Compute a report for these parts of the tree ("": all of it), in the subscription's language."""
    base = _base(store, one, due)
    sections: list[Section] = []
    files: list[File] = []
    with using_locale(one.locale):
        for number, part in enumerate(parts[:MOST_PARTS], 1):
            asked = ask_of(one, due, part, base)
            over_time = Ask(asked.compared, (_time(asked),), asked.within, asked.where, people=False)
            report, by_time = reports.several(store, session, (asked, over_time))
            picture = png(by_time)
            tables = _tables(report, part if len(parts) > 1 else "")
            fits = sum(len(file.data) for file in (*files, *tables)) <= LARGEST
            sections.append(
                _section(report, by_time, f"chart{number}" if picture else "", public_url, attached=fits)
            )
            if picture:
                files.append(File(f"chart{number}.png", "image/png", picture, f"chart{number}"))
            files += tables if fits else ()
    return Told(tuple(sections), tuple(files), max(0, len(parts) - MOST_PARTS))


def _base(store: ReachStore, one: ReportSubscription, due: Due) -> Period | None:
    """The same campaign a year before, where it ran: then the windows may differ."""
    if not due.campaign or one.compare != periods.YEAR:
        return None
    runs = (run for run in spans.runs(store) if run.key == due.campaign)
    return next((run.period for run in runs if run.year == due.period.first.year - 1), None)


def ask_of(one: ReportSubscription, due: Due, part: str, base: Period | None = None) -> Ask:
    """The saved question about these days and this part."""
    return reports.ask(
        str(due.period.first),
        str(due.period.last),
        by=one.by,
        compare=one.compare,
        within=part,
        campaign=due.campaign,
        base=f"{base.first}/{base.last}" if base else "",
        where=one.filters,
    )


def _time(asked: Ask) -> str:
    return MONTH if spans.longer(asked.compared.period) else DAY


def _section(report: Report, by_time: Report, chart: str, public_url: str, *, attached: bool) -> Section:
    return Section(
        name=report.within_name,
        report=report,
        chart=chart,
        chart_words=_chart_words(by_time),
        rows=report.rows[:SHOWN],
        more=max(0, len(report.rows) - SHOWN),
        grouping=" × ".join(_(BY_NAMES[by]) for by in report.ask.by),
        link=public_url.rstrip("/") + page_of(report.ask),
        attached=attached,
    )


def page_of(asked: Ask) -> str:
    """The address of the same report on the desk."""
    compared = asked.compared
    values = {
        "span": "dates",
        "from": str(compared.period.first),
        "to": str(compared.period.last),
        "by": ",".join(asked.by),
        "compare": compared.mode if compared.mode in periods.MODES else periods.YEAR,
        "within": asked.within,
        "where": ";".join(f"{name}={','.join(values)}" for name, values in asked.where),
    }
    return "/desk/reach?" + urlencode({key: value for key, value in values.items() if value})


def _tables(report: Report, part: str) -> list[File]:
    period = report.ask.compared.period
    stem = "-".join(filter(None, ("reach", *report.ask.by, part, str(period.first), str(period.last))))
    return [
        File(f"{stem}.{form}", export.FORMATS[form][1], export.FORMATS[form][0](report))
        for form in ("xlsx", "csv")
    ]


def png(by_time: Report) -> bytes:
    """The chart over time as a picture, twice as fine as shown; b"" where there is nothing to draw."""
    if not any(line.gross or line.gross_before for line in by_time.rows):
        return b""
    compared = by_time.ask.compared
    now, before = periods.title(compared.period), periods.title(compared.base) if compared.base else ""
    chart = charts.definition(charts.points(by_time.rows), now, before, _SIZE)
    drawn: str = chart.properties(background=_SHEET).to_json()
    for name, colour in _COLOURS.items():
        drawn = drawn.replace(name, colour)
    return bytes(vl_convert.vegalite_to_png(drawn, scale=2))


def _chart_words(by_time: Report) -> str:
    compared = by_time.ask.compared
    before = periods.title(compared.base) if compared.base else "—"
    return _("逐期触达人次：%(now)s 与 %(before)s", now=periods.title(compared.period), before=before)


class Mailer:
    """Writes letters of reports; `unsubscribe` is the reader's own link."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._templates = Environment(
            loader=FileSystemLoader([_TEMPLATES, _STYLES]),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["_"] = _
        self._templates.globals["figure_parts"] = amounts.figure_parts
        self._templates.filters.update(number=amounts.number, growth=amounts.growth, percent=amounts.percent)

    def letter(
        self,
        one: ReportSubscription,
        due: Due,
        told: Told,
        *,
        unsubscribe: str,
        late: bool = False,
        missed: int = 0,
    ) -> Content:
        """The report as a letter."""
        with using_locale(one.locale):
            note = self._note(due, missed) if late else ""
            mail = self._mail(one, due, unsubscribe, note=note, sections=told.sections, unshown=told.unshown)
            return self._content(one, due, mail, told.files, late=late)

    def refusal(self, one: ReportSubscription, due: Due, why: str, *, unsubscribe: str) -> Content:
        """A letter that says why there are no figures in it (`why` a msgid)."""
        with using_locale(one.locale):
            return self._content(one, due, self._mail(one, due, unsubscribe, why=_(why)), ())

    def _mail(self, one: ReportSubscription, due: Due, unsubscribe: str, **more: object) -> ReportMail:
        settings = self._settings
        return ReportMail(
            institution=settings.institution_name_en if one.locale == "en" else settings.institution_name,
            name=one.name,
            when=periods.title(due.period),
            locale=one.locale,
            unsubscribe=unsubscribe,
            desk=f"{settings.public_url.rstrip('/')}/desk/reach/reports",
            **more,  # type: ignore[arg-type]
        )

    def _content(
        self,
        one: ReportSubscription,
        due: Due,
        mail: ReportMail,
        files: tuple[File, ...],
        *,
        late: bool = False,
    ) -> Content:
        subject = _("%(name)s · %(when)s", name=one.name, when=periods.title(due.period))
        return Content(
            subject=_("（补发）%(subject)s", subject=subject) if late else subject,
            text=self._templates.get_template("report_mail.txt").render(mail=mail),
            html=self._templates.get_template("report_mail.html").render(mail=mail),
            files=files,
            unsubscribe=mail.unsubscribe,
        )

    def _note(self, due: Due, missed: int) -> str:
        at: datetime = due.at.astimezone(self._settings.zone)
        note = _("这份报告应在 %(due)s 发出，当时没有发成，现在补发。", due=f"{at:%Y-%m-%d %H:%M}")
        if missed:
            note += _("在它之前还有 %(count)s 期没有发出，请在网页上查看。", count=missed)
        return note
