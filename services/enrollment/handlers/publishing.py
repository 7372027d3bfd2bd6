"""Publishing issuers and achievements: what is published is told, and never changes afterwards (B5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid5

from libs.common.contracts import AchievementPublished, IssuerPublished
from libs.common.messaging.work import Outgoing, Work
from services.enrollment import rules, store
from services.enrollment.handlers.rehearsing import evaluate_rehearsal
from services.enrollment.model import SOURCE, Fault, NotPublished, Override, Published, RehearsalPolicy


async def publish_issuer(
    work: Work, issuer_id: str, document: Mapping[str, Any], *, by: str, at: datetime
) -> Published | NotPublished:
    """Publish an issuer; the same content again changes and tells nothing.

    `document` is the body without the id, `by` names the caller, `at` is now.
    """
    completed = await _completed(work, document)
    draft = completed if isinstance(completed, tuple) else rules.read_issuer(issuer_id, completed)
    if isinstance(draft, tuple):
        return NotPublished(422, "Invalid issuer", draft)
    await store.take_publishing_lock(work.connection)
    if await store.issuer(work.connection, issuer_id) == draft:
        return Published(draft, is_new=False)
    content = draft.model_dump_json(exclude_none=True).encode()
    await store.keep_issuer(work.connection, draft, content, at=at, by=by)
    work.tell(
        Outgoing(
            topic=IssuerPublished.TOPIC,
            key=f"issuer:{issuer_id}",
            event_id=uuid5(rules.NAMESPACE, f"issuer|{issuer_id}|{at.isoformat()}"),
            type=IssuerPublished.TYPE,
            source=SOURCE,
            subject=issuer_id,
            time=at,
            value=content,
        )
    )
    return Published(draft, is_new=True)


async def publish_achievement(
    work: Work,
    achievement_id: str,
    document: Mapping[str, Any],
    policy: RehearsalPolicy,
    *,
    by: str,
    at: datetime,
    override: Override | None = None,
) -> Published | NotPublished:
    """Publish the next version of an achievement; the same content as the latest changes and tells nothing.

    `document` is the body without id and time, its version optional; `by` names the caller, `at` is now. A draft
    that needs a rehearsal and has none that allows it is refused, unless somebody may and does `override` that (B3).
    """
    connection = work.connection
    await store.take_publishing_lock(connection)
    latest = await store.latest_version(connection, achievement_id)
    next_version = 1 if latest is None else latest.version + 1
    draft = await _completed(work, document)
    if not isinstance(draft, tuple):
        draft = rules.read_achievement(achievement_id, draft, next_version=next_version, published_at=at)
    if isinstance(draft, tuple):
        return NotPublished(422, "Invalid achievement", draft)
    decided = rules.decide_version(draft, latest, version_is_given=document.get("version") is not None)
    if isinstance(decided, NotPublished):
        return decided
    if decided is latest:
        return Published(decided, is_new=False)
    faults = (*rules.faults_of_time(draft), *rules.faults_of_tree(draft, await store.all_versions(connection)))
    if await store.issuer(connection, draft.issuer_id) is None:
        faults = (Fault("/issuer_id", f"expected a published issuer, found {draft.issuer_id!r}"), *faults)
    if faults:
        return NotPublished(422, "Achievement cannot be earned", faults)
    refusal = await evaluate_rehearsal(work, draft, latest, policy, override=override, at=at)
    if refusal is not None:
        return refusal
    await _keep(work, draft, by)
    return Published(draft, is_new=True)


async def _completed(work: Work, document: Mapping[str, Any]) -> Mapping[str, Any] | tuple[Fault, ...]:
    digest = rules.named_picture(document)
    media_type = None if digest is None else await store.picture_type(work.connection, digest)
    return rules.complete_picture(document, media_type)


async def _keep(work: Work, draft: AchievementPublished, by: str) -> None:
    content = draft.model_dump_json(exclude_none=True).encode()
    await store.keep_version(work.connection, draft, content, by=by)
    work.tell(
        Outgoing(
            topic=AchievementPublished.TOPIC,
            key=f"{draft.achievement_id}@{draft.version}",
            event_id=uuid5(rules.NAMESPACE, f"achievement|{draft.achievement_id}|{draft.version}"),
            type=AchievementPublished.TYPE,
            source=SOURCE,
            subject=draft.achievement_id,
            time=draft.published_at,
            value=content,
        )
    )
