"""Real access tokens for tests: a key of our own, its JWKS file, and tokens signed with it."""

from __future__ import annotations

import time
from pathlib import Path

import orjson
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

ISSUER = "cairn-tests"
AUDIENCE = "cairn"


class TokenMint:
    """Mints access tokens as an identity provider does; `keys_file` holds the public key that checks them."""

    def __init__(self, folder: Path) -> None:
        self._key = OKPKey.generate_key("Ed25519", {"kid": "tests", "alg": "Ed25519", "use": "sig"})
        self.keys_file = folder / "jwks.json"
        self.keys_file.write_bytes(orjson.dumps(KeySet([self._key]).as_dict(private=False)))

    def token(
        self, *scopes: str, subject: str = "tester", learner_id: str | None = None, lifetime_seconds: int = 600
    ) -> str:
        """A token of `subject` with the scopes; `learner_id` says whose own token it is."""
        claims: dict[str, object] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "exp": int(time.time()) + lifetime_seconds,
            "scope": " ".join(scopes),
        }
        if learner_id is not None:
            claims["learner_id"] = learner_id
        return jwt.encode(
            {"alg": "Ed25519", "kid": "tests", "typ": "at+jwt"}, claims, self._key, algorithms=["Ed25519"]
        )

    def headers(self, *scopes: str, subject: str = "tester") -> dict[str, str]:
        """The Authorization header of a token with the scopes."""
        return {"authorization": f"Bearer {self.token(*scopes, subject=subject)}"}
