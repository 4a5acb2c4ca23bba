"""The short forms of a message: parameters with placeholders, templates as people read them, what an SMS comes to."""

from dataclasses import replace
from datetime import datetime

import pytest

from campaign.audience import Address
from campaign.unsubscribe import Unsubscriptions
from core.database import Database
from core.errors import Invalid
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from scheduler import plan_message, sms_text
from scheduler.channels import registry
from scheduler.composer import Composer
from tests.scheduler import audience_cast
from tracking.attribution import Attributions


def test_parameters_keep_their_order_and_name_what_is_wrong() -> None:
    found = plan_message.parsed("name={name}\n\n code = 请看 {link} \n1=a=b")
    assert found == (("name", "{name}"), ("code", "请看 {link}"), ("1", "a=b"))
    assert plan_message.parsed(plan_message.as_text(found)) == found
    for text, line in (("name", 1), ("a=1\n=2", 2), ("a=1\na=2", 2), ("a=1\n\nb={phone}", 3), ("a b=1", 1)):
        with pytest.raises(Invalid) as caught:
            plan_message.parsed(text)
        assert caught.value.field == "parameters" and f"第 {line} 行" in str(caught.value), text
    with pytest.raises(Invalid):
        plan_message.parsed("\n".join(f"p{number}=x" for number in range(21)))


def test_a_name_with_braces_is_no_placeholder() -> None:
    given = plan_message.parsed("name={name}\nlink={link}")
    filled = plan_message.filled(given, name="{link}", link="https://x", institution="", title="")
    assert filled == (("name", "{link}"), ("link", "https://x"))


def test_a_template_is_read_by_name_or_by_place() -> None:
    pairs = (("name", "张三"), ("code", "8 号"))
    assert plan_message.rendered("${name}，${code}到", pairs) == "张三，8 号到"
    assert plan_message.rendered("{1}，{2}到{3}", pairs) == "张三，8 号到{3}", "what is missing is seen"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("字" * 70, 1),
        ("字" * 71, 2),
        ("字" * 134, 2),
        ("字" * 135, 3),
        ("🙂" * 35, 1),
        ("🙂" * 36, 2),
        ("", 1),
    ],
)
def test_an_sms_is_seventy_characters_or_sixty_seven_each(text: str, parts: int) -> None:
    assert sms_text.parts(text) == parts


@pytest.fixture
def _templated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail stands in for a channel whose platform sends templates only."""
    monkeypatch.setitem(registry.KINDS, "email", replace(registry.KINDS["email"], templated=True))


@pytest.mark.usefixtures("_templated")
def test_a_templated_plan_names_its_template_and_fills_it_for_each(
    settings: Settings, database: Database, keys: Keys, vault: Vault
) -> None:
    with database.transaction() as session:
        now = datetime.fromisoformat("2026-09-15T06:00+00:00")
        list_id = audience_cast.people(session, vault, 1, now)
        with pytest.raises(Invalid) as caught:
            audience_cast.plan(session, list_id, now)
        assert caught.value.field == "template"
        made = audience_cast.plan(
            session,
            list_id,
            now,
            template="SMS_154950909",
            parameters=(("name", "{name}"), ("url", "{link}")),
        )
        composer = Composer(settings, Attributions(keys), Unsubscriptions(keys))
        letter = composer.letter(session, made)
        someone = Address(1, "张三", "z@example.com")
        message = composer.message(letter, key="k", address=someone, address_index="00" * 32, outlet="")
    assert message.template == "SMS_154950909"
    assert message.parameters == (("name", "张三"), ("url", message.link)) and "?a=" in message.link
    assert message.summary.startswith("有人劝您") and "\n" not in message.summary
