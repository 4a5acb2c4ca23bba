"""The channels in one place: what each says of itself, and that the audience calls them the same."""

import pkgutil
from importlib import import_module

from campaign.contacts import CHANNEL_NAMES
from core import clock
from scheduler import channels
from scheduler.channels import registry
from tests.scheduler.channels.suite import MemoryTokens


def test_every_channel_stands_in_the_registry() -> None:
    files = {one.name for one in pkgutil.iter_modules(channels.__path__)}
    written = {name for name in files if hasattr(import_module(f"scheduler.channels.{name}"), "NAME")}
    assert {import_module(f"scheduler.channels.{name}").NAME for name in written} == set(registry.KINDS)


def test_a_channel_is_made_under_its_name_and_its_form_asks_for_an_address() -> None:
    made = registry.channels(clock.now, MemoryTokens())
    for name, kind in registry.KINDS.items():
        assert made[name].name == name == kind.name and len(name) <= 16
        assert kind.label and (kind.has("address") or kind.has("secret")), name
        assert kind.to_group == bool(getattr(made[name], "to_group", False)), name
        names = [one.name for one in kind.form]
        assert len(names) == len(set(names)), name


def test_the_audience_calls_channels_the_same() -> None:
    for name, label in CHANNEL_NAMES.items():
        assert name not in registry.KINDS or registry.KINDS[name].label == label, name


def test_a_channel_that_is_gone_is_shown_by_its_name() -> None:
    assert registry.label("telegraph") == "telegraph"
    assert registry.english("email") == "E-mail"
    assert not registry.to_group("telegraph") and registry.to_group("wecom_robot")
