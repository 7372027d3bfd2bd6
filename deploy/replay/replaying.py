"""One replay from the first row to the last badge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from rich.console import Console

from deploy.doors import Doors
from deploy.replay import sending
from deploy.replay.cohort import Cohort
from deploy.replay.screen import Screen
from deploy.replay.sending import Disorder, Pace, Sent
from deploy.replay.watching import Snapshot, settle, until_learners_known, watch


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a replay: `badges` by the achievements' labels, in the order of the catalogue.

    `events` is how many different enrolments and learning events the cohort has, `seconds` the time from the
    first request until nothing moved any more, `retries` how many requests were sent again, `dead_letters` how many
    messages the services could not use, since ever.
    """

    badges: dict[str, int]
    events: int
    seconds: float
    sent: Sent
    retries: int
    dead_letters: int


async def replay(
    cohort: Cohort, doors: Doors, console: Console, *, pace: Pace, disorder: Disorder, patience_seconds: float = 60
) -> Outcome:
    """Send the whole cohort through the doors and wait until all of it is through.

    Raises what `Doors` raises, and `Unsettled` when nothing moves for `patience_seconds` though something waits.
    """
    started, sent = time.monotonic(), Sent()
    rows = cohort.learner_count + cohort.enrollment_count + cohort.event_count
    total = round(rows * (1 + disorder.duplicates))
    with Screen(console, total, sent) as screen:
        watching = asyncio.create_task(watch(doors, screen.show))
        try:
            for name, step in _steps(cohort, doors, pace, disorder, sent):
                screen.step(name)
                await step()
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        screen.step("waiting for the badges")
        end, ended = await settle(doors, screen.show, patience_seconds=patience_seconds)
    events = cohort.enrollment_count + cohort.event_count
    return Outcome(_by_label(cohort, end), events, ended - started, sent, doors.retries, end.dead_letters)


def _steps(
    cohort: Cohort, doors: Doors, pace: Pace, disorder: Disorder, sent: Sent
) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
    rows = (doors, cohort, pace, disorder, sent)
    return [
        ("publishing the catalogue", partial(sending.publish, doors, cohort)),
        ("registering learners", partial(sending.send_learners, *rows)),
        ("sending enrolments", partial(sending.send_enrollments, *rows)),
        # In a shuffled replay learners may be heard of after what they did.
        *(
            []
            if disorder.shuffle_seed is not None
            else [("waiting for progress", partial(until_learners_known, doors))]
        ),
        ("sending learning events", partial(sending.send_events, *rows)),
    ]


def _by_label(cohort: Cohort, end: Snapshot) -> dict[str, int]:
    return {achievement.label: end.badges.get(achievement.achievement_id, 0) for achievement in cohort.achievements}
