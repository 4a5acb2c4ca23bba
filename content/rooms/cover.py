"""What the page of a room shows before it is played; for reviewers also every word of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from content.escape_room.format import Room
from content.escape_room.outline import parts
from content.escape_room.texts import Text
from content.rooms import file
from core.i18n import current_locale


@dataclass(frozen=True)
class RoomCover:
    """A room from outside, in the language in force."""

    room: Room

    @property
    def title(self) -> str:
        """What it is called."""
        return self.room.title.of(current_locale())

    @property
    def summary(self) -> str:
        """What it is about."""
        return self.room.summary.of(current_locale())

    @property
    def first_picture(self) -> str:
        """The picture of the place where it begins, by the name that a revision knows it under."""
        return f"media/{self.room.scenes[self.room.start].picture}"

    @property
    def first_alt(self) -> str:
        """What it shows."""
        alt = self.room.scenes[self.room.start].alt
        return alt.of(current_locale()) if alt else ""

    @property
    def helper(self) -> str:
        """Whom the player advises; "" where the player acts alone."""
        return self.room.helper.text.of(current_locale()) if self.room.helper else ""

    @property
    def clock(self) -> int:
        """Minutes within which the clock gives a bonus; 0 without a clock."""
        return self.room.clock.minutes if self.room.clock else 0

    @property
    def questions(self) -> bool:
        """Whether there are parallel questions, to be answered before playing by whoever likes."""
        return self.room.has_questions

    @property
    def scenes(self) -> int:
        """How many places there are."""
        return len(self.room.scenes)

    @property
    def locks(self) -> int:
        """How many locks there are."""
        return len(self.room.locks)

    def script(self) -> Iterator[tuple[str, str]]:
        """Every text with its place in the file, for whoever reviews it: answers and endings, too."""
        for at, part in parts(self.room):
            if isinstance(part, Text):
                yield " › ".join(map(str, at)), part.zh + (f" ／ {part.en}" if part.en else "")


def cover_of(text: str) -> RoomCover:
    """The cover of a checked file."""
    return RoomCover(file.stored(text))
