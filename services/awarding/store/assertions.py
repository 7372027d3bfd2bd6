"""Badges in the signed form of Open Badges 2.0."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from libs.common.contracts import AssertionSigned
from services.awarding.store import ASSERTIONS

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.awarding.store import Reader


class KeptAssertion(NamedTuple):
    """What became of a wish: the signed assertion, or why it was refused; neither while it waits or nobody asked.

    `is_undermined` says that the key which signed it was revoked since: it proves nothing any more.
    """

    token: str | None
    refusal: str | None
    is_undermined: bool

    @property
    def valid_token(self) -> str | None:
        """The signed assertion, if it still proves something."""
        return None if self.is_undermined else self.token


class AssertionAsked(NamedTuple):
    """A badge whose hosted assertion (`open_badge_2`, JSON text) is to be signed; `state` is a `BadgeState`."""

    badge_id: UUID
    learner_id: str
    issuer_id: str
    open_badge_2: str
    state: int


class MadeAssertion(NamedTuple):
    """A signed assertion with the id of the key that signed it, or why there is none."""

    badge_id: UUID
    token: str | None = None
    key_id: str | None = None
    refusal: str | None = None


async def signed_assertion(reader: Reader, badge_id: UUID, learner_id: str) -> KeptAssertion | None:
    """What became of the wish for a signed assertion; None if the learner has no such badge."""
    row = await reader.fetchrow(ASSERTIONS["signed_assertion"], badge_id, learner_id)
    return None if row is None else KeptAssertion(**dict(row))


async def ask_assertion(connection: Connection, badge_id: UUID, learner_id: str) -> None:
    """Have a badge signed; again if it was refused before, or if the key that signed it was revoked since."""
    await connection.execute(ASSERTIONS["ask_assertion"], badge_id, learner_id)


async def waiting_assertions(connection: Connection, most: int) -> list[AssertionAsked]:
    """Up to `most` badges that wait to be signed, locked now."""
    return [AssertionAsked(**dict(row)) for row in await connection.fetch(ASSERTIONS["waiting_assertions"], most)]


async def keep_assertions(connection: Connection, made: Sequence[MadeAssertion]) -> None:
    """Keep what was signed, and why the rest was not."""
    columns = [list(column) for column in zip(*made, strict=True)]
    await connection.execute(ASSERTIONS["keep_assertions"], *columns)


async def forget_assertions(connection: Connection, learner_ids: Sequence[str]) -> None:
    """Forget the signed assertions of these learners."""
    await connection.execute(ASSERTIONS["forget_assertions"], list(learner_ids))


async def remember_assertions(connection: Connection, told: Sequence[tuple[AssertionSigned, datetime]]) -> None:
    """Keep signed assertions as they were told, each with when."""
    await connection.execute(
        ASSERTIONS["remember_assertions"],
        [content.badge_id for content, _ in told],
        [content.learner_id for content, _ in told],
        [at for _, at in told],
        [content.assertion for content, _ in told],
        [content.key_id for content, _ in told],
    )
