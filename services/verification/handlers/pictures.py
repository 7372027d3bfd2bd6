"""Uploaded pictures are kept as they were told."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from libs.common.contracts.enrollment import PictureUploaded
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Work
from services.verification.model import KeptPicture
from services.verification.store import pictures as picture_store


class NotThatPicture(Exception):
    """A picture came with bytes that are not those of its digest: refused."""


async def on_picture_uploaded(work: Work, events: Sequence[Received[PictureUploaded]]) -> None:
    """Keep pictures by the digest of their bytes. Raises `NotThatPicture` when that is another."""
    found: list[tuple[str, KeptPicture]] = []
    for event in events:
        told = event.content
        if told is None:
            continue
        content = base64.b64decode(told.content)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if digest != told.digest:
            raise NotThatPicture(f"picture {told.digest}: expected bytes of this digest, found {digest}")
        drawn = None if told.drawn is None else base64.b64decode(told.drawn)
        found.append((digest, KeptPicture(told.media_type, content, drawn, event.event.time)))
    if found:
        await picture_store.keep_pictures(work.connection, found)
