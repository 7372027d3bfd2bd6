"""Endorsements are kept as they were signed."""

from __future__ import annotations

from collections.abc import Sequence

from libs.common.contracts.awarding import EndorsementSigned
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Work
from services.verification.store import endorsements as endorsement_store


async def on_endorsement_signed(work: Work, events: Sequence[Received[EndorsementSigned]]) -> None:
    """Keep what an issuer says for an achievement version or a badge."""
    told = [event.content for event in events if event.content is not None]
    if told:
        await endorsement_store.keep_endorsements(work.connection, told)
