"""What issuers say for achievements and badges."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from libs.common.contracts import EndorsementSigned
from services.awarding.model import EndorsementAsked, SignedEndorsement
from services.awarding.store import ENDORSEMENTS

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.awarding.store import Reader


async def keep_endorsement(connection: Connection, asked: EndorsementAsked) -> None:
    """Keep what is to be signed; one whose id is known stays as it was asked for."""
    await connection.execute(
        ENDORSEMENTS["keep_endorsement"],
        asked.endorsement_id, asked.issuer_id, asked.achievement_id, asked.version, asked.badge_id, asked.comment,
        asked.actor, asked.asked_at, asked.traceparent,
    )  # fmt: skip


async def endorsement(reader: Reader, endorsement_id: UUID) -> EndorsementAsked | None:
    """One endorsement, or None."""
    row = await reader.fetchrow(ENDORSEMENTS["endorsement"], endorsement_id)
    return None if row is None else EndorsementAsked(**dict(row))


async def waiting_endorsements(connection: Connection, most: int) -> list[EndorsementAsked]:
    """Up to `most` that wait to be signed, locked now."""
    return [EndorsementAsked(**dict(row)) for row in await connection.fetch(ENDORSEMENTS["waiting_endorsements"], most)]


async def sign_endorsements(connection: Connection, signed: Sequence[SignedEndorsement]) -> None:
    """Keep endorsements as they were signed."""
    columns = [list(column) for column in zip(*signed, strict=True)]
    await connection.execute(ENDORSEMENTS["sign_endorsements"], *columns)


async def refuse_endorsements(connection: Connection, refused: Sequence[tuple[UUID, str]]) -> None:
    """Note why endorsements are not signed."""
    await connection.execute(
        ENDORSEMENTS["refuse_endorsements"], [name for name, _ in refused], [why for _, why in refused]
    )


async def endorsements_of_versions(
    reader: Reader, versions: Collection[tuple[str, int]], most: int
) -> dict[tuple[str, int], tuple[bytes, ...]]:
    """The first `most` signed endorsements of each achievement version that has some."""
    wanted = sorted(versions)
    rows = await reader.fetch(
        ENDORSEMENTS["endorsements_of_versions"], [name for name, _ in wanted], [number for _, number in wanted], most
    )
    found: dict[tuple[str, int], tuple[bytes, ...]] = {}
    for row in rows:
        place = (row["achievement_id"], row["version"])
        found[place] = (*found.get(place, ()), row["credential"].encode())
    return found


async def remember_endorsements(connection: Connection, told: Sequence[EndorsementSigned]) -> None:
    """Keep endorsements as they were told."""
    rows = [
        (
            one.endorsement_id, one.issuer_id, one.achievement_id, one.version, one.badge_id, one.comment,
            one.endorsed_at, one.credential, one.open_badge_2, one.credential_jwt,
        )
        for one in told
    ]  # fmt: skip
    columns = [list(column) for column in zip(*rows, strict=True)]
    await connection.execute(ENDORSEMENTS["remember_endorsements"], *columns)
