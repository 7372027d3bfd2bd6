"""How often one caller may ask for a verification: each costs work, and reaches out to other sites (SR-13, SR-21)."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

from libs.common.problems import Problem

_REMEMBERED = 10_000
_AT_ONCE = 8


class Pace:
    """A bucket of turns for each caller, refilled evenly; the callers heard of least lately are forgotten."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """A caller has `per_minute` turns, and gets a used one back after its share of a minute."""
        self.places = asyncio.Semaphore(_AT_ONCE)  # how many verifications may be under way
        self._turns = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> None:
        """Take a turn of `caller` (an IP address). Raises `Problem` 429 if it has none left."""
        name, now = _network(caller), self._clock()
        left, since = self._buckets.pop(name, (float(self._turns), now))
        left = min(self._turns, left + (now - since) * self._turns / 60)
        if left < 1:
            self._buckets[name] = (left, now)
            seconds = max(1, round((1 - left) * 60 / self._turns))
            detail = f"Expected at most {self._turns} requests a minute."
            raise Problem(429, "Too many requests", detail, headers=(("Retry-After", str(seconds)),))
        self._buckets[name] = (left - 1, now)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)

    def charge(self, caller: str, turns: int) -> None:
        """Take further turns of `caller`, whose badge cost as much; it may owe some afterwards."""
        name = _network(caller)
        left, since = self._buckets.get(name, (float(self._turns), self._clock()))
        self._buckets[name] = (left - turns, since)


def _network(caller: str) -> str:
    """Who has one IPv6 address has 2^64 of them: these count as one caller."""
    try:
        address = ipaddress.ip_address(caller)
    except ValueError:
        return caller
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else caller
