"""Pictures that people upload, made safe to show to anybody: in a process of its own, bounded in time and memory."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from dataclasses import dataclass

from libs.common.pictures.refusal import NotTaken
from libs.common.sandbox import Killed, NotStarted, Sandbox

__all__ = ["LARGEST_BYTES", "MEDIA_TYPES", "CleanPicture", "NotTaken", "PictureDesk"]

MEDIA_TYPES = ("image/png", "image/svg+xml", "image/jpeg", "image/webp")
LARGEST_BYTES = 512 * 1024
# By the clock; of CPU time it has what every job in the sandbox has.
_PATIENCE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class CleanPicture:
    """A picture as it is published: PNG or SVG by `media_type`. `drawn` is what an SVG looks like, as PNG."""

    media_type: str
    content: bytes
    drawn: bytes | None

    @property
    def digest(self) -> str:
        """`sha256:<hex>` of the bytes."""
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"


class PictureDesk:
    """Takes pictures one at a time."""

    def __init__(self) -> None:
        self._sandbox = Sandbox(_PATIENCE_SECONDS, jobs="libs.common.pictures.jobs")
        self._turn = asyncio.Lock()

    def close(self) -> None:
        """End the process."""
        self._sandbox.close()

    async def clean(self, content: bytes, media_type: str) -> CleanPicture:
        """`content`, which its sender calls `media_type` (one of `MEDIA_TYPES`), as it may be published.

        Raises `NotTaken`, which says why not, and `NotStarted` where it cannot be looked at just now.
        """
        given = base64.b64encode(content).decode()
        try:
            async with self._turn:
                result = await self._sandbox.do("clean", content=given, media_type=media_type)
        except NotStarted:
            raise
        except Killed:
            raise NotTaken("expected a picture that is quickly read, found one that takes too much") from None
        if "refused" in result:
            raise NotTaken(str(result["refused"]))
        drawn = base64.b64decode(result["drawn"]) if "drawn" in result else None
        return CleanPicture(result["media_type"], base64.b64decode(result["content"]), drawn)
