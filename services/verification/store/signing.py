"""What is signed beside the badges: VC-JWTs, keys with their times, status lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from libs.common.contracts.awarding import AssertionSigned, BadgeIssued, KeyPublished, StatusListSigned
from libs.common.postgres.queries import load_queries
from services.verification.model import StatusList, TokenKey
from services.verification.store import Told

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.verification.store import Reader

SIGNING = load_queries(Path(__file__).parents[1] / "sql" / "signing.sql")


class Withdrawn(NamedTuple):
    """A signed assertion that does not hold, why (`revocation`, `suspension` or `erasure`) and since when."""

    badge_id: UUID
    aspect: str
    changed_at: datetime


async def keep_tokens(connection: Connection, badges: Sequence[BadgeIssued]) -> None:
    """Keep the VC-JWTs of badges that are kept; one that is kept already stays as it is."""
    tokens = {badge.badge_id: badge.credential_jwt for badge in badges if badge.credential_jwt is not None}
    if tokens:
        await connection.execute(SIGNING["keep_tokens"], list(tokens), list(tokens.values()))


async def token(reader: Reader, badge_id: UUID) -> str | None:
    """A badge as VC-JWT, where there is one."""
    return await reader.fetchval(SIGNING["token"], badge_id)


async def keep_keys(connection: Connection, keys: Sequence[tuple[KeyPublished, Told]]) -> None:
    """Keep published keys; the last word on each key wins."""
    told = [key for key, _ in keys]
    await connection.execute(
        SIGNING["keep_keys"],
        [key.issuer_id for key in told],
        [key.key_id for key in told],
        [key.public_key_multibase for key in told],
        [key.public_key_jwk for key in told],
        [key.valid_from for key in told],
        [key.valid_until for key in told],
        [key.revoked_at for key in told],
        [word.at for _, word in keys],
        [word.event_id for _, word in keys],
        [key.signs == "assertions" for key in told],
    )


async def token_keys_of_issuer(reader: Reader, issuer_id: str) -> tuple[TokenKey, ...]:
    """Every key of VC-JWTs or of signed Open Badges 2.0 that the issuer has published, oldest first."""
    return tuple(TokenKey(**dict(row)) for row in await reader.fetch(SIGNING["token_keys_of_issuer"], issuer_id))


async def keep_status_lists(connection: Connection, lists: Sequence[tuple[StatusListSigned, datetime]]) -> None:
    """Keep status lists, each with when it was told; the highest revision of each wins."""
    told = [content for content, _ in lists]
    await connection.execute(
        SIGNING["keep_status_lists"],
        [content.list_id for content in told],
        [content.issuer_id for content in told],
        [content.purpose for content in told],
        [content.revision for content in told],
        [content.credential.encode() for content in told],
        [content.credential_jwt for content in told],
        [at for _, at in lists],
    )


async def status_list(reader: Reader, list_id: str) -> StatusList | None:
    """A status list as it was signed last."""
    row = await reader.fetchrow(SIGNING["status_list"], list_id)
    return None if row is None else StatusList(**dict(row))


async def keep_assertions(connection: Connection, assertions: Sequence[tuple[AssertionSigned, datetime]]) -> None:
    """Keep signed Open Badges 2.0 assertions, each with when it was told; the last of each badge counts."""
    told = [content for content, _ in assertions]
    await connection.execute(
        SIGNING["keep_assertions"],
        [content.badge_id for content in told],
        [content.issuer_id for content in told],
        [content.learner_id for content in told],
        [content.assertion for content in told],
        [at for _, at in assertions],
    )


async def assertion(reader: Reader, badge_id: UUID) -> str | None:
    """A badge as signed Open Badges 2.0 assertion, where its learner asked for one."""
    return await reader.fetchval(SIGNING["assertion"], badge_id)


async def withdrawn_assertions(reader: Reader, issuer_id: str) -> list[Withdrawn]:
    """The issuer's signed assertions that do not hold."""
    return [Withdrawn(**dict(row)) for row in await reader.fetch(SIGNING["withdrawn_assertions"], issuer_id)]
