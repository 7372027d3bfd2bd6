"""The catalogue as the database keeps it, its revision, and the locks around it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from libs.common.contracts import AchievementPublished, IssuerPublished
from services.awarding.model import About
from services.awarding.store import SQL

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.awarding.store import Reader


async def share_catalogue(connection: Connection) -> None:
    """Keep the catalogue as it is until this transaction ends; wait for a publication that is under way."""
    await connection.execute(SQL["share_catalogue"])


async def lock_catalogue(connection: Connection) -> None:
    """Have the catalogue alone until this transaction ends; wait for all that rely on it now."""
    await connection.execute(SQL["lock_catalogue"])


async def catalogue_revision(connection: Reader) -> tuple[int, bool]:
    """The revision that this transaction sees, and whether it made it itself and has not committed it yet."""
    row = await connection.fetchrow(SQL["catalogue_revision"])
    assert row is not None
    return row["revision"], row["uncommitted"]


async def next_revision(connection: Connection) -> int:
    """Begin a new revision, under the lock of `lock_catalogue`: its number comes once, whatever is rolled back. Keep
    what belongs to it before the catalogue is asked for."""
    return await connection.fetchval(SQL["next_revision"])


async def issuers_since(connection: Reader, revision: int) -> list[IssuerPublished]:
    """The issuers published after `revision`."""
    rows = await connection.fetch(SQL["issuers_since"], revision)
    return [IssuerPublished.model_validate_json(row["published"]) for row in rows]


async def achievements_since(connection: Reader, revision: int) -> list[AchievementPublished]:
    """The achievement versions published after `revision`."""
    rows = await connection.fetch(SQL["achievements_since"], revision)
    return [AchievementPublished.model_validate_json(row["published"]) for row in rows]


async def keep_issuers(connection: Connection, revision: int, issuers: Sequence[IssuerPublished]) -> None:
    """Keep issuers (each once) as they are published now."""
    published = [issuer.model_dump_json() for issuer in issuers]
    await connection.execute(SQL["keep_issuers"], revision, [issuer.issuer_id for issuer in issuers], published)


async def keep_achievements(
    connection: Connection, revision: int, achievements: Sequence[AchievementPublished]
) -> set[tuple[str, int]]:
    """Keep published versions; answers which (achievement id, version) are new."""
    rows = await connection.fetch(
        SQL["keep_achievements"],
        revision,
        [published.achievement_id for published in achievements],
        [published.version for published in achievements],
        [published.model_dump_json() for published in achievements],
    )
    return {(row["achievement_id"], row["version"]) for row in rows}


async def recheck_mentioned(connection: Connection, abouts: Collection[About], badges: Collection[str]) -> None:
    """Have everyone looked at again who has a fact about `abouts` or a badge of the achievements `badges`."""
    await connection.execute(
        SQL["recheck_mentioned"], [kind for kind, _ in abouts], [name for _, name in abouts], list(badges)
    )


async def issuer_ids(connection: Reader) -> list[str]:
    """All issuers."""
    return [row["issuer_id"] for row in await connection.fetch(SQL["issuer_ids"])]


async def achievement(
    connection: Reader, achievement_id: str, version: int | None = None
) -> AchievementPublished | None:
    """One published version, the newest unless `version` says which, or None."""
    versions = await versions_of(connection, achievement_id)
    if version is None:
        return versions[-1] if versions else None
    return next((published for published in versions if published.version == version), None)


async def versions_of(connection: Reader, achievement_id: str) -> list[AchievementPublished]:
    """All published versions of an achievement, rising."""
    rows = await connection.fetch(SQL["achievement_versions"], achievement_id)
    return [AchievementPublished.model_validate_json(row["published"]) for row in rows]
