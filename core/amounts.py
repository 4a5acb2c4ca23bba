"""How numbers read: 亿 and 万 or millions, dashes for what is not there, growth with a sign beside the colour."""

from core.i18n import current_locale
from core.i18n import gettext as _


def number(value: float | None) -> str:
    """1234567 → `1,234,567`; nothing → a dash."""
    if value is None:
        return "—"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def figure_parts(value: float | None) -> tuple[str, str]:
    """A large number as figure and unit, three significant digits or more: 288000000 → `2.88`, `亿`."""
    if value is None:
        return "—", ""
    steps = (
        ((1e9, _("十亿")), (1e6, _("百万"))) if current_locale() == "en" else ((1e8, _("亿")), (1e5, _("万")))
    )
    for least, unit in steps:
        if abs(value) >= least:
            scaled = value / (1e4 if least == 1e5 else least)
            places = 2 if abs(scaled) < 10 else 1 if abs(scaled) < 100 else 0
            return f"{scaled:,.{places}f}", unit
    return number(value), ""


def amount(value: float | None) -> str:
    """288000000 → `2.88 亿`; below 100,000 exact."""
    figure, unit = figure_parts(value)
    return f"{figure} {unit}" if unit else figure


def percent(value: float | None, places: int = 1) -> str:
    """0.65 → `65.0%`; nothing → a dash."""
    return "—" if value is None else f"{value * 100:,.{places}f}%"


def growth(value: float | None) -> str:
    """0.65 → `▲ 65.0%`, −0.1 → `▼ 10.0%`; no base → a dash."""
    if value is None:
        return "—"
    sign = "▲" if value > 0 else "▼" if value < 0 else "＝"
    return f"{sign} {percent(abs(value))}"
