"""Waiting for what another process or task does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def until(is_so: Callable[[], Awaitable[bool]], *, seconds: float = 120) -> None:
    """Return once `is_so` says so; raises `TimeoutError` after `seconds`."""
    async with asyncio.timeout(seconds):
        while not await is_so():  # noqa: ASYNC110 - what is waited for happens in a server or another process
            await asyncio.sleep(0.02)
