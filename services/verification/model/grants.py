"""Programs that learners let at their badges: who they are, and what they were granted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Client:
    """A program that was registered (RFC 7591): `metadata` is what it says of itself."""

    client_id: str
    secret_digest: bytes | None
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Code:
    """An authorisation code that a learner's consent gave a program."""

    grant_id: UUID
    client_id: str
    learner_id: str
    scope: str
    redirect_uri: str
    challenge: str
    ends_at: datetime
    used_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class GrantedToken:
    """A pair of access and refresh token, by their digests, and the learner whose badges they open."""

    grant_id: UUID
    client_id: str
    learner_id: str
    scope: str
    access_digest: bytes
    access_ends_at: datetime
    refresh_digest: bytes
    refresh_ends_at: datetime
    replaced_at: datetime | None
    ended_at: datetime | None


Actor = Literal["learner", "program", "misuse"]


@dataclass(frozen=True, slots=True)
class Grant:
    """A program that a learner let in, and that still gets in: until `ends_at` unless it comes for new tokens.

    `address` is where learners go back to from the consent page; `program` what the program calls itself.
    """

    grant_id: UUID
    program: str
    address: str
    scope: str
    granted_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class GrantWord:
    """That a program was let in or its access was ended, by whom and when. `misuse`: a code or token came twice."""

    grant_id: UUID
    act: Literal["granted", "ended"]
    program: str
    address: str
    scope: str
    actor: Actor
    at: datetime
