"""Where learners stand: what is loaded to decide on, all of it or, of many attempts, first what tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from services.awarding.model import About, Fact, Held
from services.awarding.rules.awards import Standing, by_achievement, in_order_of_arrival
from services.awarding.rules.catalogue import Catalogue
from services.awarding.rules.hopes import may_earn, spans
from services.awarding.rules.outcome import Record
from services.awarding.store import attempts as attempt_store
from services.awarding.store import badges as badge_store
from services.awarding.store import facts as fact_store
from services.awarding.store.attempts import Span

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection

# Achievement ids by learner id.
Touched = Mapping[str, set[str]]
# A learner's badges by achievement.
Given = Mapping[str, Sequence[Held]]


@dataclass(frozen=True, slots=True)
class New:
    """The events that came in now: all that each is about (an imported badge is two facts), by learner; and the place
    of arrival at which they begin, before which all lies that was known of these learners (None: nothing came in that
    was not there)."""

    events: Mapping[str, Mapping[UUID, Set[About]]] = field(default_factory=dict[str, Mapping[UUID, Set[About]]])
    first: int | None = None


NOTHING_NEW = New()


async def read_standings(
    connection: Connection, catalogue: Catalogue, hopeful: Touched, new: New | None
) -> list[Standing]:
    """All that matters to the hopeful achievements and to those above them, for each learner; but for learners with
    many attempts by whom nothing can be due."""
    scopes = {learner: catalogue.reachable(names) for learner, names in hopeful.items()}
    lineages = catalogue.lineages
    held = await badge_store.held_badges(
        connection,
        {(learner, badge) for learner, scope in scopes.items() for name in scope
         for badge in (name, *lineages[name].badges)},
    )  # fmt: skip
    wanted = {learner: catalogue.objects_of(scope) for learner, scope in scopes.items()}
    if new is None:
        facts = await fact_store.facts_about(connection, list(wanted.items()))
    else:
        facts = await fact_store.facts_about(connection, list(wanted.items()), fact_store.MANY)
        crowded = {learner: scopes[learner] for learner, found in facts.items() if len(found) >= fact_store.MANY}
        if crowded:
            due = await _who_may_earn(connection, catalogue, crowded, held, new)
            facts.update(await fact_store.facts_about(connection, [(learner, wanted[learner]) for learner in due]))
            scopes = {learner: scope for learner, scope in scopes.items() if learner not in crowded or learner in due}
    return [
        _standing(catalogue, learner, scope, facts.get(learner, []), badges=held.get(learner, []), new=new)
        for learner, scope in sorted(scopes.items())
    ]


def _standing(
    catalogue: Catalogue,
    learner: str,
    scope: Iterable[str],
    facts: Sequence[Fact],
    *,
    badges: Sequence[Held],
    new: New | None,
) -> Standing:
    standing = [badge for badge in badges if badge.stands]
    given = by_achievement(badges)
    open_ids = frozenset(name for name in scope if not catalogue.lineages[name].is_settled(given.get(name, ())))
    if new is None:
        return Standing(learner, Record(), in_order_of_arrival(facts, standing), open_ids, given)
    arrived = new.events.get(learner, {})
    known = Record.of((fact for fact in facts if fact.event_id not in arrived), standing)
    return Standing(learner, known, [fact for fact in facts if fact.event_id in arrived], open_ids, given)


async def _who_may_earn(
    connection: Connection, catalogue: Catalogue, scopes: Touched, held: Mapping[str, Sequence[Held]], new: New
) -> set[str]:
    """Which of these learners anything may be due to, by the few facts that tell of many."""
    given = {learner: by_achievement(held.get(learner, ())) for learner in scopes}
    known = await read_telling(connection, catalogue, scopes, given, new.first)
    named: dict[tuple[str, About], list[UUID]] = {}
    for learner in scopes:
        for event_id, abouts in new.events.get(learner, {}).items():
            for about in abouts:
                named.setdefault((learner, about), []).append(event_id)
    came = await attempt_store.named_facts(connection, named) if named else {}
    due = set[str]()
    for learner, scope in scopes.items():
        new_ids = new.events.get(learner, {})
        facts = [fact for fact in known.get(learner, ()) if fact.event_id not in new_ids]
        facts += came.get(learner, ())
        if may_earn(catalogue, _standing(catalogue, learner, scope, facts, badges=held.get(learner, ()), new=new)):
            due.add(learner)
    return due


async def read_telling(
    connection: Connection,
    catalogue: Catalogue,
    scopes: Mapping[str, Iterable[str]],
    given: Mapping[str, Given],
    before: int | None = None,
) -> dict[str, list[Fact]]:
    """The facts that tell what each learner did about these achievements, of those that arrived `before` that place;
    `given` are the learners' badges."""
    asked = [
        Span(learner, about, window.since, window.until)
        for learner, names in scopes.items()
        for about, window in spans(catalogue, names, given.get(learner, {}))
    ]
    return await attempt_store.telling_facts(connection, asked, before) if asked else {}
