"""What issuers say for achievements and badges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from libs.common.contracts.awarding import EndorsementSigned
from libs.common.postgres.queries import load_queries

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.verification.store import Reader

SQL = load_queries(Path(__file__).parents[1] / "sql" / "endorsements.sql")
_MOST = 50


class KeptEndorsement(NamedTuple):
    """An endorsement as it was signed, and its Open Badges 2.0 twin; `badge_id` is None for one of an achievement."""

    endorsement_id: UUID
    issuer_id: str
    badge_id: UUID | None
    comment: str
    endorsed_at: datetime
    credential: bytes
    open_badge_2: bytes


class Endorsed(NamedTuple):
    """What one issuer says."""

    endorsement_id: UUID
    issuer_id: str
    comment: str
    endorsed_at: datetime
    issuer_name: str


async def keep_endorsements(connection: Connection, told: Sequence[EndorsementSigned]) -> None:
    """Keep endorsements as they were told; one that is known stays as it is."""
    rows = [
        (
            one.endorsement_id, one.issuer_id, one.achievement_id, one.version, one.badge_id, one.comment,
            one.endorsed_at, one.credential.encode(), one.open_badge_2.encode(), one.credential_jwt,
        )
        for one in told
    ]  # fmt: skip
    await connection.execute(SQL["keep_endorsements"], *([list(column) for column in zip(*rows, strict=True)]))


async def endorsement(reader: Reader, endorsement_id: UUID) -> KeptEndorsement | None:
    """One endorsement, or None."""
    row = await reader.fetchrow(SQL["endorsement"], endorsement_id)
    return None if row is None else KeptEndorsement(**dict(row))


async def endorsements_of_version(reader: Reader, achievement_id: str, version: int) -> list[Endorsed]:
    """What issuers say for an achievement version, oldest first."""
    rows = await reader.fetch(SQL["endorsements_of_version"], achievement_id, version, _MOST)
    return [Endorsed(**dict(row)) for row in rows]


async def endorsements_of_badge(reader: Reader, badge_id: UUID) -> list[Endorsed]:
    """What issuers say for a badge, oldest first."""
    return [Endorsed(**dict(row)) for row in await reader.fetch(SQL["endorsements_of_badge"], badge_id, _MOST)]
