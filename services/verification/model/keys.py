"""The published keys of issuers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Key:
    """A published Ed25519 key: good for badges issued from `valid_from` until before `valid_until`, if set.

    From `revoked_at` on it is good for nothing but what is proven to be older.
    """

    key_id: str
    public_key_multibase: str
    valid_from: datetime
    valid_until: datetime | None
    told_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A published key of VC-JWTs, P-256 or RSA, with its public JWK as JSON text. Its times are as in `Key`.

    `for_assertions` is an RSA key that signs Open Badges 2.0 and no VC-JWT.
    """

    key_id: str
    public_key_multibase: str
    public_key_jwk: str
    valid_from: datetime
    valid_until: datetime | None
    revoked_at: datetime | None
    told_at: datetime
    for_assertions: bool = False

    @property
    def is_rsa(self) -> bool:
        """Whether it is an RSA key, which signs Open Badges 2.0 assertions too."""
        return self.key_id.startswith("rsa-")
