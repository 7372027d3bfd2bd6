"""The named queries of verification: rows ↔ model, no decisions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import orjson

from libs.common.contracts.awarding import BadgeIssued
from libs.common.contracts.enrollment import AchievementPublished, IssuerPublished, Picture
from libs.common.postgres.queries import load_queries
from services.verification.model import (
    Achievement,
    Alignment,
    Badge,
    Change,
    HeldBadge,
    Issuer,
    Key,
    Share,
    SignedDocument,
)
from services.verification.store.pictures import named

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection, Pool

    Reader = Connection | Pool

SQL = load_queries(Path(__file__).parents[1] / "sql" / "verification.sql")


class Told(NamedTuple):
    """When something was told, and by which event: what decides between two words on one thing."""

    at: datetime
    event_id: UUID


class BadgeChange(NamedTuple):
    """One word on a badge: `aspect` is revocation or suspension, `holds` whether it is so from now on."""

    badge_id: UUID
    aspect: str
    holds: bool
    reason: str
    told: Told


async def keep_issuers(connection: Connection, issuers: Sequence[tuple[IssuerPublished, Told]]) -> None:
    """Keep what was told of issuers; the last word on each wins."""
    rows = [
        (
            issuer.issuer_id, issuer.name, str(issuer.url), issuer.email, issuer.description, _told(issuer.picture),
            told.at, told.event_id,
        )
        for issuer, told in issuers
    ]  # fmt: skip
    await connection.execute(SQL["keep_issuers"], *_columns(rows))


async def keep_achievements(connection: Connection, versions: Sequence[tuple[AchievementPublished, Told]]) -> None:
    """Keep published versions; the last word on each version wins."""
    rows = [
        (
            version.achievement_id, version.version, version.kind, version.issuer_id, version.name,
            version.description, version.criteria, version.language, orjson.dumps(version.tags).decode(),
            orjson.dumps([alignment.model_dump(mode="json") for alignment in version.alignments]).decode(),
            version.level, version.hours, version.credits, version.published_at, _told(version.picture), told.at,
            told.event_id,
        )
        for version, told in versions
    ]  # fmt: skip
    await connection.execute(SQL["keep_achievements"], *_columns(rows))


async def keep_badges(
    connection: Connection, badges: Sequence[tuple[BadgeIssued, datetime, str | None]]
) -> tuple[int, list[UUID]]:
    """Keep badges, each with when it was told and the traceparent of who told it.

    Returns how many were new, and which are kept already with other bytes: those were not changed.
    """
    rows = [
        (
            badge.badge_id, badge.learner_id, badge.achievement_id, badge.version, badge.issuer_id, badge.valid_from,
            badge.valid_until, badge.credential.encode(), badge.open_badge_2.encode(), badge.digest, issued_at,
            traceparent, badge.awarded_at,
        )
        for badge, issued_at, traceparent in badges
    ]  # fmt: skip
    columns = _columns(rows)
    tag = await connection.execute(SQL["keep_badges"], *columns)
    added = int(tag.rpartition(" ")[2])
    if added == len(rows):
        return added, []
    found = await connection.fetch(SQL["badges_told_otherwise"], columns[0], columns[9], columns[8])
    return added, [row["badge_id"] for row in found]


async def keep_changes(connection: Connection, changes: Sequence[BadgeChange]) -> None:
    """Keep what became of badges; the last word on each aspect of a badge wins."""
    rows = [(*change[:4], change.told.at, change.told.event_id) for change in changes]
    await connection.execute(SQL["keep_changes"], *_columns(rows))


async def signed_document(reader: Reader, badge_id: UUID) -> SignedDocument | None:
    """The signed bytes of a badge: one indexed row."""
    row = await reader.fetchrow(SQL["signed_document"], badge_id)
    return None if row is None else _signed(row)


async def badge(reader: Reader, badge_id: UUID) -> Badge | None:
    """A badge with the last words on it."""
    row = await reader.fetchrow(SQL["badge"], badge_id)
    return None if row is None else _badge(row)


async def badges(reader: Reader, badge_ids: Sequence[UUID]) -> dict[UUID, Badge]:
    """The badges among `badge_ids` that are kept, by id, each with the last words on it."""
    rows = await reader.fetch(SQL["badges"], list(badge_ids))
    return {row["badge_id"]: _badge(row) for row in rows}


async def badges_of_learner(reader: Reader, learner_id: str, limit: int) -> list[HeldBadge]:
    """The learner's badges, newest first, at most `limit`."""
    rows = await reader.fetch(SQL["badges_of_learner"], learner_id, limit)
    return [_held(row) for row in rows]


async def newest_badges(reader: Reader, badge_id: UUID, limit: int) -> list[UUID]:
    """The badges of the same learner and achievement as this one, the newest first and revoked ones last."""
    return [row["badge_id"] for row in await reader.fetch(SQL["newest_badges"], badge_id, limit)]


async def badge_counts(reader: Reader) -> dict[str, int]:
    """How many badges are kept of each achievement, by its id."""
    return {row["achievement_id"]: row["badges"] for row in await reader.fetch(SQL["badge_counts"])}


async def issuer(reader: Reader, issuer_id: str) -> Issuer | None:
    """An issuer as the catalogue names it."""
    row = await reader.fetchrow(SQL["issuer"], issuer_id)
    return None if row is None else _issuer(row)


async def known_issuers(reader: Reader, issuer_ids: Sequence[str]) -> frozenset[str]:
    """Which of `issuer_ids` the catalogue names."""
    return frozenset(row["issuer_id"] for row in await reader.fetch(SQL["known_issuers"], list(issuer_ids)))


async def issuers(reader: Reader, limit: int) -> list[Issuer]:
    """The issuers by name, at most `limit`."""
    return [_issuer(row) for row in await reader.fetch(SQL["issuers"], limit)]


async def keys_of_issuer(reader: Reader, issuer_id: str) -> tuple[Key, ...]:
    """Every key that the issuer has published, oldest first."""
    return tuple(Key(**dict(row)) for row in await reader.fetch(SQL["keys_of_issuer"], issuer_id))


async def keys_of_issuers(reader: Reader, issuer_ids: Sequence[str]) -> dict[str, tuple[Key, ...]]:
    """Every key that each of the issuers has published, oldest first; and only issuers that have one."""
    found: dict[str, list[Key]] = {}
    for row in await reader.fetch(SQL["keys_of_issuers"], list(issuer_ids)):
        fields = dict(row)
        found.setdefault(fields.pop("issuer_id"), []).append(Key(**fields))
    return {issuer_id: tuple(keys) for issuer_id, keys in found.items()}


async def achievement(reader: Reader, achievement_id: str, version: int) -> Achievement | None:
    """One published version of an achievement."""
    row = await reader.fetchrow(SQL["achievement"], achievement_id, version)
    return None if row is None else _achievement(row)


async def latest_version(reader: Reader, achievement_id: str) -> int | None:
    """The number of the newest published version of an achievement."""
    return await reader.fetchval(SQL["latest_version"], achievement_id)


async def achievements_of_issuer(reader: Reader, issuer_id: str, limit: int) -> list[Achievement]:
    """The newest version of each achievement of an issuer, by id, at most `limit`."""
    return [_achievement(row) for row in await reader.fetch(SQL["achievements_of_issuer"], issuer_id, limit)]


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Rows as the arrays that `unnest` takes: one statement for a batch."""
    return [list(column) for column in zip(*rows, strict=True)]


def _signed(row: Any) -> SignedDocument:
    share = None
    if row["audience"] is not None:
        share = Share(
            row["audience"], row["shared_until"], row["shows_name"], row["shows_evidence"], row["share_changed_at"]
        )
    return SignedDocument(
        row["credential"], row["digest"], row["issued_at"], row["traceparent"], row["learner_id"], share
    )


def _badge(row: Any) -> Badge:
    return Badge(
        badge_id=row["badge_id"],
        learner_id=row["learner_id"],
        achievement_id=row["achievement_id"],
        version=row["version"],
        issuer_id=row["issuer_id"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        signed=_signed(row),
        open_badge_2=row["open_badge_2"],
        revocation=_change(row, "revoked", "revocation"),
        suspension=_change(row, "suspended", "suspension"),
        awarded_at=row["awarded_at"],
    )


def _held(row: Any) -> HeldBadge:
    return HeldBadge(
        badge_id=row["badge_id"],
        achievement_id=row["achievement_id"],
        version=row["version"],
        issuer_id=row["issuer_id"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        issued_at=row["issued_at"],
        name=row["name"],
        kind=row["kind"],
        level=row["level"],
        language=row["language"],
        issuer_name=row["issuer_name"],
        picture=named(row["picture"]),
        revocation=_change(row, "revoked", "revocation"),
        suspension=_change(row, "suspended", "suspension"),
    )


def _change(row: Any, holds: str, aspect: str) -> Change | None:
    if row[holds] is None:
        return None
    return Change(row[holds], row[f"{aspect}_reason"], row[f"{holds}_at"])


def _told(picture: Picture | None) -> str | None:
    return None if picture is None else picture.model_dump_json()


def _issuer(row: Any) -> Issuer:
    fields: dict[str, Any] = dict(row)
    fields["picture"] = named(fields["picture"])
    return Issuer(**fields)


def _achievement(row: Any) -> Achievement:
    fields: dict[str, Any] = dict(row)
    fields["alignments"] = tuple(Alignment(**entry) for entry in orjson.loads(fields["alignments"]))
    fields["tags"] = tuple(fields["tags"])
    fields["picture"] = named(fields["picture"])
    return Achievement(**fields)
