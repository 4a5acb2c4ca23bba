"""Batches of programs: checked whole, kept whole or not at all, and once however often they come.

The one flow: lines → checked → claimed (a row with the body's hash) → deposited in the spool under a name made of
token and key → answered. A kill anywhere between leaves a claim; the same batch again finishes it, under the same
name with the same content, and the store knows a deposit's name for ever. Another body under a claimed key is
refused. Nothing is claimed for a batch with a fault in it, so its key is free for the mended one.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core.database import Database
from core.errors import Conflict
from core.i18n import mark
from core.signing import Keys
from institution import retention
from institution.api_token_models import ApiToken
from institution.models import Outlet
from institution.retention import Rule
from tracking import batch_lines
from tracking.attribution import Attribution, Attributions
from tracking.batch_lines import Fault, Line
from tracking.batch_models import ReachBatch
from tracking.events import ReachEvent, new_event
from tracking.recorder import DIRECT, FORGED_ATTRIBUTION, Recorder

SOURCE = "batch"
OUTSIDE = "outside_scope"  # a signed attribution to an outlet that is not the token's


class Faulty(ValueError):
    """Lines that break a rule; nothing of the batch is kept."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


class OtherBody(Conflict):
    """The key was used for another body."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is answered: how many events were kept, and how many of them are owed to nobody."""

    events: int
    unattributed: int


class Batches:
    """Takes batches in; safe to share between threads and processes."""

    def __init__(
        self,
        *,
        database: Database,
        recorder: Recorder,
        attributions: Attributions,
        keys: Keys,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._recorder, self._attributions = database, recorder, attributions
        self._visitor_key = keys.derive("tracking/batch-visitor")
        self._zone, self._clock = zone, clock

    def take(
        self,
        token: ApiToken,
        key: str,
        body: bytes,
        *,
        oldest: timedelta = batch_lines.OLDEST,
        source: str = SOURCE,
    ) -> Kept:
        """Keep a batch once. Faulty, TooMany, OtherBody: nothing was kept; SpoolError: try again.

        `oldest` and `source` are those of the door: what comes from screens may be older.
        """
        name = name_of(token, key)
        body_hash = hashlib.sha256(body).hexdigest()
        with self._database.reading() as session:
            found = session.get(ReachBatch, name)
        lines = None
        if found is None:
            now = self._clock()
            lines = self._checked(token, body, now, oldest)
            found = self._claim(
                ReachBatch(name=name, body_hash=body_hash, token_id=token.id or 0, claimed_at=now)
            )
        if found.body_hash != body_hash:
            raise OtherBody(mark("这个 Idempotency-Key 已经用于另一批内容，请换一个。"))
        if found.kept_at is not None:
            return Kept(found.events, found.unattributed)
        if (
            lines is None
        ):  # claimed and not kept: by the clock of the claim its lines are as good as they were
            lines, _faults = batch_lines.read(body, found.claimed_at, oldest)
        return self._keep(token, name, lines, source)

    def _checked(self, token: ApiToken, body: bytes, now: datetime, oldest: timedelta) -> list[Line]:
        lines, faults = batch_lines.read(body, now, oldest)
        wanted = {line.outlet for line in lines if line.outlet}
        inside, known = self._outlets(token, wanted) if wanted else (set(), set())
        for line in lines:
            if line.outlet and line.outlet not in inside:
                rule = "outside" if line.outlet in known else "no_outlet"
                faults.append(Fault(line.number, "outlet", rule))
        if faults:
            raise Faulty(sorted(faults, key=lambda fault: fault.line))
        return lines

    def _outlets(self, token: ApiToken, wanted: Iterable[str]) -> tuple[set[str], set[str]]:
        """Of these codes, those in the token's part of the tree, and those anywhere."""
        query = select(Outlet.code).where(col(Outlet.code).in_(sorted(wanted)))
        with self._database.reading() as session:
            inside = set(session.exec(query.where(token.scope.condition(Outlet.code))))
            return inside, set(session.exec(query))

    def _claim(self, claim: ReachBatch) -> ReachBatch:
        """The claim, or that of whoever was faster."""
        try:
            with self._database.transaction() as session:
                session.add(claim)
        except IntegrityError:
            with self._database.reading() as session:
                return session.get_one(ReachBatch, claim.name)
        return claim

    def _keep(self, token: ApiToken, name: str, lines: Sequence[Line], source: str) -> Kept:
        dropped: dict[str, int] = {}
        events = [replace(one, source=source) for one in self._events(token, name, lines, dropped)]
        self._recorder.deposit(name, events)
        kept = Kept(len(events), sum(dropped.values()))
        if self._settle(name, kept):
            for reason, quantity in dropped.items():
                self._recorder.count_drop(reason, quantity)
        return kept

    def _settle(self, name: str, kept: Kept) -> bool:
        """Write what is answered; whether this call was the first to do so."""
        mine = update(ReachBatch).where(col(ReachBatch.name) == name, col(ReachBatch.kept_at).is_(None))
        values = {"kept_at": self._clock(), "events": kept.events, "unattributed": kept.unattributed}
        with self._database.transaction() as session:
            return session.connection().execute(mine.values(**values)).rowcount == 1

    def _events(
        self, token: ApiToken, name: str, lines: Sequence[Line], dropped: dict[str, int]
    ) -> Iterator[ReachEvent]:
        """The events of the lines; the same lines always give the same events, ids and all."""
        led = {
            line.attribution: self._attributions.read(line.attribution) for line in lines if line.attribution
        }
        owed = {found.outlet for found in led.values() if found is not None and found.outlet}
        inside = self._outlets(token, owed)[0] if owed and not token.scope.whole else owed
        for line in lines:
            if not line.attribution:
                attribution = Attribution(line.campaign, line.outlet or token.outlet_code, line.channel)
            else:
                attribution, reason = _owed(token, led[line.attribution], inside)
                if reason:
                    dropped[reason] = dropped.get(reason, 0) + 1
            yield self._event(token, name, line, attribution)

    def _event(self, token: ApiToken, name: str, line: Line, attribution: Attribution) -> ReachEvent:
        return new_event(
            line.kind,
            at=line.at,
            zone=self._zone,
            quantity=line.quantity,
            visitor=self._visitor(token, line.visitor),
            campaign=attribution.campaign,
            piece=line.piece,
            outlet=attribution.outlet,
            channel=attribution.channel or DIRECT,
            source=SOURCE,
            batch=name,
            audience=line.audience,
            place=line.place,
            id=f"t{token.id}:{line.id}" if line.id else f"{name}-{line.number}",
        )

    def _visitor(self, token: ApiToken, given: str) -> int:
        """A client's own id as 64 keyed bits, 0 for none. The token's name tells one program's ids from another's,
        so a new token of the same name goes on counting the same people."""
        if not given:
            return 0
        text = f"{token.name}\0{given}".encode("utf-8", "surrogatepass")
        return (
            int.from_bytes(hashlib.blake2b(text, key=self._visitor_key, digest_size=8).digest(), "big") or 1
        )


def _owed(token: ApiToken, found: Attribution | None, inside: set[str]) -> tuple[Attribution, str]:
    """To whom a line with a signed attribution is owed, and the reason why to nobody."""
    if found is None:
        return Attribution(), FORGED_ATTRIBUTION
    if not found.outlet:
        return replace(found, outlet=token.outlet_code), ""
    return (found, "") if found.outlet in inside else (Attribution(), OUTSIDE)


def name_of(token: ApiToken, key: str) -> str:
    """The name under which a batch is kept. Of the token's hash: a number may be given again one day."""
    return f"batch-{hashlib.sha256((token.token_hash + chr(10) + key).encode()).hexdigest()[:40]}"


def _over(session: Session, before: datetime) -> int:
    query = select(func.count()).select_from(ReachBatch).where(col(ReachBatch.claimed_at) < before)
    return session.scalar(query) or 0


def _clear(session: Session, before: datetime) -> int:
    old = delete(ReachBatch).where(col(ReachBatch.claimed_at) < before)
    return session.connection().execute(old).rowcount


# What is older than two days is refused anyway, so the keys of a month ago hinder nothing any more.
retention.declare(
    Rule(
        "reach.batch",
        mark("批量上报的收据（只有指纹）"),
        30,
        mark("《个人信息保护法》第十九条：为实现目的所必要的最短时间"),
        count=_over,
        clear=_clear,
        least=int(batch_lines.OLDEST / timedelta(days=1)) + 1,
    )
)
