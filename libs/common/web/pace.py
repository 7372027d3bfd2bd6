"""How often one caller may ask for a verification: each costs work, and reaches out to other sites (SR-13, SR-21).

Each process counts by itself, and with a secret (`CAIRN_PACE_SECRET`) all processes of a service together, in
PostgreSQL. While that is away, or slow, each process's own count bounds its callers: verification goes on.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import cast

import structlog
from fastapi import FastAPI

from libs.common.postgres.database import Database
from libs.common.postgres.turns import SharedTurns
from libs.common.problems import AWAY, Problem
from libs.common.settings import ServiceSettings

log = structlog.get_logger(__name__)

_REMEMBERED = 10_000
_AT_ONCE = 8
_BUCKET_SECONDS = 60.0
# How long a database that did not answer in time is left alone.
_PAUSE_SECONDS = 5.0


class Pace:
    """A bucket of turns for each caller, refilled evenly; the callers heard of least lately are forgotten."""

    def __init__(
        self,
        per_minute: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        purpose: str = "",
        shared: SharedTurns | None = None,
    ) -> None:
        """A caller has `per_minute` turns, and gets a used one back after its share of a minute.

        With `shared` they are counted across processes, those of each `purpose` by themselves.
        """
        self.places = asyncio.Semaphore(_AT_ONCE)  # how many verifications may be under way
        self._turns = per_minute
        self._clock = clock
        self._purpose = purpose
        self._shared = shared
        self._shared_from = 0.0
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def take(self, caller: str) -> None:
        """Take a turn of `caller` (an IP address or a name). Raises `Problem` 429 if it has none left."""
        name = _network(caller)
        # Our own count first: who asks far too often costs the database nothing.
        self._require(self._take_here(name))
        wait = await self._take_there(name)
        if wait is not None:
            # Known here from now on, until there is a turn.
            self._buckets[name] = (1 - wait * self._turns / _BUCKET_SECONDS, self._clock())
            self._require(wait)

    async def charge(self, caller: str, turns: int) -> None:
        """Take further turns of `caller`, whose badge cost as much; it may owe some afterwards."""
        name = _network(caller)
        left, since = self._buckets.get(name, (float(self._turns), self._clock()))
        self._buckets[name] = (left - turns, since)
        if self._shared is not None and self._clock() >= self._shared_from:
            try:
                await self._shared.charge(self._named(name), turns * _BUCKET_SECONDS / self._turns)
            except AWAY as fault:
                self._leave_alone(fault)

    def _require(self, wait: float | None) -> None:
        if wait is None:
            return
        detail = f"Expected at most {self._turns} requests a minute."
        headers = (("Retry-After", str(max(1, round(wait)))),)
        raise Problem(429, "Too many requests", detail, headers=headers)

    def _take_here(self, name: str) -> float | None:
        """None where a turn was taken, else after how many seconds there is one."""
        now = self._clock()
        left, since = self._buckets.pop(name, (float(self._turns), now))
        left = min(self._turns, left + (now - since) * self._turns / _BUCKET_SECONDS)
        has_turn = left >= 1
        self._buckets[name] = (left - 1 if has_turn else left, now)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return None if has_turn else (1 - left) * _BUCKET_SECONDS / self._turns

    async def _take_there(self, name: str) -> float | None:
        if self._shared is None or self._clock() < self._shared_from:
            return None
        try:
            return await self._shared.take(self._named(name), _BUCKET_SECONDS / self._turns, _BUCKET_SECONDS)
        except AWAY as fault:
            self._leave_alone(fault)
            return None

    def _leave_alone(self, fault: BaseException) -> None:
        self._shared_from = self._clock() + _PAUSE_SECONDS
        log.warning("callers are counted by each process alone", purpose=self._purpose, fault=type(fault).__name__)

    def _named(self, name: str) -> str:
        return f"{self._purpose} {name}"


def shared_turns(app: FastAPI, settings: ServiceSettings) -> SharedTurns | None:
    """The turns that the processes of a service count together; None without the secret that they share."""
    secret = settings.pace_secret
    if secret is None:
        return None
    return SharedTurns(lambda: cast("Database", app.state.database), secret.get_secret_value().encode())


def _network(caller: str) -> str:
    """Who has one IPv6 address has 2^64 of them: these count as one caller.

    A socket that listens on `::` tells IPv4 callers as `::ffff:192.0.2.7` (RFC 4291, section 2.5.5.2): each is one.
    """
    try:
        address = ipaddress.ip_address(caller)
    except ValueError:
        return caller
    if address.version == 4:
        return caller
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
