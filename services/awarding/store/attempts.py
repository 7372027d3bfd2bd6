"""What there is to know of many attempts at one thing: the few facts that tell, and facts by their events."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from services.awarding.model import About, Fact
from services.awarding.store import ATTEMPTS
from services.awarding.store.facts import by_learner

if TYPE_CHECKING:
    from services.awarding.store import Reader


class Span(NamedTuple):
    """What one learner did about one thing from `since` on (inclusive) until `until` (exclusive); None: without end."""

    learner_id: str
    about: About
    since: datetime | None
    until: datetime | None


async def telling_facts(reader: Reader, spans: Sequence[Span], before: int | None = None) -> dict[str, list[Fact]]:
    """Of the facts of each span that count, and arrived `before` that place: the first, the last, the best, and all
    imported badges; by learner, each once."""
    rows = await reader.fetch(
        ATTEMPTS["telling_facts"],
        [span.learner_id for span in spans],
        [span.about[0] for span in spans],
        [span.about[1] for span in spans],
        [span.since for span in spans],
        [span.until for span in spans],
        [before] * len(spans),
    )
    return {learner: list(dict.fromkeys(facts)) for learner, facts in by_learner(rows).items()}


async def named_facts(reader: Reader, named: Mapping[tuple[str, About], Collection[UUID]]) -> dict[str, list[Fact]]:
    """The facts that count of these events, which are named by learner and by what they may be about: by learner, in
    order of arrival."""
    rows = await reader.fetch(
        ATTEMPTS["named_facts"],
        [learner for learner, _ in named],
        [kind for _, (kind, _) in named],
        [object_id for _, (_, object_id) in named],
        [" ".join(map(str, events)) for events in named.values()],
    )
    return by_learner(rows)
