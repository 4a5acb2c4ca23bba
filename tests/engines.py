"""Which tests say on PostgreSQL what they said on SQLite, and why. Whatever is not named here runs on both engines.

What stays on both is what differs between them: statements of their own (upserts, JSON, text, dates, windows), locks,
claims, races, kills, triggers, migrations, imports, retention, what deletes along foreign keys, commands, journeys.
"""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
# Left out, by reason: a folder (ends with /) or a file, without `test_` and `.py`.
SAME: dict[str, tuple[str, ...]] = {
    # The verbs beneath have files of their own that run on both; the questions of every page of the desk are asked there
    # by the access matrix (`ASKED`), those of every list also by the journey of each role.
    "what pages say, how forms come back, who is sent away": (
        "attacks/csrf", "attacks/guessing", "attacks/links", "attacks/pieces", "attacks/xss", "campaign/base/desk",
        "campaign/base/screen_page", "campaign/desk", "campaign/events/desk", "campaign/events/subscription",
        "campaign/registration_views", "campaign/returns/desk", "content/check/desk", "content/desk",
        "content/room_desk/", "content/rooms/door", "content/rooms/plain_play", "institution/approval_desk",
        "institution/desk_account", "institution/desk_outlet_scope", "institution/desk_outlets",
        "institution/desk_staff", "oidc/attacks", "scheduler/desk", "scheduler/desk_audience",
        "scheduler/failover_desk", "scheduler/groups", "scheduler/sandbox_inbox", "scheduler/sms_desk",
        "tracking/imports/desk", "tracking/keeping_desk", "tracking/report_desk", "tracking/report_subscriptions",
        "tracking/watching/alarms_desk", "webapp/layout", "webapp/limiting", "webapp/routing",
    ),
    # They need the relational database for an outlet, a name or a session; their statements go to the other engine.
    "collecting and the reach store, and figures that come from it": (
        "tracking/api", "tracking/beacon_script", "tracking/behind", "tracking/calendar", "tracking/collecting_docs",
        "tracking/collector", "tracking/columns", "tracking/conservation", "tracking/contract", "tracking/copying",
        "tracking/crash", "tracking/demo", "tracking/drain", "tracking/edge", "tracking/export", "tracking/funnel",
        "tracking/group_sync", "tracking/growth", "tracking/insight_desk", "tracking/kills", "tracking/layout",
        "tracking/pixel", "tracking/rates", "tracking/recorder", "tracking/report_command", "tracking/report_pages",
        "tracking/report_parts", "tracking/reports", "tracking/rollups", "tracking/servers", "tracking/store",
        "tracking/trouble", "tracking/upgrades", "tracking/verify", "tracking/visitors", "tracking/watching/looking",
        "webapp/commands_insight", "webapp/commands_reach_data",
    ),
    # The database gives them an account and is asked for nothing else; shared tokens are raced in scheduler/tokens.
    "what goes over the wire to a platform": (
        "scheduler/channels/", "scheduler/channels", "scheduler/bounces", "scheduler/composer",
        "webapp/commands_sandbox",
    ),
    "the house, which asks no database": ("house/",),
}  # fmt: skip
# Of those that are left out, tests that run there all the same: beginnings of their names.
ASKED: dict[str, tuple[str, ...]] = {
    "house/access_matrix": (
        "test_what_lies_inside_opens_and_lists_hold_nothing_else[administrator]",
        "test_the_words_are_really_there",
    ),
    "institution/desk_staff": ("test_filters", "test_the_export_holds"),
}


def name_of(path: Path) -> str:
    """How a file of tests is named here."""
    inside = path.resolve().relative_to(ROOT)
    return (inside.parent / inside.stem.removeprefix("test_")).as_posix()


def same(item: pytest.Item) -> bool:
    """Whether a test says on PostgreSQL what it said on SQLite; so do looks at pages in a browser, but for journeys."""
    name = name_of(item.path)
    if name in ASKED and item.name.startswith(ASKED[name]):
        return False
    looks = "in_browser" in item.path.stem and "journeys" not in item.path.parts
    return looks or any(left == name or (left.endswith("/") and name.startswith(left)) for left in _LEFT)


_LEFT = {left for names in SAME.values() for left in names}
