"""Rule sets are data: dated, sourced, in both languages, read strictly."""

from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from content.check import checking, rulesets
from content.check.checking import CHECKS
from content.check.findings import Severity
from content.check.rulesets import Rule
from core.i18n import using_locale

TODAY = date(2026, 11, 26)
DRAWN = "本文插图由人工智能生成。"


def test_every_rule_says_since_when_by_which_law_and_how_to_mend_it() -> None:
    rules = [rule for each in rulesets.sets() for rule in each.rules]
    assert len({rule.id for rule in rules}) == len(rules) >= 15
    for rule in rules:
        assert rule.check in CHECKS
        assert rule.law and rule.says.zh and rule.says.en and rule.way_out.zh and rule.way_out.en
    assert {rule.severity for rule in rules} == set(Severity)


def test_a_rule_counts_from_its_day_and_until_its_last() -> None:
    first = date(2025, 9, 1)  # 人工智能生成合成内容标识办法
    before = checking.check("", DRAWN, {}, on=first - timedelta(days=1))
    assert [one.rule for one in before] == []
    assert [one.rule for one in checking.check("", DRAWN, {}, on=first)] == ["ai-label"]
    ends = rulesets.rules(TODAY)[0].model_copy(update={"until": TODAY})
    assert ends.counts(TODAY)
    assert not ends.counts(TODAY + timedelta(days=1))


def test_a_misspelt_field_and_a_broken_pattern_are_refused() -> None:
    good = rulesets.rules(TODAY)[0].model_dump()
    with pytest.raises(ValidationError, match="severty"):
        Rule.model_validate(good | {"severty": "error"})
    with pytest.raises(ValidationError):
        Rule.model_validate(good | {"patterns": ["(unclosed"]})


def test_a_finding_speaks_the_language_in_force() -> None:
    with using_locale("en"):
        english = checking.check("", "我们的产品最佳。", {}, on=TODAY)[0]
    chinese = checking.check("", "我们的产品最佳。", {}, on=TODAY)[0]
    assert english.says == "An absolute claim."
    assert chinese.says == "绝对化用语。"
    assert english.mark == chinese.mark
