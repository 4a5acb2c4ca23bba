"""The floor under precision and recall on the kept half of the labelled passages, and that it can be fallen through."""

import pytest

from content.check import context, rulesets
from content.check.rulesets import Rule
from tests.content.check import passages

FLOOR = 0.9


def test_there_are_enough_passages_and_half_of_the_second_set_is_kept() -> None:
    all_of_them = passages.read()
    second = [one for one in all_of_them if one.second]
    kept = [one for one in second if one.kept]
    assert len(all_of_them) >= 300
    assert 0.45 <= len(kept) / len(second) <= 0.55
    assert 0.35 <= sum(not one.fires for one in all_of_them) / len(all_of_them) <= 0.65
    assert {rule for one in kept for rule in one.fires} >= {
        rule.id for rule in rulesets.rules(passages.ON) if rule.id != "picture-data"
    }


def test_the_kept_half_is_told_right() -> None:
    score = passages.measure(one for one in passages.read() if one.kept)
    assert score.all.precision >= FLOOR
    assert score.all.recall >= FLOOR


def test_the_tuning_half_is_told_right() -> None:
    score = passages.measure(one for one in passages.read() if not one.kept)
    assert (score.all.precision, score.all.recall) >= (0.98, 0.98), score.mistakes


def test_without_context_precision_falls_through_the_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what quotes, denials and warnings say is taken for the institution's own words."""
    monkeypatch.setattr(context.Judge, "excuses", lambda *_args: False)
    assert passages.measure(one for one in passages.read() if one.kept).all.precision < FLOOR


def test_without_the_words_recall_falls_through_the_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: rules whose list of words is empty."""
    bare = tuple(
        rule.model_copy(update={"patterns": [], "softer": []}) for rule in rulesets.rules(passages.ON)
    )

    def in_force(_on: object) -> tuple[Rule, ...]:
        return bare

    monkeypatch.setattr("content.check.checking.rules", in_force)
    assert passages.measure(one for one in passages.read() if one.kept).all.recall < FLOOR
