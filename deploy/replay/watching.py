"""Watching a replay come through: what still waits in each service, and how many badges there are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deploy.doors import SERVICES, Doors, Refused, Unreachable

POLL_SECONDS = 0.5
# A message may be between two services while neither sees it; three hops, each seen at least once a poll.
CALM_POLLS = 4


class Unsettled(Exception):
    """Not everything came through in time: the message says what still waited where."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look at the services.

    `outbox` rows are not yet told, `lag` records told but not yet handled, `backlog` learners to look at again;
    `badges` counts what verification can show, by achievement id. `is_fresh` says that every worker has reported
    lately; `marks` are the positions of all readers, which stand still when nothing moves.
    """

    outbox: int
    lag: int
    backlog: int
    badges: Mapping[str, int]
    is_fresh: bool
    marks: tuple[Any, ...]

    @property
    def is_calm(self) -> bool:
        """Whether nothing waits anywhere, as far as this look can tell."""
        return self.is_fresh and not (self.outbox or self.lag or self.backlog)


async def look(doors: Doors) -> Snapshot:
    """Ask every service what waits there, and verification for the badges."""
    *deliveries, counts = await asyncio.gather(
        *(doors.get(service, "/operations/delivery") for service in SERVICES),
        doors.get("verification", "/operations/badges/counts"),
    )
    return Snapshot(
        outbox=sum(delivery["outbox"]["rows"] for delivery in deliveries),
        lag=sum(worker["lag_records"] for delivery in deliveries for worker in delivery["workers"]),
        backlog=sum(delivery.get("backlog", 0) for delivery in deliveries),
        badges={entry["achievement_id"]: entry["badges"] for entry in counts["counts"]},
        is_fresh=all(any(worker["is_alive"] for worker in delivery["workers"]) for delivery in deliveries),
        marks=tuple(str(delivery["consumed"]) for delivery in deliveries),
    )


async def watch(doors: Doors, show: Callable[[Snapshot], None]) -> None:
    """Look and show, again and again, until cancelled; a service that is away is asked again later."""
    while True:
        try:
            show(await look(doors))
        except (Refused, Unreachable):
            pass
        await asyncio.sleep(POLL_SECONDS)


async def settle(doors: Doors, show: Callable[[Snapshot], None], *, patience_seconds: float) -> Snapshot:
    """Return when everything is through: nothing waits and nothing moves, in several looks in a row.

    Raises `Unsettled` when for `patience_seconds` nothing moved although something waits.
    """
    calm, before, moved_at = 0, None, time.monotonic()
    while True:
        now = await look(doors)
        show(now)
        if before is None or (now.marks, now.badges, now.outbox, now.lag, now.backlog) != (
            before.marks, before.badges, before.outbox, before.lag, before.backlog,
        ):  # fmt: skip
            calm, moved_at = 0, time.monotonic()
        calm = calm + 1 if now.is_calm else 0
        if calm >= CALM_POLLS:
            return now
        if time.monotonic() - moved_at > patience_seconds:
            raise Unsettled(
                f"nothing moved for {patience_seconds:.0f} s, but {now.outbox} messages wait to be told,"
                f" {now.lag} to be handled, {now.backlog} learners to be looked at again"
                + ("" if now.is_fresh else "; a worker gives no sign of life")
            )
        before = now
        await asyncio.sleep(POLL_SECONDS)
