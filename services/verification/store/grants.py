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
from services.verification.model.grants import Client, Code, GrantedToken

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


async def keep_code(connection: Connection, code: str, granted: Code, at: datetime) -> None:
    """Keep a learner's consent with the code that tells the program of it."""
    values = (granted.grant_id, granted.client_id, granted.learner_id, granted.scope, at)
    await connection.execute(SQL["keep_grant"], *values)
    ending = (granted.redirect_uri, granted.challenge, granted.ends_at)
    await connection.execute(SQL["keep_code"], digest(code), granted.grant_id, *ending)


async def code(connection: Connection, shown: str) -> Code | None:
    """The code that somebody shows, locked."""
    row = await connection.fetchrow(SQL["code"], digest(shown))
    return None if row is None else Code(**dict(row))


async def use_code(connection: Connection, shown: str, at: datetime) -> None:
    """Note that a code was used."""
    await connection.execute(SQL["use_code"], digest(shown), at)


async def end_grant(connection: Connection, grant_id: UUID, at: datetime) -> None:
    """End a grant, and with it all its tokens."""
    await connection.execute(SQL["end_grant"], grant_id, at)


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


async def forget_ended(connection: Connection, before: datetime) -> None:
    """Forget grants from before this instant of which nothing can be used any more."""
    await connection.execute(SQL["forget_ended"], before)


async def erase_learners_grants(connection: Connection, learner_ids: Sequence[str]) -> None:
    """Erase what programs were granted, and what they brought, of these learners."""
    await connection.execute(SQL["erase_learners_grants"], list(learner_ids))
    await connection.execute(SQL["erase_what_came_by_grants"], list(learner_ids))
