"""Topics and the eight rights as pages: what each is about, and the pieces that speak of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from content.frontmatter import RIGHTS
from content.listing import PublishedPiece
from content.models import KIND_NAMES
from core.errors import NotFound
from core.i18n import gettext as _
from core.i18n import mark

# The eight rights of financial consumers as 国办发〔2015〕81号 names them: their address and what they mean to somebody.
_SLUGS = ("property", "information", "choice", "fair-trade", "redress", "education", "respect", "data")
_MEANINGS = (
    mark("您的钱和机构自己的钱分开放，谁也不能挪用。"),
    mark("用您听得懂的话，把产品、费用和风险及时、真实、完整地告诉您。"),
    mark("买不买、买哪样，由您自己定。不能强买强卖，也不能搭着卖。"),
    mark("合同不能加重您的责任、减掉您的权利，也不能用格式条款占您便宜。"),
    mark("受了损失，有地方投诉，有人查清楚，有期限答复。"),
    mark("机构要常年讲金融知识，讲到您听得懂、用得上。"),
    mark("不因为年龄、性别、民族、身体和口音看低您。"),
    mark("您的资料只用在该用的地方，收多少、用在哪儿，先问过您。"),
)
SLUGS = dict(zip(RIGHTS, _SLUGS, strict=True))
MEANINGS = dict(zip(RIGHTS, _MEANINGS, strict=True))


@dataclass(frozen=True, slots=True)
class Right:
    """One of the eight rights, in the language in force, with how many pieces speak of it."""

    key: str
    slug: str
    name: str
    meaning: str
    count: int = 0

    @property
    def url(self) -> str:
        """The path of its page."""
        return f"/rights/{self.slug}"


@dataclass(frozen=True, slots=True)
class Overview:
    """All topics with their counts, most spoken of first, and the eight rights."""

    topics: Sequence[tuple[str, int]]
    rights: Sequence[Right]


@dataclass(frozen=True, slots=True)
class Subject:
    """A topic or a right: what it is called and means, its pieces by kind, other topics spoken of with it."""

    name: str
    meaning: str
    query: tuple[str, str]
    groups: Sequence[tuple[str, str, Sequence[PublishedPiece]]]
    beside: Sequence[str]
    count: int
    is_right: bool = False


def rights(published: Sequence[PublishedPiece]) -> list[Right]:
    """The eight rights, in their order."""
    counted = Counter(right for one in published for right in one.rights)
    return [Right(name, SLUGS[name], _(name), _(MEANINGS[name]), counted[name]) for name in RIGHTS]


def overview(published: Sequence[PublishedPiece]) -> Overview:
    """Everything to choose from."""
    return Overview(_topics(published), rights(published))


def topic(published: Sequence[PublishedPiece], name: str) -> Subject:
    """The page of a topic, or NotFound when no piece on the site names it."""
    found = [one for one in published if name in one.topics]
    if not found:
        raise NotFound(mark("没有找到这个话题，可能已经更名或撤下。"))
    return Subject(name, "", ("topic", name), _groups(found), _beside(found, name), len(found))


def right(published: Sequence[PublishedPiece], slug: str) -> Subject:
    """The page of a right, or NotFound."""
    one = next((each for each in rights(published) if each.slug == slug), None)
    if one is None:
        raise NotFound(mark("没有找到这一页，可能已经更名或撤下。"))
    found = [piece for piece in published if one.key in piece.rights]
    return Subject(
        one.name,
        one.meaning,
        ("right", one.key),
        _groups(found),
        _beside(found, ""),
        len(found),
        is_right=True,
    )


def _topics(published: Sequence[PublishedPiece]) -> list[tuple[str, int]]:
    counted = Counter(topic for one in published for topic in one.topics)
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


def _groups(found: Sequence[PublishedPiece]) -> list[tuple[str, str, list[PublishedPiece]]]:
    groups = [
        (kind.value, name, [one for one in found if one.kind == kind]) for kind, name in KIND_NAMES.items()
    ]
    return [group for group in groups if group[2]]


def _beside(found: Sequence[PublishedPiece], name: str) -> list[str]:
    return [topic for topic, _count in _topics(found) if topic != name][:10]
