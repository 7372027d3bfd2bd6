"""What authorised people do by hand (M1.37): asked for at the door, carried out by the worker, which can sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID, uuid5

from libs.common.contracts import ActDone, ActRecorded
from libs.common.messaging.work import Outgoing, Work
from services.awarding.handlers.award import award_touched, issue_badges
from services.awarding.handlers.office import SOURCE, Office
from services.awarding.handlers.standings import NOTHING_NEW
from services.awarding.handlers.states import evaluate_badges
from services.awarding.model import Act, Award, BadgeState, ByHand, Cause, Refused
from services.awarding.rules.acts import actor_told, decide_act, links_in
from services.awarding.rules.catalogue import Catalogue
from services.awarding.rules.history import act_told, history_of
from services.awarding.store import acts as act_store
from services.awarding.store import badges as badge_store

if TYPE_CHECKING:
    from services.awarding.store import Reader

FAILED = "it failed for a fault of ours, which was logged"
_KINDS: Mapping[BadgeState, Literal["revoke", "suspend", "reinstate"]] = {
    BadgeState.REVOKED: "revoke",
    BadgeState.SUSPENDED: "suspend",
    BadgeState.HOLDS: "reinstate",
}


async def record_act(work: Work, act: Act) -> Act:
    """Keep what a person asks for; answers the act as it is kept, which differs where its id was taken before."""
    await act_store.keep_acts(work.connection, [act])
    kept = await act_store.act(work.connection, act.act_id)
    assert kept is not None
    return kept


async def complete_acts(office: Office, work: Work, *, most: int, tried: list[UUID] | None = None) -> int:
    """Carry out what waits, of up to `most` learners one act each; answers how many. Several workers may do it.

    Which acts are taken on is noted in `tried`, so that it is known when carrying them out fails.
    """
    connection = work.connection
    catalogue = await office.catalogue(connection)
    waiting = await act_store.waiting_acts(connection, most)
    if tried is not None:
        tried[:] = [act.act_id for act, _ in waiting]
    if not waiting:
        return 0
    badges = await badge_store.badges_of(connection, {act.learner_id for act, _ in waiting})
    decided = [
        (act, decide_act(catalogue, act, badges.get(act.learner_id, ()), office.namespace)
         if registered or act.kind != "award" else Refused("expected a registered learner"))
        for act, registered in waiting
    ]  # fmt: skip
    await _settle(work, decided)
    by_hand = [found for _, found in decided if isinstance(found, ByHand)]
    if by_hand:
        await act_store.decide_by_hand(connection, by_hand)
        for act, found in decided:
            if isinstance(found, ByHand):
                work.tell(_told(act, found))
    awards = [found for _, found in decided if isinstance(found, Award)]
    if awards:
        await issue_badges(office, work, catalogue, awards)
    await _follow(office, work, catalogue, [(act, found) for act, found in decided if not isinstance(found, Refused)])
    return len(waiting)


async def _settle(work: Work, decided: Sequence[tuple[Act, Award | ByHand | Refused]]) -> None:
    """Note what became of acts, and tell it, so that the audit outlives the database (M1.37)."""
    done = await act_store.done_acts(work.connection, [_outcome(act, found) for act, found in decided])
    for act, found in decided:
        if act.act_id in done:
            badge_id, done_at = done[act.act_id]
            refusal = found.why if isinstance(found, Refused) else None
            work.tell(_recorded(replace(act, badge_id=badge_id, done_at=done_at, refusal=refusal)))


async def _follow(
    office: Office, work: Work, catalogue: Catalogue, decided: Sequence[tuple[Act, Award | ByHand]]
) -> None:
    """What follows from acts for the learners' other badges: what an award helps to earn, what falls or comes back."""
    touched = {
        act.learner_id: set(catalogue.by_badge.get(act.achievement_id, ()))
        for act, found in decided
        if isinstance(found, Award)
    }
    await award_touched(office, work, catalogue, touched, NOTHING_NEW)
    causes = {
        act.learner_id: Cause(act.act_id, act.asked_at, act.traceparent, act.badge_id, act.reason) for act, _ in decided
    }
    await evaluate_badges(office, work, catalogue, causes)


def _told(act: Act, decision: ByHand) -> Outgoing:
    """What a person decided, so that a rebuilt awarding knows it too."""
    held = decision.kept.held
    content = ActDone(
        act_id=act.act_id, kind=_KINDS[decision.state], badge_id=held.badge_id, learner_id=held.learner_id,
        achievement_id=held.achievement_id, reason=act.reason, asked_at=act.asked_at,
    )  # fmt: skip
    return Outgoing(
        topic=ActDone.TOPIC,
        key=str(held.badge_id),
        event_id=uuid5(act.act_id, "done"),
        type=ActDone.TYPE,
        source=SOURCE,
        subject=str(held.badge_id),
        time=act.asked_at,
        value=content.model_dump_json().encode(),
        traceparent=act.traceparent,
    )


def _recorded(act: Act) -> Outgoing:
    assert act.done_at is not None
    key = f"act:{act.act_id}"
    content = ActRecorded(
        act_id=act.act_id, kind=act.kind, learner_id=act.learner_id, achievement_id=act.achievement_id,
        badge_id=act.badge_id, reason=act.reason, actor=actor_told(act.actor), evidence_links=links_in(act.evidence),
        asked_at=act.asked_at, done_at=act.done_at, refusal=act.refusal, job_id=act.job_id, line=act.line,
    )  # fmt: skip
    return Outgoing(
        topic=ActRecorded.TOPIC,
        key=key,
        event_id=uuid5(act.act_id, "recorded"),
        type=ActRecorded.TYPE,
        source=SOURCE,
        subject=key,
        time=act.asked_at,
        value=content.model_dump_json(exclude_none=True).encode(),
        traceparent=act.traceparent,
    )


def _outcome(act: Act, found: Award | ByHand | Refused) -> tuple[UUID, str | None, UUID | None]:
    refusal = found.why if isinstance(found, Refused) else None
    return act.act_id, refusal, found.badge_id if isinstance(found, Award) else None


async def cancel_act(work: Work, act_id: UUID) -> None:
    """Give an act up, because carrying it out failed and will fail again: it is refused, if it waits still."""
    act = await act_store.act(work.connection, act_id)
    if act is not None:
        await _settle(work, [(act, Refused(FAILED))])


async def show_act(reader: Reader, act_id: UUID) -> dict[str, Any] | None:
    """What a person asked for and what became of it, or None."""
    found = await act_store.act(reader, act_id)
    return None if found is None else act_told(found)


async def show_history(reader: Reader, badge_id: UUID) -> dict[str, Any] | None:
    """All that became of a badge since its award, or None when there is no such badge."""
    badge = await act_store.badge_now(reader, badge_id)
    if badge is None:
        return None
    changes = await act_store.changes_of_badge(reader, badge_id)
    return history_of(badge, changes, await act_store.acts_on_badge(reader, badge_id))
