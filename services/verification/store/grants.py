"""The named queries of programs, grants, codes and tokens. Secrets come and go as digests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import orjson

from libs.common.postgres.queries import load_queries
from services.verification.model.grants import Actor, Client, Code, Grant, GrantedToken, GrantWord

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection, Pool

    Reader = Connection | Pool

SQL = load_queries(Path(__file__).parents[1] / "sql" / "grants.sql")


class Pair(NamedTuple):
    """A new access and refresh token with their ends."""

    access: str
    refresh: str
    scope: str
    access_ends_at: datetime
    refresh_ends_at: datetime


def digest(secret: str) -> bytes:
    """How a secret is kept. They are long and random: nothing slower is called for."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


async def keep_client(
    connection: Connection, client_id: str, secret: str | None, metadata: Mapping[str, Any], at: datetime
) -> None:
    """Keep a program that was registered."""
    kept = None if secret is None else digest(secret)
    await connection.execute(SQL["keep_client"], client_id, kept, orjson.dumps(metadata).decode(), at)


async def client(reader: Reader, client_id: str) -> Client | None:
    """A registered program."""
    row = await reader.fetchrow(SQL["client"], client_id)
    return None if row is None else Client(row["client_id"], row["secret_digest"], orjson.loads(row["metadata"]))


async def held_client(connection: Connection, client_id: str) -> Client | None:
    """A registered program, which is not forgotten until the transaction ends."""
    row = await connection.fetchrow(SQL["held_client"], client_id)
    return None if row is None else Client(row["client_id"], row["secret_digest"], orjson.loads(row["metadata"]))


async def use_client(connection: Connection, client_id: str, at: datetime) -> None:
    """Note that a program came for tokens."""
    await connection.execute(SQL["use_client"], client_id, at)


async def keep_code(connection: Connection, code: str, granted: Code, at: datetime) -> None:
    """Keep a learner's consent with the code that tells the program of it."""
    values = (granted.grant_id, granted.client_id, granted.learner_id, granted.scope, at, granted.redirect_uri)
    await connection.execute(SQL["keep_grant"], *values)
    await connection.execute(SQL["use_client"], granted.client_id, at)
    ending = (granted.redirect_uri, granted.challenge, granted.ends_at)
    await connection.execute(SQL["keep_code"], digest(code), granted.grant_id, *ending)


async def code(connection: Connection, shown: str) -> Code | None:
    """The code that somebody shows, locked."""
    row = await connection.fetchrow(SQL["code"], digest(shown))
    return None if row is None else Code(**dict(row))


async def use_code(connection: Connection, shown: str, at: datetime) -> None:
    """Note that a code was used."""
    await connection.execute(SQL["use_code"], digest(shown), at)


async def end_grant(
    connection: Connection, grant_id: UUID, at: datetime, actor: Actor, learner_id: str | None = None
) -> bool:
    """End a grant (of this learner, if one is named), and with it all its tokens; whether that was to be done."""
    return await connection.fetchval(SQL["end_grant"], grant_id, at, actor, learner_id) is not None


async def grants_of_learner(reader: Reader, learner_id: str, now: datetime, limit: int) -> list[Grant]:
    """The grants of a learner by which programs get in at the instant `now`, the newest first, at most `limit`."""
    rows = await reader.fetch(SQL["grants_of_learner"], learner_id, now, limit)
    return [Grant(**dict(row)) for row in rows]


async def grant_words(reader: Reader, learner_id: str, limit: int) -> list[GrantWord]:
    """Which programs the learner let in and what was ended, the newest first, at most `limit`."""
    return [GrantWord(**dict(row)) for row in await reader.fetch(SQL["grant_words"], learner_id, limit)]


async def keep_token(connection: Connection, grant_id: UUID, pair: Pair) -> None:
    """Keep a pair of tokens."""
    await connection.execute(SQL["keep_token"], digest(pair.access), digest(pair.refresh), grant_id, *pair[2:])


async def token(connection: Connection, shown: str) -> GrantedToken | None:
    """The pair of tokens of which somebody shows one, locked."""
    row = await connection.fetchrow(SQL["token"], digest(shown))
    return None if row is None else GrantedToken(**dict(row))


async def replace_token(connection: Connection, access_digest: bytes, at: datetime) -> None:
    """Note that another pair took the place of this one."""
    await connection.execute(SQL["replace_token"], access_digest, at)


async def access(reader: Reader, shown: str, now: datetime) -> tuple[str, frozenset[str]] | None:
    """The learner and the scopes that an access token opens at the instant `now`."""
    row = await reader.fetchrow(SQL["access"], digest(shown), now)
    return None if row is None else (row["learner_id"], frozenset(row["scope"].split()))


async def forget_ended(connection: Connection, before: datetime, most: int) -> int:
    """Forget up to `most` grants, and as many pairs of tokens, that nobody could use since this instant."""
    grants = await connection.execute(SQL["forget_ended"], before, most)
    pairs = await connection.execute(SQL["forget_replaced"], before, most)
    return max(_rows(grants), _rows(pairs))


async def forget_clients(connection: Connection, untried: datetime, unused: datetime, most: int) -> int:
    """Forget up to `most` programs: registered before `untried` and never let in, or last used before `unused`."""
    return _rows(await connection.execute(SQL["forget_clients"], untried, unused, most))


def _rows(tag: str) -> int:
    return int(tag.rpartition(" ")[2])


async def erase_learners_grants(connection: Connection, learner_ids: Sequence[str]) -> list[tuple[str, UUID]]:
    """Erase what programs were granted, and what they brought, of these learners.

    Answers the learner and the push id of each badge that went and had been told.
    """
    await connection.execute(SQL["erase_learners_grants"], list(learner_ids))
    gone = await connection.fetch(SQL["erase_what_came_by_grants"], list(learner_ids))
    return [(row["learner_id"], row["push_id"]) for row in gone if row["push_id"] is not None]
