"""Pictures for issuers and achievements: kept, told once, and published with what they belong to."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any
from uuid import uuid5

from libs.common.contracts import PictureUploaded
from libs.common.messaging.work import Outgoing, Work
from libs.common.pictures import CleanPicture
from services.enrollment import rules, store
from services.enrollment.handlers.publishing import publish_achievement, publish_issuer
from services.enrollment.model import SOURCE, NotPublished, Published, RehearsalPolicy


async def upload_picture_of_issuer(
    work: Work, issuer_id: str, picture: CleanPicture, caption: str, *, by: str, at: datetime
) -> Published | NotPublished | None:
    """Publish the issuer with this picture; None when there is no such issuer.

    `caption` says what the picture shows, `by` names the caller, `at` is now.
    """
    await store.take_publishing_lock(work.connection)
    issuer = await store.issuer(work.connection, issuer_id)
    if issuer is None:
        return None
    document = issuer.model_dump(mode="json", exclude_none=True, exclude={"issuer_id"})
    named = await _kept(work, picture, caption, by=by, at=at)
    return await publish_issuer(work, issuer_id, {**document, "picture": named}, by=by, at=at)


async def upload_picture_of_achievement(
    work: Work,
    achievement_id: str,
    picture: CleanPicture,
    caption: str,
    policy: RehearsalPolicy,
    *,
    by: str,
    at: datetime,
) -> Published | NotPublished | None:
    """Publish the next version of the achievement, which is the latest with this picture; None when there is none.

    A picture changes nothing of what is recorded, so that no rehearsal is needed.
    """
    await store.take_publishing_lock(work.connection)
    latest = await store.latest_version(work.connection, achievement_id)
    if latest is None:
        return None
    document = latest.model_dump(
        mode="json", exclude_none=True, exclude={"achievement_id", "version", "published_at"}
    )  # fmt: skip
    named = await _kept(work, picture, caption, by=by, at=at)
    return await publish_achievement(work, achievement_id, {**document, "picture": named}, policy, by=by, at=at)


async def _kept(work: Work, picture: CleanPicture, caption: str, *, by: str, at: datetime) -> dict[str, Any]:
    """What a publication says of the picture, which is kept and, if it is new, told."""
    digest = picture.digest
    if await store.keep_picture(work.connection, picture, at=at, by=by):
        content = PictureUploaded(
            digest=digest,
            media_type="image/png" if picture.media_type == "image/png" else "image/svg+xml",
            content=base64.b64encode(picture.content).decode(),
            drawn=None if picture.drawn is None else base64.b64encode(picture.drawn).decode(),
        )
        work.tell(
            Outgoing(
                topic=PictureUploaded.TOPIC,
                key=f"picture:{digest.removeprefix('sha256:')}",
                event_id=uuid5(rules.NAMESPACE, f"picture|{digest}"),
                type=PictureUploaded.TYPE,
                source=SOURCE,
                subject=digest,
                time=at,
                value=content.model_dump_json(exclude_none=True).encode(),
            )
        )
    return {"digest": digest, "caption": caption}
