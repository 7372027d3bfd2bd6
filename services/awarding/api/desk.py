"""What the doors of imported badges verify with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from libs.common.credentials.addresses import Addresses
from libs.common.verifying import Verifier
from libs.common.web.pace import Pace


@dataclass(frozen=True, slots=True)
class Desk:
    """What the door verifies badges with, and how often it does so for one caller."""

    verifier: Verifier
    pace: Pace
    addresses: Addresses
    every: timedelta
