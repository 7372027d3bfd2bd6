"""Pictures and certificates, drawn in a process of its own: bounded in time and memory, and remembered."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections import OrderedDict
from typing import Any

import orjson
import structlog

from libs.common.sandbox import Killed, Sandbox

__all__ = ["Busy", "Renderer", "Undrawable"]

log = structlog.get_logger(__name__)

_PATIENCE_SECONDS = 5.0


class Busy(Exception):
    """Too much is being drawn, or a drawing took too long: try again later."""


class Undrawable(Exception):
    """What was given cannot be drawn; the message says why."""


class Renderer:
    """Draws one thing at a time; what it drew lately, at most `largest_bytes` together, is answered from memory."""

    def __init__(self, largest_bytes: int) -> None:
        self._sandbox = Sandbox(jobs="libs.common.rendering.jobs")
        self._turn = asyncio.Lock()
        self._known: OrderedDict[bytes, bytes] = OrderedDict()
        self._largest, self._size = largest_bytes, 0

    async def png(self, svg: str, width: int, field: tuple[int, int]) -> bytes:
        """`svg`, whose view box has the size `field`, as a PNG of `width` pixels."""
        return await self._drawn("picture", svg=svg, width=width, field=field)

    async def certificate(self, said: dict[str, Any], **parts: Any) -> bytes:
        """A certificate as PDF: `said` are the words that certificate.typ reads, `parts` as in `jobs.certificate`."""
        return await self._drawn("certificate", said=orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode(), **parts)

    async def _drawn(self, job: str, **values: Any) -> bytes:
        """The drawing, which depends on what is given alone. Raises `Busy`, `Undrawable`."""
        name = hashlib.sha256(orjson.dumps([job, values], option=orjson.OPT_SORT_KEYS)).digest()
        if name not in self._known:
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await self._turn.acquire()
            except TimeoutError:
                raise Busy("too many drawings are waiting") from None
            try:
                if name not in self._known:
                    self._keep(name, await self._draw(job, values))
            finally:
                self._turn.release()
        self._known.move_to_end(name)
        return self._known[name]

    async def _draw(self, job: str, values: dict[str, Any]) -> bytes:
        try:
            result = await self._sandbox.do(job, **values)
        except Killed as fault:
            raise Busy(str(fault)) from None
        if "file" not in result:
            log.warning("not drawn", job=job)
            raise Undrawable(str(result.get("detail", "nothing was drawn")))
        if result.get("lacking"):  # of what it says, nothing is logged: a certificate has a name on it
            log.warning("no typeface of this host has all the letters; install one for these scripts", job=job)
        return base64.b64decode(result["file"])

    def _keep(self, name: bytes, drawing: bytes) -> None:
        self._known[name] = drawing
        self._size += len(drawing)
        while self._size > self._largest and len(self._known) > 1:
            _, oldest = self._known.popitem(last=False)
            self._size -= len(oldest)
