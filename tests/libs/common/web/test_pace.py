"""Who counts as one caller (SR-13, SR-21)."""

from __future__ import annotations

import pytest

from libs.common.problems import Problem
from libs.common.web.pace import Pace


async def turns_left_to(other: str, after: str) -> bool:
    """Whether `other` has a turn when `after` has used its only one."""
    pace = Pace(1, lambda: 0.0)
    await pace.take(after)
    try:
        await pace.take(other)
    except Problem:
        return False
    return True


@pytest.mark.parametrize(
    ("after", "other", "has_turn"),
    [
        # As a socket that listens on `::` tells callers over IPv4.
        ("::ffff:192.0.2.7", "::ffff:192.0.2.8", True),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.7", False),
        ("::ffff:192.0.2.7", "192.0.2.7", False),
        ("192.0.2.7", "192.0.2.8", True),
        ("2001:db8:0:1::1", "2001:db8:0:1::2", False),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", True),
        ("learner ada", "learner ben", True),
    ],
)
async def test_ipv4_callers_of_an_ipv6_socket_do_not_share_one_bucket(after: str, other: str, has_turn: bool) -> None:
    assert await turns_left_to(other, after) is has_turn
