"""Learners' facts come in, or turn out not to count."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from libs.common.contracts import (
    ActivityCompleted,
    AssessmentScored,
    CompletionRetracted,
    EvidenceVerified,
    EvidenceWithdrawn,
    ScoreVoided,
)
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Work
from services.awarding.handlers.award import award_touched
from services.awarding.handlers.office import Office
from services.awarding.handlers.standings import NOTHING_NEW, New
from services.awarding.handlers.states import evaluate_badges
from services.awarding.model import About, Cause, FactKind, NewFact, NewVoid
from services.awarding.rules.scores import points_of
from services.awarding.rules.states import cause_of, may_not_hold, note_cause
from services.awarding.store import facts as fact_store
from services.awarding.store import learners as learner_store

_ACTIVITY, _ASSESSMENT, _EVIDENCE = int(FactKind.ACTIVITY), int(FactKind.ASSESSMENT), int(FactKind.EVIDENCE)


async def on_activity_completed(office: Office, work: Work, events: Sequence[Received[ActivityCompleted]]) -> None:
    """Learners completed activities."""
    facts = [
        NewFact(content.learner_id, _ACTIVITY, content.activity_id, heard.event_id, heard.event.time,
                traceparent=heard.event.traceparent)
        for heard in events
        if (content := heard.content) is not None
    ]  # fmt: skip
    await keep_facts(office, work, facts)


async def on_assessment_scored(office: Office, work: Work, events: Sequence[Received[AssessmentScored]]) -> None:
    """Learners' attempts at assessments were scored."""
    facts = [
        NewFact(content.learner_id, _ASSESSMENT, content.assessment_id, heard.event_id, heard.event.time,
                *points_of(content.score), traceparent=heard.event.traceparent)
        for heard in events
        if (content := heard.content) is not None
    ]  # fmt: skip
    await keep_facts(office, work, facts)


async def on_evidence_verified(office: Office, work: Work, events: Sequence[Received[EvidenceVerified]]) -> None:
    """Assessors verified components of learners' evidence (M4.4)."""
    facts = [
        NewFact(content.learner_id, _EVIDENCE, content.component_id, heard.event_id, heard.event.time,
                assessor=content.assessor, digest=content.digest, traceparent=heard.event.traceparent)
        for heard in events
        if (content := heard.content) is not None
    ]  # fmt: skip
    await keep_facts(office, work, facts)


async def on_completion_retracted(office: Office, work: Work, events: Sequence[Received[CompletionRetracted]]) -> None:
    """Completions did not happen."""
    voids = [
        NewVoid(content.learner_id, _ACTIVITY, content.activity_id, content.supersedes, heard.event_id,
                heard.event.time, heard.event.traceparent)
        for heard in events
        if (content := heard.content) is not None
    ]  # fmt: skip
    await void_facts(office, work, voids)


async def on_score_voided(office: Office, work: Work, events: Sequence[Received[ScoreVoided]]) -> None:
    """Scores do not count any more."""
    voids = [
        NewVoid(content.learner_id, _ASSESSMENT, content.assessment_id, content.supersedes, heard.event_id,
                heard.event.time, heard.event.traceparent)
        for heard in events
        if (content := heard.content) is not None
    ]  # fmt: skip
    await void_facts(office, work, voids)


async def on_evidence_withdrawn(office: Office, work: Work, events: Sequence[Received[EvidenceWithdrawn]]) -> None:
    """Evidence that was verified is withdrawn (B4)."""
    voids = [
        NewVoid(content.learner_id, _EVIDENCE, content.component_id, content.supersedes, heard.event_id,
                heard.event.time, heard.event.traceparent)
        for heard in events
        if (content := heard.content) is not None
    ]  # fmt: skip
    await void_facts(office, work, voids)


async def keep_facts(office: Office, work: Work, facts: Sequence[NewFact]) -> None:
    """Keep facts, award what they complete, and look again at badges that they may shake or bring back."""
    if not facts:
        return
    catalogue = await office.catalogue(work.connection)
    registered, erased, unsettled = await learner_store.locked_learners(
        work.connection, {fact.learner_id for fact in facts}
    )
    if erased:
        facts = [fact for fact in facts if fact.learner_id not in erased]
    first = await fact_store.keep_facts(work.connection, facts)
    if not office.decides:
        return
    touched: dict[str, set[str]] = {}
    new: dict[str, dict[UUID, set[About]]] = {}
    causes: dict[str, Cause] = {}
    by_about, fragile = catalogue.by_about, catalogue.fragile
    for fact in facts:
        names = by_about.get((fact.kind, fact.object_id))
        if not names:
            continue  # no badge depends on it
        if fact.learner_id in registered:
            touched.setdefault(fact.learner_id, set()).update(names)
            events = new.setdefault(fact.learner_id, {})
            events.setdefault(fact.event_id, set()).add((fact.kind, fact.object_id))
        if fact.learner_id in unsettled or (fragile and (fact.kind, fact.object_id) in fragile):
            note_cause(causes, fact.learner_id, Cause(fact.event_id, fact.occurred_at, fact.traceparent))
    awards = await award_touched(office, work, catalogue, touched, New(new, first))
    for award in awards:
        if may_not_hold(catalogue, award):
            causes.setdefault(award.learner_id, cause_of(award))
    await evaluate_badges(office, work, catalogue, _of(registered, causes))


async def void_facts(office: Office, work: Work, voids: Sequence[NewVoid]) -> None:
    """Note that facts do not count, and look at all badges of their learners again."""
    if not voids:
        return
    catalogue = await office.catalogue(work.connection)
    registered, erased, _ = await learner_store.locked_learners(work.connection, {void.learner_id for void in voids})
    voids = [void for void in voids if void.learner_id not in erased]
    await fact_store.keep_voided(work.connection, voids)
    if not office.decides:
        return
    # Where only the latest attempt counts, an earlier one may have come to the fore.
    touched: dict[str, set[str]] = {}
    causes: dict[str, Cause] = {}
    for void in voids:
        note_cause(causes, void.learner_id, Cause(void.voided_by, void.occurred_at, void.traceparent))
        names = catalogue.by_about.get((void.kind, void.object_id))
        if names and void.learner_id in registered:
            touched.setdefault(void.learner_id, set()).update(names)
    await award_touched(office, work, catalogue, touched, NOTHING_NEW)
    await evaluate_badges(office, work, catalogue, _of(registered, causes))


def _of(registered: set[str], causes: dict[str, Cause]) -> dict[str, Cause]:
    return {learner: cause for learner, cause in causes.items() if learner in registered}
