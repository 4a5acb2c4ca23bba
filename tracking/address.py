"""Where a reach server is: what `SIGNPOST_REACH_URL` says, and sentences for when it does not answer."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from core.errors import Conflict, Invalid
from core.i18n import mark
from tracking.layout import DDL_SECONDS, Layout

_NAME = re.compile(r"[A-Za-z_][\w-]*")
_CLUSTER = re.compile(r"[\w.{}-]+")
_SECURE = {"clickhouse": False, "http": False, "clickhouses": True, "https": True}
_FORM = "clickhouse://user:password@host:8123/database?cluster=NAME"


class StoreAway(Conflict):
    """The reach server does not answer, or does not let us in; what is in the spool waits."""


@dataclass(frozen=True, slots=True)
class Address:
    """A server and how to sign in; `cluster` "" is a single server, `quorum` what a write waits for."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    secure: bool
    database: str
    cluster: str = ""
    quorum: str = ""

    @property
    def layout(self) -> Layout:
        """How the tables lie there."""
        return Layout(self.cluster, self.database)

    @property
    def shown(self) -> str:
        """The address without user and password, for people."""
        return f"{self.host}:{self.port}/{self.database}"

    @property
    def settings(self) -> dict[str, object]:
        """The engine settings of every statement: what a cluster needs so that the same SQL is right on it."""
        if not self.cluster:
            return {}
        waits = {
            "insert_quorum": self.quorum,
            "insert_quorum_parallel": 0,
            "select_sequential_consistency": 1,
        }
        return {
            # an insert is confirmed when the shards have it, not when this server means to send it
            "distributed_foreground_insert": 1,
            # IN and JOIN with a subquery mean all shards, and the subquery is asked once
            "distributed_product_mode": "global",
            # the same server reads what it wrote, as long as it stands
            "load_balancing": "in_order",
            "distributed_ddl_task_timeout": DDL_SECONDS,
            **(waits if self.quorum else {}),
        }


def read(url: str) -> Address:
    """The address that a URL means; Invalid says which part is wrong, without repeating the URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _wrong(mark("端口")) from error
    if parts.scheme not in _SECURE:
        raise _wrong(mark("开头"))
    secure = _SECURE[parts.scheme]
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    database = unquote(parts.path.strip("/")) or "default"
    cluster, quorum = options.pop("cluster", ""), options.pop("quorum", "")
    if not _NAME.fullmatch(database):
        raise _wrong(mark("库名"))
    if (cluster and not _CLUSTER.fullmatch(cluster)) or not re.fullmatch(r"|auto|\d+", quorum) or options:
        raise _wrong(mark("问号后的选项（只有 cluster 与 quorum）"))
    return Address(
        host=parts.hostname or "127.0.0.1",
        port=port or (8443 if secure else 8123),
        user=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        secure=secure,
        database=database,
        cluster=cluster,
        quorum=quorum,
    )


def _wrong(part: str) -> Invalid:
    return Invalid(mark("SIGNPOST_REACH_URL 的%(part)s不对。写法：%(form)s"), part=part, form=_FORM)


def away(address: Address, code: int | None) -> StoreAway | None:
    """What to tell when the server answered with this code, or not at all (None); None: not our matter."""
    if code is None:
        return StoreAway(
            mark("连不上触达库 %(where)s。请检查主机名、端口与网络；服务恢复后会自动补入库。"),
            where=address.shown,
        )
    if code in (192, 193, 194, 516):
        return StoreAway(
            mark("触达库 %(where)s 不接受这个用户名或密码。请检查 SIGNPOST_REACH_URL。"), where=address.shown
        )
    if code in (497, 291):
        return StoreAway(
            mark("触达库 %(where)s 的这个用户权限不够。所需权限见 docs/scaling.md。"), where=address.shown
        )
    if code == 701:
        return StoreAway(
            mark("触达库 %(where)s 不认识集群“%(cluster)s”。请检查 SIGNPOST_REACH_URL 里的 cluster。"),
            where=address.shown, cluster=address.cluster,
        )  # fmt: skip
    return None
