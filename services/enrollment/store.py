"""The named queries of enrollment, one function each: rows to values and back, no decisions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from libs.common.contracts import AchievementPublished, IssuerPublished, RehearsalCompleted
from libs.common.pictures import CleanPicture
from libs.common.postgres.queries import load_queries
from services.enrollment.model import Enrollment, Learner, LearnerGiven, Override, PastOverride, Standing

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection

SQL = load_queries(Path(__file__).parent / "sql" / "enrollment.sql")
PICTURES = load_queries(Path(__file__).parent / "sql" / "pictures.sql")
REHEARSALS = load_queries(Path(__file__).parent / "sql" / "rehearsals.sql")


async def take_publishing_lock(connection: Connection) -> None:
    """Wait until no other transaction publishes, and keep others from it until this one ends."""
    await connection.execute(SQL["take_publishing_lock"])


async def issuer(connection: Connection, issuer_id: str) -> IssuerPublished | None:
    """The issuer as it was published last, if it was."""
    content = await connection.fetchval(SQL["issuer"], issuer_id)
    return None if content is None else IssuerPublished.model_validate_json(content)


async def issuers(connection: Connection) -> list[bytes]:
    """All issuers, as the JSON that was told."""
    return [row["content"] for row in await connection.fetch(SQL["issuers"])]


async def keep_issuer(
    connection: Connection, published: IssuerPublished, content: bytes, *, at: datetime, by: str
) -> None:
    """Keep an issuer in place of what it was; `content` is its JSON, `by` names who published it."""
    await connection.execute(SQL["keep_issuer"], published.issuer_id, content, at, by)


async def latest_version(connection: Connection, achievement_id: str) -> AchievementPublished | None:
    """The latest version of an achievement, if it was ever published."""
    content = await connection.fetchval(SQL["latest_version"], achievement_id)
    return None if content is None else AchievementPublished.model_validate_json(content)


async def version(connection: Connection, achievement_id: str, number: int) -> AchievementPublished | None:
    """One version of an achievement, if it was published."""
    content = await connection.fetchval(SQL["version"], achievement_id, number)
    return None if content is None else AchievementPublished.model_validate_json(content)


async def latest_versions(connection: Connection, *, after: str, limit: int) -> list[AchievementPublished]:
    """The latest versions of the achievements behind the id `after`, in order of id."""
    rows = await connection.fetch(SQL["latest_versions"], after, limit)
    return [AchievementPublished.model_validate_json(row["content"]) for row in rows]


async def all_versions(connection: Connection) -> list[AchievementPublished]:
    """Every version of every achievement."""
    return [
        AchievementPublished.model_validate_json(row["content"]) for row in await connection.fetch(SQL["all_versions"])
    ]


async def keep_version(connection: Connection, published: AchievementPublished, content: bytes, *, by: str) -> None:
    """Keep a new version; `content` is its JSON, `by` names who published it."""
    await connection.execute(
        SQL["keep_version"], published.achievement_id, published.version, content, published.published_at, by
    )


async def keep_picture(connection: Connection, picture: CleanPicture, *, at: datetime, by: str) -> bool:
    """Keep an uploaded picture, `by` names who brought it; false when it is kept already."""
    values = (picture.digest, picture.media_type, picture.content, picture.drawn)
    return await connection.fetchval(PICTURES["keep_picture"], *values, at, by) is not None


async def picture_type(connection: Connection, digest: str) -> str | None:
    """The media type of a kept picture, if it is one."""
    return await connection.fetchval(PICTURES["picture_type"], digest)


async def register_learners(connection: Connection, learners: Sequence[LearnerGiven], *, at: datetime) -> list[Learner]:
    """Keep the learners (each id once); return those that are new or changed, as they are now."""
    rows = await connection.fetch(
        SQL["register_learners"],
        [learner.learner_id for learner in learners],
        [learner.name for learner in learners],
        [learner.email for learner in learners],
        [learner.shows_name for learner in learners],
        at,
    )
    changed = {row["learner_id"]: Learner(**dict(row)) for row in rows}
    choices = [(learner.learner_id, learner.shows_name) for learner in learners if learner.shows_name is not None]
    if choices:
        changed |= {learner.learner_id: learner for learner in await choose_names(connection, choices, at=at)}
    return list(changed.values())


async def choose_names(
    connection: Connection, choices: Sequence[tuple[str, bool | None]], *, at: datetime
) -> list[Learner]:
    """Keep whether learners want their names in badges; return those who changed their minds, as they are now."""
    ids, wanted = [learner_id for learner_id, _ in choices], [wants for _, wants in choices]
    return [Learner(**dict(row)) for row in await connection.fetch(SQL["choose_names"], ids, wanted, at)]


async def erase_learner(connection: Connection, learner_id: str) -> bool:
    """Delete a learner with all enrolments; false when there was none."""
    return await connection.fetchval(SQL["erase_learner"], learner_id) is not None


async def learner(connection: Connection, learner_id: str) -> Learner | None:
    """A learner, if known."""
    row = await connection.fetchrow(SQL["learner"], learner_id)
    return None if row is None else Learner(**dict(row))


async def present_learners(connection: Connection, learner_ids: Collection[str]) -> set[str]:
    """Which of the learners are known; they stay so until this transaction ends."""
    return {row["learner_id"] for row in await connection.fetch(SQL["present_learners"], list(learner_ids))}


async def keep_enrollments(connection: Connection, enrollments: Sequence[Enrollment]) -> set[UUID]:
    """Keep those of the enrolments that are not kept yet; return their ids."""
    rows = await connection.fetch(
        SQL["keep_enrollments"],
        [enrollment.event_id for enrollment in enrollments],
        [enrollment.learner_id for enrollment in enrollments],
        [enrollment.offer_id for enrollment in enrollments],
        [enrollment.status for enrollment in enrollments],
        [enrollment.occurred_at for enrollment in enrollments],
    )
    return {row["event_id"] for row in rows}


async def enrollments_of_learner(connection: Connection, learner_id: str) -> list[Standing]:
    """Where the learner stands in each offer, by the newest word on it."""
    return [Standing(**dict(row)) for row in await connection.fetch(SQL["enrollments_of_learner"], learner_id)]


async def keep_rehearsals(connection: Connection, rehearsals: Sequence[RehearsalCompleted]) -> None:
    """Keep the last rehearsal of each draft."""
    await connection.execute(
        REHEARSALS["keep_rehearsals"],
        [one.achievement_id for one in rehearsals],
        [one.digest for one in rehearsals],
        [one.rehearsed_at for one in rehearsals],
        [one.model_dump_json(exclude_none=True).encode() for one in rehearsals],
    )


async def rehearsal(connection: Connection, achievement_id: str, digest: str) -> RehearsalCompleted | None:
    """The last rehearsal of a draft by the digest of what it means, if it was heard of."""
    content = await connection.fetchval(REHEARSALS["rehearsal"], achievement_id, digest)
    return None if content is None else RehearsalCompleted.model_validate_json(content)


async def rehearsals_of(connection: Connection, achievement_id: str) -> list[RehearsalCompleted]:
    """The last rehearsals of an achievement's drafts, the latest first."""
    rows = await connection.fetch(REHEARSALS["rehearsals_of"], achievement_id)
    return [RehearsalCompleted.model_validate_json(row["content"]) for row in rows]


async def keep_override(
    connection: Connection, published: AchievementPublished, override: Override, refusal: str, *, at: datetime
) -> None:
    """Note who published a version though no rehearsal allowed it; `refusal` is what stood in the way."""
    place = (published.achievement_id, published.version)
    await connection.execute(REHEARSALS["keep_override"], *place, override.reason, refusal, override.by, at)


async def overrides_of(connection: Connection, achievement_id: str) -> list[PastOverride]:
    """Who published versions of an achievement though no rehearsal allowed it, the latest first."""
    return [PastOverride(**dict(row)) for row in await connection.fetch(REHEARSALS["overrides_of"], achievement_id)]
