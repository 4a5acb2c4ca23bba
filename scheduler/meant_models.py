"""To whom and why: the columns that plans and pushes have besides a list."""

from sqlmodel import Field, SQLModel

from campaign.contacts import EDUCATION


class PlanMeant(SQLModel):
    """Whom a plan means, if it is no list: a segment; who got the pushes of the plan `follows_id`, so many days after
    each; or who got the one push `after_id`. `follows_when` is an outcome of `outcomes.OUTCOMES`, `series_id` the
    events that it speaks of. `purpose` is what people must have agreed to."""

    purpose: str = Field(default=EDUCATION, max_length=16)
    segment_id: int | None = None
    follows_id: int | None = Field(default=None, foreign_key="push_plan.id", index=True)
    follows_days: int = 0
    follows_when: str = Field(default="", max_length=16)
    after_id: int | None = None  # no foreign key: plans and pushes would wait for each other
    series_id: int | None = Field(default=None, foreign_key="event_series.id")


class PushMeant(SQLModel):
    """The same of one push, as it stood when the push was fired: `audience` is the segment's definition
    (`segments.definition`) then, so that nobody comes in between two pages."""

    purpose: str = Field(default=EDUCATION, max_length=16)
    segment_id: int | None = None
    audience: str = Field(default="", max_length=8000)
    after_id: int | None = Field(default=None, foreign_key="push.id")
    follows_when: str = Field(default="", max_length=16)
    series_id: int | None = Field(default=None, foreign_key="event_series.id")
