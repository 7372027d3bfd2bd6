"""`/achievements/{id}/picture` and `/issuers/{id}/picture`: uploading what badges show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from libs.common.messaging.work import begin
from libs.common.pictures import LARGEST_BYTES, MEDIA_TYPES, CleanPicture, NotTaken, PictureDesk
from libs.common.problems import RETRY_AFTER_SECONDS, Problem
from libs.common.sandbox import NotStarted
from services.enrollment import handlers
from services.enrollment.api.catalogue import NOT_BLANK, Id, Publisher
from services.enrollment.api.exchange import published
from services.enrollment.settings import EnrollmentSettings

router = APIRouter(tags=["catalogue"])

# What the picture shows, for those who cannot see it (OB 3.0, Image.caption).
Shows = Annotated[str, Query(min_length=1, max_length=300, pattern=NOT_BLANK)]
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in MEDIA_TYPES},
    }
}


@router.put("/achievements/{achievement_id}/picture", openapi_extra=_FILE)
async def put_achievement_picture(
    request: Request, achievement_id: Id, publisher: Publisher, caption: Shows
) -> Response:  # fmt: skip
    """Publish the next version of an achievement, which shows this picture: 201, or 200 when the latest shows it.

    The body is PNG, SVG, JPEG or WebP, at most 512 KiB; the picture is kept as PNG or SVG, made safe and square.
    """
    picture = await _picture_in(request)
    policy = cast("EnrollmentSettings", request.app.state.settings).rehearsal_policy()
    async with begin(request.app.state.database) as work:
        outcome = await handlers.upload_picture_of_achievement(
            work, achievement_id, picture, caption, policy, by=publisher.subject, at=datetime.now(UTC)
        )
    if outcome is None:
        raise Problem(404, "Unknown achievement", "Expected the id of a published achievement.")
    return published(outcome, f"/achievements/{achievement_id}")


@router.put("/issuers/{issuer_id}/picture", openapi_extra=_FILE)
async def put_issuer_picture(request: Request, issuer_id: Id, publisher: Publisher, caption: Shows) -> Response:
    """Publish an issuer with this picture as its logo: 201, or 200 when it has it already. The body is as above."""
    picture = await _picture_in(request)
    async with begin(request.app.state.database) as work:
        outcome = await handlers.upload_picture_of_issuer(
            work, issuer_id, picture, caption, by=publisher.subject, at=datetime.now(UTC)
        )
    if outcome is None:
        raise Problem(404, "Unknown issuer", "Expected the id of a published issuer.")
    return published(outcome, f"/issuers/{issuer_id}")


async def _picture_in(request: Request) -> CleanPicture:
    """The picture in the body. Raises `Problem` 413, 415 or 422, which say what was expected and found."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        detail = f"Expected {', '.join(MEDIA_TYPES)}, found {media_type or 'nothing'!r:.80}."
        raise Problem(415, "Unsupported content type", detail, headers=(("Accept", ", ".join(MEDIA_TYPES)),))
    content = await request.body()
    if len(content) > LARGEST_BYTES:
        raise Problem(413, "Picture too large", f"Expected at most {LARGEST_BYTES} bytes, found {len(content)}.")
    if not content:
        raise Problem(422, "Picture is not taken", f"Expected {media_type}, found nothing.")
    desk: PictureDesk = request.app.state.pictures
    try:
        return await desk.clean(content, media_type)
    except NotTaken as refusal:
        text = str(refusal)
        raise Problem(422, "Picture is not taken", f"{text[:1].upper()}{text[1:]}.") from None
    except NotStarted:
        retry = (("Retry-After", str(RETRY_AFTER_SECONDS)),)
        raise Problem(503, "Busy", "Pictures cannot be looked at just now; try again.", headers=retry) from None
