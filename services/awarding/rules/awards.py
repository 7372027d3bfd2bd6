"""Which badges are due to one learner: a walk through the events in their order of arrival.

The walk makes the answer depend on the order in which events arrived, and on nothing else: not on how they were cut
into batches, and not on whether the achievement was published before or after them (B2). A badge that is due is held
from then on, and what requires it is decided next, in topological order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from uuid import UUID

from libs.common.credentials.identifiers import badge_id
from services.awarding.model import Award, Fact, Held, Nothing, Trigger
from services.awarding.rules.catalogue import Achievement, Catalogue
from services.awarding.rules.outcome import Outcome, Record, proving_badges, proving_facts
from services.awarding.rules.slots import Slot, earned, ends_at, open_slots


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one learner stands: what is known already, what arrives now, and what is still to be earned.

    `arrivals` are in the order of arrival. `open_ids` are the achievements to decide on, `given` all badges of those
    that the learner was given, whatever became of them.
    """

    learner_id: str
    known: Record
    arrivals: Sequence[Fact | Held]
    open_ids: frozenset[str]
    given: Mapping[str, Sequence[Held]] = field(default_factory=dict[str, Sequence[Held]])


def decide_awards(catalogue: Catalogue, standing: Standing, namespace: UUID) -> tuple[Award | Nothing, ...]:
    """What is due to a learner, in the order in which it becomes due, and then what is not due and why.

    Badge ids are derived under the secret `namespace`. The standing's record grows by the way.
    """
    walk = _Walk(catalogue, standing, namespace)
    for arrival in standing.arrivals:
        walk.arrive(arrival)
    # What no arrival completes: a fact that was voided may have brought a better attempt to the fore.
    walk.look_at(standing.open_ids, None)
    awarded = {award.achievement_id for award in walk.awards}
    nothing = (Nothing(standing.learner_id, name, walk.why_not(name)) for name in sorted(walk.open_ids - awarded))
    return (*walk.awards, *nothing)


class _Walk:
    """One learner's record as it grows."""

    def __init__(self, catalogue: Catalogue, standing: Standing, namespace: UUID) -> None:
        self.catalogue = catalogue
        self.namespace = namespace
        self.learner_id = standing.learner_id
        self.record = standing.known
        self.given = {name: list(given) for name, given in standing.given.items()}
        self.open_ids = {name for name in standing.open_ids if name in catalogue.achievements}
        self.awards: list[Award] = []

    def arrive(self, arrival: Fact | Held) -> None:
        """Add an event or a badge to the record and decide on what mentions it."""
        if isinstance(arrival, Fact):
            self.record.add(arrival)
            trigger = Trigger(arrival.event_id, arrival.arrived, arrival.traceparent)
            self.look_at(self.catalogue.by_about.get(arrival.about, ()), trigger)
        else:
            self.record.hold(arrival)
            self.look_at(self.catalogue.by_badge.get(arrival.achievement_id, ()), arrival.trigger)

    def look_at(self, names: Iterable[str], trigger: Trigger | None) -> None:
        """Decide on achievements, and on those that their badges help to earn, what is required first."""
        rank = self.catalogue.rank
        queue = [(rank[name], name) for name in names if name in self.open_ids]
        queue.sort()
        while queue:
            _, name = heappop(queue)
            if name not in self.open_ids or not self._earn(name, trigger):
                continue
            for above in self.catalogue.by_badge.get(name, ()):
                if above in self.open_ids:
                    heappush(queue, (rank[above], above))

    def why_not(self, name: str) -> str:
        """Why an achievement is not due."""
        return "not met" if self._is_issuable(self.catalogue.achievements[name]) else "issuer unknown"

    def _is_issuable(self, achievement: Achievement) -> bool:
        return achievement.published.issuer_id in self.catalogue.issuers

    def _earn(self, name: str, trigger: Trigger | None) -> bool:
        """Award what is due of one achievement, version by version and cycle by cycle; answers whether any was."""
        due = self._due(name)
        is_any = due is not None
        while due is not None:
            self._award(*due, trigger)
            due = self._due(name) if name in self.open_ids else None
        return is_any

    def _due(self, name: str) -> tuple[Slot, Outcome] | None:
        for slot in open_slots(self.catalogue.lineages[name], self.given.get(name, ()), self.record):
            if self._is_issuable(slot.achievement):
                outcome = earned(slot, self.record)
                if outcome.met:
                    return slot, outcome
        return None

    def _award(self, slot: Slot, outcome: Outcome, trigger: Trigger | None) -> None:
        met_at = outcome.met_at
        assert met_at is not None
        facts, badges = proving_facts(outcome), proving_badges(outcome)
        trigger = trigger or _last_of(facts, badges)
        name, version, cycle = slot.achievement.achievement_id, slot.achievement.version, slot.cycle
        derived = badge_id(self.namespace, self.learner_id, name, str(version), cycle)
        ends = ends_at(slot.achievement, met_at, slot.before)
        award = Award(derived, self.learner_id, name, version, cycle, met_at, facts, badges, trigger, valid_until=ends)
        self.awards.append(award)
        held = held_by(award, slot.achievement)
        self.given.setdefault(name, []).append(held)
        self.record.hold(held)
        if self.catalogue.lineages[name].is_plain:
            self.open_ids.discard(name)


def held_by(award: Award, achievement: Achievement) -> Held:
    """The badge that an award gives, of this version of the achievement."""
    return Held(
        award.learner_id,
        award.achievement_id,
        award.version,
        award.badge_id,
        award.valid_from,
        achievement.published.credits,
        award.trigger,
        award.cycle,
        valid_until=award.valid_until,
    )


def _last_of(facts: Sequence[Fact], badges: Sequence[Held]) -> Trigger:
    """The last event to arrive among those that a requirement stands on."""
    triggers = [Trigger(fact.event_id, fact.arrived, fact.traceparent) for fact in facts]
    return max([*triggers, *(badge.trigger for badge in badges)], key=lambda trigger: trigger.arrived)


def in_order_of_arrival(facts: Iterable[Fact], held: Iterable[Held]) -> list[Fact | Held]:
    """Events and badges as they came: a badge right after the event that completed it."""
    entries: list[tuple[int, int, str, Fact | Held]] = [(fact.arrived, 0, "", fact) for fact in facts]
    entries += [(badge.trigger.arrived, 1, badge.achievement_id, badge) for badge in held]
    entries.sort(key=lambda entry: entry[:3])
    return [entry[3] for entry in entries]


def by_achievement(badges: Iterable[Held]) -> dict[str, list[Held]]:
    """Badges by their achievement."""
    given: dict[str, list[Held]] = {}
    for badge in badges:
        given.setdefault(badge.achievement_id, []).append(badge)
    return given
