"""The named queries of uploaded pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from libs.common.postgres.queries import load_queries
from services.verification.model import KeptPicture, NamedPicture

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection, Pool

    Reader = Connection | Pool

SQL = load_queries(Path(__file__).parents[1] / "sql" / "pictures.sql")


async def keep_pictures(connection: Connection, pictures: Sequence[tuple[str, KeptPicture]]) -> None:
    """Keep pictures, each with its digest; those that are kept stay as they are."""
    await connection.execute(
        SQL["keep_pictures"],
        [digest for digest, _ in pictures],
        [picture.media_type for _, picture in pictures],
        [picture.content for _, picture in pictures],
        [picture.drawn for _, picture in pictures],
        [picture.told_at for _, picture in pictures],
    )


async def picture(reader: Reader, digest: str) -> KeptPicture | None:
    """The picture whose bytes have this digest (`sha256:<hex>`)."""
    row = await reader.fetchrow(SQL["picture"], digest)
    return None if row is None else KeptPicture(**dict(row))


def named(text: str | None) -> NamedPicture | None:
    """What a row of the catalogue says of its picture, JSON as it was told."""
    if text is None:
        return None
    told = orjson.loads(text)
    return NamedPicture(told["digest"], told["media_type"], told["caption"])
