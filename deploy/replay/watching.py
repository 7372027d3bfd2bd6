"""Watching a replay come through: what still waits in each service, and how many badges there are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from deploy.doors import SERVICES, Doors, Refused, Unreachable

POLL_SECONDS = 0.5
# A message may be between two services where neither sees it: calm counts once it has lasted longer than any
# hop takes, and once every worker has said so within it.
CALM_SECONDS = 3.0
FRESH_SECONDS = 2.5


class Unsettled(Exception):
    """Not everything came through in time: the message says what still waited where."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look at the services.

    `outbox` rows are not yet told, `lag` records told but not yet handled, `recheck` learners to look at again;
    `badges` counts what verification can show, by achievement id. `is_fresh` says that every worker has reported
    lately; `dead_letters` wait for an operator; `positions` are those of all readers, which stand still when nothing
    moves.
    """

    outbox: int
    lag: int
    recheck: int
    badges: Mapping[str, int]
    is_fresh: bool
    dead_letters: int
    positions: str

    @property
    def is_calm(self) -> bool:
        """Whether nothing waits anywhere, as far as this look can tell."""
        return self.is_fresh and not (self.outbox or self.lag or self.recheck)


async def look(doors: Doors) -> Snapshot:
    """Ask every service what waits there, and verification for the badges."""
    *deliveries, counts = await asyncio.gather(
        *(doors.get(service, "/operations/delivery") for service in SERVICES),
        doors.get("verification", "/operations/badges/counts"),
    )
    workers = [worker for delivery in deliveries for worker in delivery["workers"] if worker["state"] != "stopped"]
    return Snapshot(
        outbox=sum(delivery["backlog"]["outbox_rows"] for delivery in deliveries),
        lag=sum(worker["lag_records"] or 0 for worker in workers),
        recheck=sum(delivery["backlog"].get("recheck_learners", 0) for delivery in deliveries),
        badges={entry["achievement_id"]: entry["badges"] for entry in counts["counts"]},
        is_fresh=all(delivery["workers"] for delivery in deliveries)
        and all(worker["age_seconds"] < FRESH_SECONDS and worker["lag_records"] is not None for worker in workers),
        dead_letters=sum(delivery["backlog"]["open_dead_letters"] for delivery in deliveries),
        positions=str([delivery["positions"] for delivery in deliveries]),
    )


async def watch(doors: Doors, show: Callable[[Snapshot], None]) -> None:
    """Look and show, again and again, until cancelled; a service that is away is asked again later."""
    while True:
        try:
            show(await look(doors))
        except (Refused, Unreachable):
            pass
        await asyncio.sleep(POLL_SECONDS)


async def until_learners_known(doors: Doors, *, patience_seconds: float = 15) -> None:
    """Return when progress has handled all that enrollment has told: events are then not parked on arrival.

    Nothing is lost without this, which only keeps the doors' answers telling: so it does not wait for ever.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(patience_seconds):
            while (await doors.get("enrollment", "/operations/delivery"))["backlog"]["outbox_rows"]:  # noqa: ASYNC110
                await asyncio.sleep(POLL_SECONDS / 2)
            told_at = time.monotonic()
            while not await _has_caught_up(doors, since=told_at):  # noqa: ASYNC110
                await asyncio.sleep(POLL_SECONDS / 2)


async def _has_caught_up(doors: Doors, *, since: float) -> bool:
    """Whether progress says that no record waits, and measured it after `since` (by the monotonic clock)."""
    delivery = await doors.get("progress", "/operations/delivery")
    # What a worker says of itself is a second old at most when it says it.
    newest_seconds = time.monotonic() - since - 1
    return any(worker["age_seconds"] < newest_seconds and worker["lag_records"] == 0 for worker in delivery["workers"])


async def settle(doors: Doors, show: Callable[[Snapshot], None], *, patience_seconds: float) -> tuple[Snapshot, float]:
    """Return when everything is through: the last look, and when (by the monotonic clock) something last moved.

    Raises `Unsettled` when for `patience_seconds` nothing moved although something waits.
    """
    before, moved_at = await look(doors), time.monotonic()
    while True:
        await asyncio.sleep(POLL_SECONDS)
        now = await look(doors)
        show(now)
        if now != before:
            before, moved_at = now, time.monotonic()
        still_seconds = time.monotonic() - moved_at
        if now.is_calm and still_seconds >= CALM_SECONDS:
            return now, moved_at
        if still_seconds > patience_seconds:
            raise Unsettled(
                f"nothing moved for {patience_seconds:.0f} s, but {now.outbox} messages wait to be told,"
                f" {now.lag} to be handled, {now.recheck} learners to be looked at again"
                + ("" if now.is_fresh else "; a worker gives no sign of life")
            )
