"""What each kind of piece is given: working days for its review, and what follows when its day is over. Data: `policy.yaml`."""

from datetime import date as Day
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field

from content.models import Kind

FILE = Path(__file__).parent / "policy.yaml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Term(_Strict):
    """The terms of one kind, in days."""

    review_days: Annotated[int, Field(ge=1, le=90)]
    comes_down: bool
    grace_days: Annotated[int, Field(ge=0, le=365)]

    def down_on(self, review_by: Day) -> Day | None:
        """The day on which a piece that nobody confirmed comes down; None where it stays."""
        return review_by + timedelta(days=self.grace_days) if self.comes_down else None


class Policy(_Strict):
    """The whole file; `ask_days`: how many days ahead owners are asked."""

    version: Day
    ask_days: list[int]
    kinds: dict[Kind, Term]


@cache
def policy() -> Policy:
    """The policy that comes with the product."""
    return Policy.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def of_kind(kind: str) -> Term:
    """The terms of a kind of piece."""
    return policy().kinds[Kind(kind)]
