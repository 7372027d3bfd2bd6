"""What may be earned next of an achievement: which versions judge a learner (B5), and in which cycle (renewal).

Versions. Someone **started** the newest version that was published by the time of the first thing they did, or held,
of what any version mentions; the first of all where none was. The later versions are gone through in their order: one
that says `grandfather` leaves them where they are, one that says `upgrade` or `re-evaluate` takes them along. The last
version reached is the one that judges; each before it counts for what occurred until the next took over, and a badge
earned by it stays. So a chain of versions with different policies has one answer, and it follows from what occurred
and when, not from when it was heard of.

Cycles. A badge that ends is followed by the next cycle, which is earned by what occurs from the time at which renewal
opens on, as if the learner had started then; badges that are required must be valid then. The next badge is valid
since it was earned, so that no date of a badge lies in the future, and its time is added to the end of the one before:
who renews early loses nothing, and who renews late has a gap. A cycle that was revoked because what it stood on is
gone for good may be earned again, as the next, from the same facts on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from services.awarding.model import Held
from services.awarding.rules.catalogue import Achievement, Lineage
from services.awarding.rules.outcome import Outcome, Record
from services.awarding.rules.windows import ALWAYS, Window, begun_at, met_within

# Which award of the achievement to the learner it is; renewals count on.
FIRST_CYCLE = 0


class Cycle(NamedTuple):
    """One cycle: what occurred `since` counts for it, it follows the badge `before`, and these are its badges, by
    version."""

    number: int
    since: datetime | None
    before: Held | None
    badges: tuple[Held, ...] = ()


class Slot(NamedTuple):
    """A badge that may be earned: a version in a cycle, by what occurs in the window; it follows `before`."""

    achievement: Achievement
    cycle: int
    window: Window
    before: Held | None


def cycles_of(lineage: Lineage, given: Iterable[Held]) -> list[Cycle]:
    """The cycles of an achievement in which a learner was given badges (all of the learner's, whatever their state),
    and the one that may be earned next, which has none yet: none where the last badge does not end."""
    found: list[Cycle] = []
    number, since, before = FIRST_CYCLE, None, None
    ordered = sorted(given, key=lambda held: (held.cycle, held.version))
    for number, group in groupby(ordered, key=lambda held: held.cycle):
        badges = tuple(group)
        found.append(Cycle(number, since, before, badges))
        last = badges[-1]
        if not last.is_over and last.valid_until is not None:
            since, before = last.valid_until - _renewal_opens(lineage, last), last
    if not found:
        return [Cycle(FIRST_CYCLE, None, None)]
    last = found[-1].badges[-1]
    if last.is_over or last.valid_until is not None:
        found.append(Cycle(number + 1, since, before))
    return found


def open_slots(lineage: Lineage, given: Sequence[Held], record: Record) -> Iterator[Slot]:
    """What a learner, to whom all of `given` was given of an achievement, may earn of it: first versions of the cycle
    under way, then the next cycle."""
    if not given and lineage.is_plain:
        yield Slot(lineage.versions[0], FIRST_CYCLE, ALWAYS, None)
        return
    cycles = cycles_of(lineage, given)
    under_way = [cycle for cycle in cycles if cycle.badges]
    if under_way and any(held.is_barred for held in under_way[-1].badges):
        return
    for cycle in cycles[max(0, len(under_way) - 1) :]:
        newest = cycle.badges[-1] if cycle.badges else None
        if newest is not None and newest.is_over:
            continue
        above = 0 if newest is None else newest.version
        for version in _line(lineage, cycle, record):
            if version.version > above:
                window = Window(cycle.since, lineage.closed_at(version.version))
                yield Slot(version, cycle.number, window, cycle.before)


def judging_slots(lineage: Lineage, given: Sequence[Held], record: Record) -> Iterator[Slot]:
    """By which versions a learner is or was judged, cycle by cycle, and within which window each: also those whose
    badge they were given already."""
    for cycle in cycles_of(lineage, given):
        for version in _line(lineage, cycle, record):
            window = Window(cycle.since, lineage.closed_at(version.version))
            yield Slot(version, cycle.number, window, cycle.before)


def earned(slot: Slot, record: Record) -> Outcome:
    """The outcome of what a slot asks for, at the earliest instant at which it was met."""
    outcome = met_within(slot.achievement.tree, record, slot.window)
    if outcome.met_at is None or has_come(slot, outcome.met_at, record):
        return outcome
    return Outcome(slot.achievement.tree)


def has_come(slot: Slot, met_at: datetime, record: Record) -> bool:
    """Whether something shows that the instant `met_at`, at which something was met in a slot, has come: badges alone,
    valid all along, meet what is asked as soon as renewal opens, and there is no clock in a rule."""
    since = slot.window.since
    if since is None or met_at > since or (slot.before is not None and slot.before.is_expired):
        return True
    if any(fact.occurred_at >= since for about in record.facts.values() for fact in about):
        return True
    return any(badge.valid_from >= since for name in slot.achievement.tree.badges for badge in record.badges_of(name))


def ends_at(achievement: Achievement, begins: datetime, before: Held | None) -> datetime | None:
    """Until when a badge is valid that begins at an instant and follows the badge `before`; None: for ever."""
    days = achievement.published.valid_for_days
    if days is None:
        return None
    if before is not None and before.valid_until is not None:
        begins = max(begins, before.valid_until)
    try:
        return begins + timedelta(days=days)
    except OverflowError:  # beyond the year 9999
        return None


def judged_by(lineage: Lineage, cycle: Cycle, record: Record) -> tuple[Achievement, Achievement, datetime | None]:
    """The version that judges a learner in a cycle, the one that they started, and when they did; who has not started
    will start the newest."""
    first = begun_at(lineage.mentions, lineage.badges, record, Window(cycle.since))
    if first is None:
        return lineage.versions[-1], lineage.versions[-1], None
    started = lineage.started_by(first)
    return lineage.line_from(started)[-1], started, first


def _line(lineage: Lineage, cycle: Cycle, record: Record) -> tuple[Achievement, ...]:
    if len(lineage.versions) == 1:
        return lineage.versions
    first = begun_at(lineage.mentions, lineage.badges, record, Window(cycle.since))
    return () if first is None else lineage.line_from(lineage.started_by(first))


def _renewal_opens(lineage: Lineage, held: Held) -> timedelta:
    return next(version.renewal_opens for version in lineage.versions if version.version == held.version)
