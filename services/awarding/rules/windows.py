"""When a requirement was met, within a span of time, where badges begin and end (expiry, renewal, versions)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import NamedTuple

from services.awarding.model import About, Fact, Held
from services.awarding.rules.outcome import Outcome, Part, Record, first_choice
from services.awarding.rules.tree import Node, proof_of

_BEGINNING = datetime.min.replace(tzinfo=UTC)

# An instant, and whether it is the moment itself (0) or just after it (1), when a badge has ended that was valid up
# to and including it.
_Moment = tuple[datetime, int]


class Window(NamedTuple):
    """A span of time: what occurred since (inclusive) and until (exclusive); None: without end."""

    since: datetime | None = None
    until: datetime | None = None


ALWAYS = Window()


class Stretch(NamedTuple):
    """What counts in a window for as long as the same badges are valid: from the moment `begins` to before `ends`, and
    before the instant `until` (None: without end)."""

    record: Record
    begins: _Moment
    ends: _Moment | None
    until: datetime | None

    def dated(self, met_at: datetime | None) -> datetime | None:
        """When something was met in this stretch that its record meets since `met_at`; None: it was not."""
        if met_at is None:
            return None
        met = max((met_at, 0), self.begins)
        if self.ends is not None and met >= self.ends:
            return None
        return met[0] if self.until is None or met[0] < self.until else None


def stretches(tree: Part, record: Record, window: Window) -> Iterator[Stretch]:
    """The stretches of a window, in order of time: the facts that occurred in it, and the badges of each moment."""
    if window == ALWAYS and tree.badges.isdisjoint(record.several):
        yield Stretch(record, (_BEGINNING, 0), None, None)
        return
    facts = _facts_in(tree.mentions, record, window)
    badges = [badge for name in tree.badges for badge in record.badges_of(name) if _overlaps(badge, window)]
    moments = _moments(badges, window)
    for begins, ends in zip_longest(moments, moments[1:]):
        yield Stretch(Record(facts, _valid_at(badges, begins)), begins, ends, window.until)


def met_within(tree: Node, record: Record, window: Window) -> Outcome:
    """The outcome at the earliest instant in the window at which the requirement was met: by facts that occurred in
    the window, and by badges that were all valid at that instant."""
    for stretch in stretches(tree, record, window):
        outcome = proof_of(tree, stretch.record)
        met_at = stretch.dated(outcome.met_at)
        if met_at is not None:
            return outcome._replace(met_at=met_at)
    return Outcome(tree)


def at_best(tree: Part, record: Record, window: Window) -> Record:
    """What counts in a window as if all its badges had been valid at once: what is not met by this was at no instant
    of the window."""
    badges = {name: [badge for badge in record.badges_of(name) if _overlaps(badge, window)] for name in tree.badges}
    held = {name: first_choice(several) for name, several in badges.items() if several}
    return Record(_facts_in(tree.mentions, record, window), held)


def since(record: Record, instant: datetime | None, tree: Node) -> Record:
    """What counts now of the record, for a requirement to be met by what occurred since an instant."""
    if instant is None:
        return record
    held = {name: badge for name, badge in record.held.items() if _overlaps(badge, Window(instant))}
    return Record(_facts_in(tree.mentions, record, Window(instant)), held)


def begun_at(mentions: Iterable[About], badges: Iterable[str], record: Record, window: Window) -> datetime | None:
    """When the learner first did, or held, something of what is mentioned in the window; None: never."""
    facts = _facts_in(mentions, record, window).values()
    begun = [fact.occurred_at for about in facts for fact in about]
    floor = window.since or _BEGINNING
    begun += (
        max(floor, badge.valid_from) for name in badges for badge in record.badges_of(name) if _overlaps(badge, window)
    )
    return min(begun, default=None)


def _facts_in(mentions: Iterable[About], record: Record, window: Window) -> dict[About, list[Fact]]:
    found = {about: record.facts[about] for about in mentions if about in record.facts}
    if window == ALWAYS:
        return found
    inside = {about: [fact for fact in facts if _is_in(fact.occurred_at, window)] for about, facts in found.items()}
    return {about: facts for about, facts in inside.items() if facts}


def _is_in(instant: datetime, window: Window) -> bool:
    return (window.since is None or instant >= window.since) and (window.until is None or instant < window.until)


def _overlaps(badge: Held, window: Window) -> bool:
    ends_before = window.since is not None and badge.valid_until is not None and badge.valid_until < window.since
    begins_after = window.until is not None and badge.valid_from >= window.until
    return not ends_before and not begins_after


def _moments(badges: Sequence[Held], window: Window) -> list[_Moment]:
    first = (window.since or _BEGINNING, 0)
    found = {first, *((badge.valid_from, 0) for badge in badges)}
    found |= {(badge.valid_until, 1) for badge in badges if badge.valid_until is not None}
    return sorted(moment for moment in found if moment >= first)


def _valid_at(badges: Iterable[Held], moment: _Moment) -> dict[str, Held]:
    valid: dict[str, list[Held]] = {}
    for badge in badges:
        if (badge.valid_from, 0) <= moment and (badge.valid_until is None or moment <= (badge.valid_until, 0)):
            valid.setdefault(badge.achievement_id, []).append(badge)
    return {name: first_choice(several) for name, several in valid.items()}
